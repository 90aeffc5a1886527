//! What an answer says about limits. Read from its status and headers; no word of its text takes part.

use super::cost::Resource;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

/// How a request ended, as far as limits are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// An answer like others, refusals included.
    Answered,
    /// 304: free of charge.
    Unchanged,
    /// The hourly budget is used up.
    Exhausted,
    /// A secondary limit was hit.
    Secondary {
        /// The pause that GitHub asks for.
        retry_after: Option<SignedDuration>,
    },
    /// An error of the server.
    ServerError {
        /// The pause that GitHub asks for.
        retry_after: Option<SignedDuration>,
    },
    /// No answer came, or none that can be read.
    Nothing,
    /// It was never sent.
    NotSent,
}

/// What GitHub says of an hourly budget, in headers or in `rateLimit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Of which.
    pub resource: Resource,
    /// Points an hour.
    pub limit: u32,
    /// Points left.
    pub remaining: u32,
    /// When it is full again (server time).
    pub reset_at: Timestamp,
    /// What this request cost, where that is told.
    pub cost: Option<u32>,
}

/// All that an answer says about limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How the request ended.
    pub answer: Answer,
    /// The server's time.
    pub date: Option<Timestamp>,
    /// The budget.
    pub rate: Option<Rate>,
}

impl Heard {
    /// No answer came: what it may have cost counts as spent.
    pub fn nothing() -> Self {
        Self { answer: Answer::Nothing, date: None, rate: None }
    }

    /// It was never sent and cost nothing.
    pub fn not_sent() -> Self {
        Self { answer: Answer::NotSent, date: None, rate: None }
    }

    /// Reads status and headers of an answer. `header` finds a value by its lower-case name.
    pub fn read<'a>(resource: Resource, status: u16, header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let number = |name: &str| header(name).and_then(|value| value.trim().parse::<i64>().ok());
        let small = |name: &str| number(name).and_then(|value| u32::try_from(value).ok());
        let date = header("date").and_then(http_date);
        let retry_after = number("retry-after").filter(|s| *s >= 0).map(SignedDuration::from_secs);
        // Some paths (search, code scanning) have budgets of their own: theirs says nothing about ours.
        let named = match resource {
            Resource::Rest => "core",
            Resource::Graphql => "graphql",
        };
        let ours = header("x-ratelimit-resource").is_none_or(|name| name == named);
        let rate = (|| {
            Some(Rate {
                resource,
                limit: small("x-ratelimit-limit")?,
                remaining: small("x-ratelimit-remaining")?,
                reset_at: Timestamp::from_second(number("x-ratelimit-reset")?).ok()?,
                cost: None,
            })
        })()
        .filter(|_| ours);
        let answer = match status {
            304 => Answer::Unchanged,
            403 | 429 if retry_after.is_some() => Answer::Secondary { retry_after },
            403 | 429 if ours && rate.is_some_and(|rate| rate.remaining == 0) => Answer::Exhausted,
            429 => Answer::Secondary { retry_after },
            500..=599 => Answer::ServerError { retry_after },
            _ => Answer::Answered,
        };
        Self { answer, date, rate }
    }

    /// The same with what the body of a GraphQL answer says in `rateLimit`, which knows the cost.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The same for an answer of status 200 whose errors say that a limit was hit (`RATE_LIMITED`). Which one, the numbers tell.
    #[must_use]
    pub fn rate_limited(mut self) -> Self {
        self.answer = match self.rate {
            Some(rate) if rate.remaining == 0 => Answer::Exhausted,
            Some(_) | None => Answer::Secondary { retry_after: None },
        };
        self
    }
}

/// Time of a `Date` header.
fn http_date(value: &str) -> Option<Timestamp> {
    // "GMT" is the one zone that HTTP allows.
    rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(status: u16, headers: &[(&str, &'static str)]) -> Heard {
        let find = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        Heard::read(Resource::Rest, status, find)
    }

    #[test]
    fn the_headers_of_an_answer_are_read() {
        let heard = heard(
            200,
            &[
                ("date", "Sat, 21 Nov 2026 19:35:25 GMT"),
                ("x-ratelimit-limit", "5000"),
                ("x-ratelimit-remaining", "4987"),
                ("x-ratelimit-reset", "1795292125"),
                ("x-ratelimit-resource", "core"),
            ],
        );
        assert_eq!(heard.date.unwrap().to_string(), "2026-11-21T19:35:25Z");
        let rate = heard.rate.unwrap();
        assert_eq!((rate.limit, rate.remaining, rate.reset_at.as_second()), (5000, 4987, 1_795_292_125));
        assert_eq!(heard.answer, Answer::Answered);
    }

    #[test]
    fn limits_are_told_apart_by_numbers_alone() {
        let used_up = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1795292125"),
        ];
        assert_eq!(heard(403, &used_up).answer, Answer::Exhausted);
        let minute = Some(SignedDuration::from_secs(60));
        assert_eq!(heard(403, &[("retry-after", "60")]).answer, Answer::Secondary { retry_after: minute });
        assert_eq!(heard(429, &[]).answer, Answer::Secondary { retry_after: None });
        assert_eq!(heard(403, &[]).answer, Answer::Answered, "a refusal is no limit");
        assert_eq!(heard(304, &[]).answer, Answer::Unchanged);
        assert_eq!(heard(502, &[("retry-after", "soon")]).answer, Answer::ServerError { retry_after: None });
        assert_eq!(heard(200, &used_up).rate_limited().answer, Answer::Exhausted);
    }

    #[test]
    fn a_budget_of_its_own_says_nothing_about_ours() {
        let search = [
            ("x-ratelimit-limit", "30"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1795292125"),
            ("x-ratelimit-resource", "search"),
        ];
        assert_eq!(heard(200, &search).rate, None);
    }
}

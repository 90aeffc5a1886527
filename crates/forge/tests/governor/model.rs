//! GitHub's limits, counted in true time by someone who would refuse what is too much.

use banksman_forge::github::governor::{Answer, Cost, Effect, Heard, Rate, Resource};
use jiff::Timestamp;
use std::collections::VecDeque;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;

/// The limits that can be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Concurrent,
    Hourly,
    RestMinute,
    GraphqlMinute,
    ContentMinute,
    ContentHour,
    BetweenWrites,
}

/// A sliding window.
struct Window {
    span: i64,
    limit: u64,
    sum: u64,
    entries: VecDeque<(i64, u64)>,
}

impl Window {
    fn new(span: i64, limit: u64) -> Self {
        Self { span, limit, sum: 0, entries: VecDeque::new() }
    }

    /// Counts; whether the limit is kept.
    fn take(&mut self, now: i64, amount: u64) -> bool {
        while self.entries.front().is_some_and(|(at, _)| *at <= now - self.span) {
            self.sum -= self.entries.pop_front().unwrap().1;
        }
        self.sum += amount;
        self.entries.push_back((now, amount));
        self.sum <= self.limit
    }
}

/// One hourly budget with a fixed reset, as GitHub has it.
struct Budget {
    limit: u32,
    used: u32,
    reset: i64,
}

impl Budget {
    fn take(&mut self, now: i64, points: u32) -> bool {
        if now >= self.reset {
            self.reset = now + HOUR;
            self.used = 0;
        }
        self.used += points;
        self.used <= self.limit
    }
}

/// GitHub.
pub(crate) struct Github {
    rest: Budget,
    graphql: Budget,
    rest_sliding: Window,
    graphql_sliding: Window,
    rest_minute: Window,
    graphql_minute: Window,
    content_minute: Window,
    content_hour: Window,
    last_write: i64,
    /// Requests that arrived and were not answered.
    pub(crate) concurrent: usize,
    /// What was passed, and when.
    pub(crate) passed: Vec<(i64, Limit)>,
    /// Requests received.
    pub(crate) received: u64,
    /// Content received.
    pub(crate) content: u64,
}

impl Default for Github {
    fn default() -> Self {
        let budget = || Budget { limit: 5_000, used: 0, reset: 0 };
        Self {
            rest: budget(),
            graphql: budget(),
            rest_sliding: Window::new(HOUR, 5_000),
            graphql_sliding: Window::new(HOUR, 5_000),
            rest_minute: Window::new(MINUTE, 900),
            graphql_minute: Window::new(MINUTE, 2_000),
            content_minute: Window::new(MINUTE, 80),
            content_hour: Window::new(HOUR, 500),
            last_write: i64::MIN / 2,
            concurrent: 0,
            passed: Vec::new(),
            received: 0,
            content: 0,
        }
    }
}

impl Github {
    /// Receives a request at a true time in milliseconds; the answer leaves at once.
    pub(crate) fn receive(&mut self, now: i64, cost: Cost) -> Heard {
        self.received += 1;
        self.concurrent += 1;
        let mut passed = Vec::new();
        let mut see = |kept: bool, limit: Limit| {
            if !kept {
                passed.push((now, limit))
            }
        };
        see(self.concurrent <= 100, Limit::Concurrent);
        let (points, effect) = (cost.points(), cost.effect());
        let writes = matches!(effect, Effect::Write | Effect::Content);
        let minute = if writes { 5 } else { 1 };
        let budget = match cost.resource() {
            Resource::Rest => {
                see(self.rest_sliding.take(now, points.into()), Limit::Hourly);
                see(self.rest_minute.take(now, minute), Limit::RestMinute);
                &mut self.rest
            }
            Resource::Graphql => {
                see(self.graphql_sliding.take(now, points.into()), Limit::Hourly);
                see(self.graphql_minute.take(now, minute), Limit::GraphqlMinute);
                &mut self.graphql
            }
        };
        see(budget.take(now, points), Limit::Hourly);
        let rate = Rate {
            resource: cost.resource(),
            limit: budget.limit,
            remaining: budget.limit.saturating_sub(budget.used),
            reset_at: Timestamp::from_second(budget.reset / 1_000 + 1).unwrap(),
            cost: matches!(cost, Cost::Graphql { .. }).then_some(points),
        };
        if effect == Effect::Content {
            self.content += 1;
            see(self.content_minute.take(now, 1), Limit::ContentMinute);
            see(self.content_hour.take(now, 1), Limit::ContentHour);
        }
        if writes {
            see(now - self.last_write >= 1_000, Limit::BetweenWrites);
            self.last_write = now;
        }
        self.passed.extend(passed);
        // Dates are whole seconds.
        let date = Timestamp::from_second(now.div_euclid(1_000)).ok();
        Heard { answer: Answer::Answered, date, rate: Some(rate) }
    }
}

//! How a call can fail, in closed words: read from statuses, headers and error codes, never from the forge's messages, which are text of
//! strangers too.

use super::{
    governor::{Answer, Heard},
    transport::{Kind, Response},
    wire::{Word, word},
};
use banksman_core::port::{ForgeError, Refusal, Scope};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Pause after a limit that did not say how long it lasts, and after a host that cannot be reached.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A call that did not do what it was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Surely not done; it may be tried again from then on.
    Later(Timestamp),
    /// Nobody knows.
    Unclear(&'static str),
    /// Refused for the whole repository or credential.
    Refused(Refusal),
    /// Refused for this call.
    No(No),
}

/// Why one call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum No {
    /// 404: it is not there, or may not be seen.
    Missing,
    /// 410: it is gone, or the host does not have such a thing.
    Gone,
    /// 403 without a reason that structure tells.
    Forbidden,
    /// 405: its state does not allow it.
    NotNow,
    /// 409: it changed meanwhile.
    Conflict,
    /// 422: what was asked makes no sense for it as it is.
    Invalid,
    /// It is elsewhere now.
    Moved,
}

impl From<Fault> for ForgeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Later(until) => Self::Later(until),
            Fault::Unclear(what) => Self::Unclear(what),
            Fault::Refused(reason) => Self::Refused(reason),
            Fault::No(No::Missing | No::Gone | No::Moved) => Self::Refused(Refusal::NotFound),
            Fault::No(No::Forbidden | No::NotNow | No::Invalid) => Self::Refused(Refusal::NotAllowed),
            Fault::No(No::Conflict) => Self::Refused(Refusal::HeadMoved),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(reason: Refusal) -> Self {
        Self::Refused(reason)
    }
}

/// A body of an error, of which the address of the documentation is compared with one pattern.
#[derive(Deserialize)]
struct Explained {
    #[serde(default, deserialize_with = "word")]
    documentation_url: Explanation,
}

/// What the address of the documentation in an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Explanation {
    RateLimits,
    #[default]
    Other,
}

impl Word for Explanation {
    fn of(address: &str) -> Self {
        if address.contains("rate-limits") { Self::RateLimits } else { Self::Other }
    }
}

/// Reads the end of a REST call; `heard` is corrected where only the body tells that a limit was hit.
pub(super) fn of_status(
    kind: Kind,
    response: &Response,
    heard: &mut Heard,
    now: Timestamp,
) -> Result<(), Fault> {
    match response.status {
        200..=299 | 304 => return Ok(()),
        301 | 302 | 307 | 308 => return Err(Fault::No(No::Moved)),
        500..=599 | 408 => return Err(Fault::Unclear(broken(kind))),
        _ => {}
    }
    if matches!(response.status, 403 | 429) {
        let explained: Option<Explained> = serde_json::from_slice(&response.body).ok();
        let limited = explained.is_some_and(|e| e.documentation_url == Explanation::RateLimits);
        if heard.answer == Answer::Answered && limited {
            heard.answer = Answer::Secondary { retry_after: None };
        }
        if let Some(until) = pause_of(heard, now) {
            return Err(Fault::Later(until));
        }
    }
    Err(match response.status {
        401 => Fault::Refused(Refusal::BadCredential),
        403 | 404 => match missing_right(response) {
            Some(refusal) => Fault::Refused(refusal),
            None if response.status == 404 => Fault::No(No::Missing),
            None => Fault::No(No::Forbidden),
        },
        405 => Fault::No(No::NotNow),
        409 => Fault::No(No::Conflict),
        410 | 451 => Fault::No(No::Gone),
        _ => Fault::No(No::Invalid),
    })
}

fn broken(kind: Kind) -> &'static str {
    match kind {
        Kind::Read => "GitHub failed to answer",
        Kind::Write => "GitHub failed while it changed something",
    }
}

/// Until when a limit that was hit lasts.
pub(super) fn pause_of(heard: &Heard, now: Timestamp) -> Option<Timestamp> {
    match heard.answer {
        Answer::Exhausted => Some(heard.rate.map_or(now + MINUTE, |rate| local(rate.reset_at, heard, now))),
        Answer::Secondary { retry_after } => Some(now + retry_after.unwrap_or(MINUTE).min(MINUTE * 60)),
        Answer::Answered
        | Answer::Unchanged
        | Answer::ServerError { .. }
        | Answer::Nothing
        | Answer::NotSent => None,
    }
}

/// A time of the server by this host's clock, within the next hour.
fn local(at: Timestamp, heard: &Heard, now: Timestamp) -> Timestamp {
    let ahead = at.duration_since(heard.date.unwrap_or(now));
    now + ahead.clamp(SignedDuration::from_secs(1), MINUTE * 61)
}

/// What a classic token may do, where an answer says so: fine-grained tokens and apps have no scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scopes {
    /// All repositories.
    Repo,
    /// Public ones.
    PublicRepo,
    /// None.
    Neither,
}

impl Scopes {
    /// Reads the header of an answer.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let scopes = response.header("x-oauth-scopes")?;
        let has = |wanted: &str| scopes.split(',').any(|scope| scope.trim() == wanted);
        Some(match (has("repo"), has("public_repo")) {
            (true, _) => Self::Repo,
            (false, true) => Self::PublicRepo,
            (false, false) => Self::Neither,
        })
    }
}

/// The right that a refused call lacks, where headers tell.
pub(super) fn missing_right(response: &Response) -> Option<Refusal> {
    if response.header("x-github-sso").is_some_and(|value| value.starts_with("required")) {
        return Some(Refusal::SsoRequired);
    }
    if Scopes::of(response) == Some(Scopes::Neither) {
        return Some(Refusal::NoScope(Scope::Repo));
    }
    // Fine-grained tokens and apps: what would have been accepted, such as `issues=write; contents=read`.
    let accepted = response.header("x-accepted-github-permissions").filter(|_| response.status == 403)?;
    let first = accepted.split([';', ',']).next()?.split('=').next()?.trim();
    Some(Refusal::NoScope(match first {
        "contents" => Scope::Contents,
        "issues" => Scope::Issues,
        "pull_requests" => Scope::PullRequests,
        "statuses" => Scope::Statuses,
        "checks" => Scope::Checks,
        "metadata" => Scope::Metadata,
        "administration" => Scope::Administration,
        "workflows" => Scope::Workflow,
        _ => Scope::Other,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::governor::Resource;

    fn fault(status: u16, headers: &[(&str, &str)], body: &str) -> Fault {
        let response = Response {
            status,
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
        };
        let mut heard = Heard::read(Resource::Rest, status, |name| response.header(name));
        of_status(Kind::Write, &response, &mut heard, Timestamp::UNIX_EPOCH).unwrap_err()
    }

    fn after(seconds: i64) -> Fault {
        Fault::Later(Timestamp::from_second(seconds).unwrap())
    }

    #[test]
    fn refusals_are_told_apart_by_structure() {
        assert_eq!(fault(401, &[], ""), Fault::Refused(Refusal::BadCredential));
        assert_eq!(fault(403, &[], ""), Fault::No(No::Forbidden));
        assert_eq!(fault(404, &[("x-oauth-scopes", "repo, gist")], ""), Fault::No(No::Missing));
        assert_eq!(fault(404, &[("x-oauth-scopes", "")], ""), Fault::Refused(Refusal::NoScope(Scope::Repo)));
        let sso = [("x-github-sso", "required; url=https://github.com/orgs/acme/sso")];
        assert_eq!(fault(403, &sso, ""), Fault::Refused(Refusal::SsoRequired));
        let fine = [("x-accepted-github-permissions", "issues=write; pull_requests=write")];
        assert_eq!(fault(403, &fine, ""), Fault::Refused(Refusal::NoScope(Scope::Issues)));
        assert_eq!(fault(410, &[], ""), Fault::No(No::Gone));
        assert_eq!(fault(422, &[], "{\"message\":\"x\"}"), Fault::No(No::Invalid));
        assert!(matches!(fault(502, &[], "<html>"), Fault::Unclear(_)));
    }

    #[test]
    fn limits_are_a_pause_and_no_refusal() {
        assert_eq!(fault(403, &[("retry-after", "30")], ""), after(30));
        assert_eq!(fault(429, &[], ""), after(60));
        let used_up =
            [("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")];
        assert_eq!(fault(403, &used_up, ""), after(900));
        let secondary = r#"{"message":"x","documentation_url":"https://docs.github.com/rest/overview/rate-limits#about"}"#;
        assert_eq!(fault(403, &[], secondary), after(60));
    }
}

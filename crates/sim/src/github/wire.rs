//! The wire of a simulated process to the simulated GitHub: requests go out, are counted and judged, and come back, or do not.

use super::{
    Reply,
    account::{Passage, Sort, Way},
    queries, rest,
    writes::{self, Doing},
};
use crate::{
    canary,
    executor::{Micros, SECOND, held, stamp},
    gate::Port,
    nature,
    violation::Invariant,
    world::Me,
};
use banksman_core::text::RepoName;
use banksman_forge::github::transport::{Kind, Request, Response, SendError, Transport, Verb};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Steps under way, by repository: one actor each, which may do several things at a time.
pub(super) type Steps = Arc<Mutex<BTreeMap<RepoName, Vec<Doing>>>>;

/// Calls in whose bodies words of strangers may stand (S8): issues from a report, checklists, titles, threads of reviews.
const SLOTS: [&str; 6] = ["create_issue", "edit_body", "open_pull", "review", "thread", "file_thread"];
/// Calls that make content.
const CONTENT: [&str; 8] =
    ["create_issue", "comment", "edit_body", "open_pull", "review", "thread", "file_thread", "verdict"];

/// The wire.
pub(super) struct Wire {
    pub(super) me: Me,
    pub(super) doing: Steps,
}

/// What goes wrong before anything was done.
#[derive(Debug, Clone, Copy)]
enum Before {
    NotSent,
    Status(u16),
    RetryAfter(u16),
    Secondary,
    Limited,
}

impl Wire {
    fn graphql(request: &Request) -> Way {
        if request.path == "/graphql" { Way::Graphql } else { Way::Rest }
    }

    /// Nothing that strangers wrote goes out but in its slots (S9).
    fn watch(&self, request: &Request) {
        if leaks(request) {
            let what = format!("a canary in the request {}", request.operation);
            self.me.shared.with(|u| u.violated(Invariant::NoCanary, what));
        }
    }

    /// Does what is asked for; the repository that changed, if one did.
    fn answer(&self, request: &Request) -> (Reply, Option<RepoName>) {
        let body: Value =
            request.body.as_deref().and_then(|b| serde_json::from_slice(b).ok()).unwrap_or_default();
        if request.path == "/graphql" {
            let vars = &body["variables"];
            if request.kind == Kind::Read {
                return (self.me.shared.with(|u| queries::answer(u, request.operation, vars)), None);
            }
            let id = ["labelableId", "threadId", "pullRequestId", "repositoryId"];
            let id = id.iter().find_map(|key| vars["input"][key].as_str());
            let repo = id.and_then(super::parts_of).map(|(_, repo, _)| repo);
            let doing = repo.and_then(|repo| held(&self.doing).get(&repo).cloned()).unwrap_or_default();
            return self.me.shared.with(|u| writes::mutate(u, request.operation, vars, &doing));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if request.operation == "account" {
            return (rest::account(path), None);
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let ["repos", owner, name, inside @ ..] = parts.as_slice() else { return (Reply::no(404), None) };
        let Ok(repo) = RepoName::new(&format!("{owner}/{name}")) else { return (Reply::no(404), None) };
        if request.verb == Verb::Get {
            return (self.me.shared.with(|u| rest::read(u, request.operation, &repo, inside, query)), None);
        }
        let mut doing = held(&self.doing);
        let doing = doing.entry(repo.clone()).or_default();
        let reply = self.me.shared.with(|u| writes::write(u, request.operation, &repo, inside, &body, doing));
        (reply, Some(repo))
    }

    fn before(&self) -> Before {
        use Before as B;
        self.me.shared.kernel.draw(|c| {
            *c.pick(&[
                B::NotSent,
                B::Status(500),
                B::Status(502),
                B::RetryAfter(503),
                B::RetryAfter(429),
                B::Secondary,
                B::Limited,
            ])
        })
    }

    /// An answer that says that nothing was done.
    fn trouble(&self, way: Way) -> Result<Response, SendError> {
        let now = self.me.shared.kernel.now();
        let text = || json!({ "message": canary::text("message") });
        let (status, body, header) = match self.before() {
            Before::NotSent => return Err(SendError::NotSent),
            Before::Status(status) => (status, text(), None),
            Before::RetryAfter(status) => (status, text(), Some("20")),
            Before::Secondary => {
                let address = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#secondary";
                (403, json!({ "message": canary::text("message"), "documentation_url": address }), None)
            }
            Before::Limited => match way {
                Way::Graphql => (200, Reply::error("RATE_LIMITED").body, None),
                Way::Rest => (429, text(), None),
            },
        };
        let mut headers = plain_headers(now);
        headers.extend(header.map(|seconds| ("retry-after".to_owned(), seconds.to_owned())));
        Ok(Response { status, headers, body: body.to_string().into_bytes() })
    }
}

/// A tag of an answer: FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Whether words of strangers go out elsewhere than in their slots.
fn leaks(request: &Request) -> bool {
    let body = request.body.as_deref().unwrap_or_default();
    canary::sings(request.path.as_bytes())
        || request.headers.iter().any(|(_, value)| canary::sings(value.as_bytes()))
        || (canary::sings(body) && !SLOTS.contains(&request.operation))
}

fn plain_headers(now: Micros) -> Vec<(String, String)> {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&stamp(now));
    let mut headers = vec![
        ("x-github-request-id".to_owned(), canary::text("header")),
        ("server".to_owned(), canary::text("server")),
    ];
    headers.extend(date.ok().map(|date| ("date".to_owned(), date)));
    headers
}

impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let (shared, operation) = (&self.me.shared, request.operation);
        self.watch(&request);
        let way = Self::graphql(&request);
        if self.me.before(Port::Forge, operation).await.is_err() {
            return self.trouble(way);
        }
        let now = shared.kernel.now();
        let sort = if CONTENT.contains(&operation) { Sort::Content } else { Sort::Other };
        let (passage, budget) = shared.with(|u| u.github.count(now, way, sort));
        let (mut reply, changed) = match passage {
            Passage::Free => {
                let began = Instant::now();
                let answer = self.answer(&request);
                let taken = began.elapsed();
                shared.with(|u| {
                    u.github.asked.theirs += taken;
                    match way {
                        Way::Graphql => u.github.asked.graphql += 1,
                        Way::Rest => u.github.asked.rest += 1,
                    }
                });
                answer
            }
            Passage::UsedUp | Passage::TooMuch => {
                shared.with(|u| u.see("github: a limit was hit"));
                (Reply::no(403), None)
            }
        };
        let reset = stamp(budget.reset);
        let mut headers = plain_headers(now);
        let resource = if way == Way::Graphql { "graphql" } else { "core" };
        for (name, value) in [
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", budget.left().to_string()),
            ("x-ratelimit-reset", reset.as_second().to_string()),
            ("x-ratelimit-resource", resource.to_owned()),
        ] {
            headers.push((name.to_owned(), value));
        }
        if passage == Passage::TooMuch {
            headers.push(("retry-after".to_owned(), "60".to_owned()));
        }
        if way == Way::Graphql && request.kind == Kind::Read && reply.body["data"].is_object() {
            let rate =
                json!({ "cost": 1, "limit": 5000, "remaining": budget.left(), "resetAt": reset.to_string() });
            reply.body["data"]["rateLimit"] = rate;
        }
        let mut body = reply.body.to_string().into_bytes();
        if request.verb == Verb::Get {
            let tag = format!("\"{:016x}\"", hash(&body));
            if request.headers.iter().any(|(name, value)| *name == "if-none-match" && *value == tag) {
                shared.with(|u| {
                    u.github.asked.rest = u.github.asked.rest.saturating_sub(1);
                    u.github.asked.unchanged += 1;
                });
                reply.status = 304;
                body.clear();
            }
            headers.push(("etag".to_owned(), tag));
        }
        shared.note(self.me.process, "github", u64::from(reply.status), || {
            format!("{operation} -> {}", reply.status)
        });
        if let Some(repo) = changed {
            self.me.changed();
            nature::stir(shared, &repo);
        }
        if self.me.after(Port::Forge, operation).await.is_err() {
            match shared.kernel.draw(|c| c.below(3)) {
                0 => return Err(SendError::NoAnswer),
                1 => body.truncate(body.len() / 2),
                _ => {
                    let body = canary::text("gateway").into_bytes();
                    return Ok(Response { status: 502, headers: plain_headers(now), body });
                }
            }
        }
        Ok(Response { status: reply.status, headers, body })
    }

    async fn pause(&self, how_long: Duration) {
        let time = Micros::try_from(how_long.as_micros()).unwrap_or(SECOND);
        self.me.shared.kernel.sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: &'static str, path: &str, body: &str) -> Request {
        Request {
            verb: Verb::Post,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Some(body.as_bytes().to_vec()),
            kind: Kind::Write,
            operation,
        }
    }

    #[test]
    fn a_request_that_leaks_is_caught_in_any_clothes() {
        let word = canary::text("x");
        let escaped = serde_json::to_string(&word).unwrap();
        for leak in [word.as_str(), &escaped, "S2FuYXJpZW52b2dlbA=="] {
            assert!(leaks(&request("comment", "/repos/a/b/issues/1/comments", leak)), "{leak}");
            assert!(leaks(&request("create_issue", &format!("/repos/a/b/issues?{leak}"), "")), "{leak}");
        }
        let mut in_header = request("open_issues", "/x", "");
        in_header.headers.push(("if-none-match", word.clone()));
        assert!(leaks(&in_header));
        assert!(!leaks(&request("create_issue", "/repos/a/b/issues", &word)), "its slot");
        assert!(!leaks(&request("comment", "/repos/a/b/issues/1/comments", "Can you fix the code reviews?")));
    }
}

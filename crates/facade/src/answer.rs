//! What every answer carries: request id, rate limits as headers, scopes, and an entity tag, by which an unchanged answer is not
//! sent twice. Limits are counted and shown; nobody is turned away.

use crate::{Facade, caller::Caller, problem::Problem};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What a token may do here: everything.
const SCOPES: &str = "gist, read:org, repo, workflow";
/// Most bytes of an answer.
const MOST: usize = 64 << 20;

/// Counts of the running hour, and of all answers.
#[derive(Default)]
pub(crate) struct Answers {
    sent: AtomicU64,
    core: Window,
    graphql: Window,
    search: Window,
}

/// What was used of a limit in the running hour.
#[derive(Default)]
pub(crate) struct Window(Mutex<(i64, u64)>);

/// A limit as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// How much there is in an hour.
    pub(crate) limit: u64,
    /// How much of it is gone.
    pub(crate) used: u64,
    /// When the next hour begins, in seconds since 1970.
    pub(crate) reset: i64,
}

impl Limit {
    /// What is left; never less than nothing.
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

impl Window {
    /// Uses so much at that time.
    pub(crate) fn spend(&self, points: u64, now: Timestamp, limit: u64) -> Limit {
        let hour = now.as_second().div_euclid(3600);
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != hour {
            *window = (hour, 0);
        }
        window.1 += points;
        Limit { limit, used: window.1, reset: (hour + 1) * 3600 }
    }
}

impl Answers {
    /// The limits at that time: of REST, GraphQL and search.
    pub(crate) fn limits(&self, now: Timestamp) -> [(&'static str, Limit); 3] {
        [
            ("core", self.core.spend(0, now, 5000)),
            ("graphql", self.graphql.spend(0, now, 5000)),
            ("search", self.search.spend(0, now, 1800)),
        ]
    }

    /// Points of a GraphQL query.
    pub(crate) fn spend_points(&self, points: u64, now: Timestamp) -> Limit {
        self.graphql.spend(points, now, 5000)
    }
}

/// Wraps routes so that their answers carry all that, and their handlers find out who asks.
pub(crate) fn dress(routes: Router<Arc<Facade>>, facade: &Arc<Facade>) -> Router<Arc<Facade>> {
    routes.layer(middleware::from_fn_with_state(Arc::clone(facade), around))
}

async fn around(State(facade): State<Arc<Facade>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let git = crate::git::is_for_git(&path);
    let tags: Vec<String> = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|tag| tag.trim().trim_start_matches("W/").to_owned()))
        .collect();
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = match Caller::of(&facade, request.headers(), request.uri()).await {
        Ok(caller) => {
            request.extensions_mut().insert(Arc::new(caller));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    if git {
        return answer;
    }
    let mut answer = if reading && answer.status() == StatusCode::OK {
        tag(answer, &tags).await
    } else {
        in_githubs_words(answer)
    };
    let now = (facade.now)();
    let spent = u64::from(answer.status() != StatusCode::NOT_MODIFIED);
    let (resource, limit) = match path.trim_start_matches("/api/v3") {
        "/graphql" | "/api/graphql" => ("graphql", facade.answers.spend_points(0, now)),
        "/rate_limit" => ("core", facade.answers.core.spend(0, now, 5000)),
        path if path.starts_with("/search/") => ("search", facade.answers.search.spend(spent, now, 1800)),
        _ => ("core", facade.answers.core.spend(spent, now, 5000)),
    };
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let number = facade.answers.sent.fetch_add(1, Ordering::Relaxed);
    let headers = answer.headers_mut();
    say(headers, "date", &date);
    say(headers, "x-ratelimit-limit", &limit.limit.to_string());
    say(headers, "x-ratelimit-remaining", &limit.remaining().to_string());
    say(headers, "x-ratelimit-used", &limit.used.to_string());
    say(headers, "x-ratelimit-reset", &limit.reset.to_string());
    say(headers, "x-ratelimit-resource", resource);
    say(headers, "x-github-request-id", &format!("{:08X}:{number:08X}", std::process::id()));
    say(headers, "x-github-media-type", "github.v3; format=json");
    say(headers, "x-github-api-version-selected", "2022-11-28");
    say(headers, "x-oauth-scopes", SCOPES);
    say(headers, "x-accepted-oauth-scopes", "repo");
    say(headers, "x-content-type-options", "nosniff");
    say(headers, "cache-control", "private, no-cache");
    answer
}

/// Adds a header; one of a wrong shape is left out.
pub(crate) fn say(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Errors of the server around the handlers, such as a method that nobody has or a body that is too large, look like all others.
fn in_githubs_words(answer: Response) -> Response {
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if status.as_u16() < 400 || kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return answer;
    }
    Problem::new(status, status.canonical_reason().unwrap_or("Error")).into_response()
}

/// Gives an answer its entity tag; one that the client has already goes out without its body.
async fn tag(answer: Response, known: &[String]) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, MOST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(&bytes)[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    say(&mut parts.headers, "etag", &format!("W/{tag}"));
    if known.contains(&tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

//! `/api/v2/write` and `/write`: takes in line protocol as InfluxDB does, so that scripts that post it there can be pointed here (D5). Good
//! lines are kept even where others are bad; what is no point of the three measurements is refused and never stored.

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use banksman_core::{
    port::{StoreError, Training, training::Outlet},
    training::{
        BadPoint, Point,
        line_protocol::{Lines, Precision},
    },
};
use banksman_tracker::serve::Hosts;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// Largest body, in bytes: some 50,000 lines.
const LARGEST: usize = 16 * 1024 * 1024;
/// Bodies at a time; further ones wait.
const AT_ONCE: usize = 8;
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bad lines that are told one by one.
const TOLD: usize = 20;

/// Takes in lines.
pub(super) struct WriteDoor<S> {
    store: S,
    outlet: Arc<dyn Outlet>,
    /// Hash of the token, so that comparing takes the same time however much of it is right.
    token: [u8; 32],
    hosts: Hosts,
    now: fn() -> Timestamp,
    room: Semaphore,
}

impl<S: Training> WriteDoor<S> {
    /// Into this store, and on to the sinks, for whoever has the token and calls by one of these names.
    pub(super) fn new(
        store: S,
        outlet: Arc<dyn Outlet>,
        token: &str,
        hosts: Hosts,
        now: fn() -> Timestamp,
    ) -> Self {
        let token = Sha256::digest(token).into();
        Self { store, outlet, token, hosts, now, room: Semaphore::new(AT_ONCE) }
    }

    /// Whether a request may come in; nothing of its body was read yet.
    fn check(&self, headers: &HeaderMap, asked: &Asked) -> Result<(), Refused> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if !text(header::HOST).is_some_and(|host| self.hosts.has(host)) {
            return Err(Refused::WrongHost);
        }
        if let Some(origin) = headers.get(header::ORIGIN) {
            // A page may call only if it came from here.
            let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            if !host.is_some_and(|(_, host)| self.hosts.has(host)) {
                return Err(Refused::WrongHost);
            }
        }
        let given = text(header::AUTHORIZATION).and_then(credential).or_else(|| asked.p.clone());
        let given: [u8; 32] = Sha256::digest(given.unwrap_or_default()).into();
        let differing = given.iter().zip(&self.token).fold(0, |differing, (a, b)| differing | (a ^ b));
        if differing != 0 {
            return Err(Refused::Unauthorized);
        }
        match text(header::CONTENT_ENCODING) {
            None | Some("identity" | "") => {}
            Some(_) => return Err(Refused::Encoding),
        }
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > LARGEST) { Err(Refused::TooLarge) } else { Ok(()) }
    }

    async fn take(&self, headers: &HeaderMap, asked: &Asked, body: Body) -> Result<(), Refused> {
        self.check(headers, asked)?;
        let precision = match asked.precision.as_deref() {
            None | Some("") => Precision::default(),
            Some(word) => word.parse().map_err(|_| Refused::Precision)?,
        };
        // It is never closed.
        let _place = self.room.acquire().await.ok();
        let body = timeout(PATIENCE, to_bytes(body, LARGEST)).await.map_err(|_| Refused::TooSlow)?;
        let body = body.map_err(|_| Refused::TooLarge)?;
        let now = (self.now)();
        let read = tokio::task::spawn_blocking(move || read(&body, precision, now)).await;
        let Read { points, bad, bad_lines } = read.map_err(|_| Refused::Store(StoreError::Away))?;
        let kept = points.len();
        if kept > 0 {
            // Sinks get their own copy only where there are any.
            self.outlet.recorded(&points);
            self.store.record_points(points).await.map_err(Refused::Store)?;
        }
        if bad_lines == 0 { Ok(()) } else { Err(Refused::BadLines { bad, bad_lines, kept }) }
    }
}

/// The token in a header: `Token T` as InfluxDB 2 has it, `Bearer T`, or the password of a name.
fn credential(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        // `Token name:password` is how version 1 is called through version 2.
        "token" => {
            Some(rest.trim().rsplit_once(':').map_or(rest.trim(), |(_, password)| password).to_owned())
        }
        "bearer" => Some(rest.trim().to_owned()),
        "basic" => {
            let decoded = BASE64_STANDARD.decode(rest.trim()).ok()?;
            let text = String::from_utf8(decoded).ok()?;
            text.split_once(':').map(|(_, password)| password.to_owned())
        }
        _ => None,
    }
}

/// What the lines of a body came to.
struct Read {
    points: Vec<Point>,
    /// The first bad lines.
    bad: Vec<(usize, BadPoint)>,
    bad_lines: usize,
}

fn read(body: &Bytes, precision: Precision, now: Timestamp) -> Read {
    // Bytes that are no UTF-8 become a character that no point has, so that their line is refused.
    let text = String::from_utf8_lossy(body);
    let mut read = Read { points: Vec::new(), bad: Vec::new(), bad_lines: 0 };
    for entry in Lines::new(&text, precision) {
        match entry.line.map_err(BadPoint::from).and_then(|line| Point::from_line(&line, now)) {
            Ok(point) => read.points.push(point),
            Err(error) => {
                read.bad_lines += 1;
                if read.bad.len() < TOLD {
                    read.bad.push((entry.number, error));
                }
            }
        }
    }
    read
}

/// Parameters that matter; others, such as organisation, bucket and database, do not.
#[derive(Deserialize, Default)]
struct Asked {
    precision: Option<String>,
    /// The password of version 1.
    p: Option<String>,
}

/// Why a request was not taken as a whole. Nothing of the request is repeated.
#[derive(Debug)]
enum Refused {
    Unauthorized,
    WrongHost,
    Encoding,
    TooLarge,
    TooSlow,
    Precision,
    BadLines { bad: Vec<(usize, BadPoint)>, bad_lines: usize, kept: usize },
    Store(StoreError),
}

/// An error as InfluxDB writes it: `code` and `message` of version 2, `error` of version 1.
#[derive(Serialize)]
struct ErrorBody {
    code: &'static str,
    message: String,
    error: String,
    /// The first bad line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The first bad lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<LineError>,
}

#[derive(Serialize)]
struct LineError {
    line: usize,
    message: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (mut line, mut lines) = (None, Vec::new());
        let (status, code, message) = match self {
            Self::Unauthorized => {
                let message = "unauthorized: the token of this server is needed, `Authorization: Token ...`";
                (StatusCode::UNAUTHORIZED, "unauthorized", message.to_owned())
            }
            Self::WrongHost => {
                let message = "this server does not have that name";
                (StatusCode::MISDIRECTED_REQUEST, "invalid", message.to_owned())
            }
            Self::Encoding => {
                let message = "the body may not be compressed: send it without Content-Encoding";
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid", message.to_owned())
            }
            Self::TooLarge => {
                let message =
                    format!("the body is larger than {} MiB: send fewer lines", LARGEST / 1_048_576);
                (StatusCode::PAYLOAD_TOO_LARGE, "request too large", message)
            }
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "unavailable", "the body took too long to come".to_owned())
            }
            Self::Precision => {
                (StatusCode::BAD_REQUEST, "invalid", "the precision is ns, us, ms or s".to_owned())
            }
            Self::BadLines { bad, bad_lines, kept } => {
                line = bad.first().map(|(number, _)| *number);
                lines = bad
                    .into_iter()
                    .map(|(line, error)| LineError { line, message: error.to_string() })
                    .collect();
                let mut message = format!(
                    "partial write: {bad_lines} of {} lines are bad, {kept} were kept",
                    bad_lines + kept
                );
                for LineError { line, message: error } in &lines {
                    message.push_str(&format!("; line {line}: {error}"));
                }
                if bad_lines > lines.len() {
                    message.push_str("; and more");
                }
                (StatusCode::BAD_REQUEST, "invalid", message)
            }
            Self::Store(StoreError::Full) => (
                StatusCode::INSUFFICIENT_STORAGE,
                "unavailable",
                "the disk is full: nothing was kept".to_owned(),
            ),
            Self::Store(error) => {
                tracing::error!(%error, "points cannot be stored");
                let message = "the store cannot be used now: nothing was kept, send it again later";
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", message.to_owned())
            }
        };
        let error = message.clone();
        (status, Json(ErrorBody { code, message, error, line, lines })).into_response()
    }
}

async fn write<S: Training + 'static>(
    State(door): State<Arc<WriteDoor<S>>>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<StatusCode, Refused> {
    let (parts, body) = request.into_parts();
    door.take(&parts.headers, &asked, body).await.map(|()| StatusCode::NO_CONTENT)
}

/// The two paths.
pub(super) fn router<S: Training + 'static>(door: WriteDoor<S>) -> Router {
    Router::new()
        .route("/api/v2/write", post(write::<S>))
        .route("/write", post(write::<S>))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Arc::new(door))
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::{
        port::training::PointQuery,
        training::{Kind, Measured},
    };
    use banksman_store::SqliteStore;

    const GOOD: &str =
        "outcome,repo=acme_shop,pr=7 result=\"success\",detail=\"merged_clean\",resolution_hours=1.5";

    fn door(store: &SqliteStore) -> WriteDoor<SqliteStore> {
        let hosts = Hosts::of([127, 0, 0, 1].into(), []);
        WriteDoor::new(store.clone(), Arc::new(()), "secret", hosts, || Timestamp::UNIX_EPOCH)
    }

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost:7878".parse().unwrap());
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        headers
    }

    async fn told(refused: Refused) -> (u16, serde_json::Value) {
        let response = refused.into_response();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 100_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn good_lines_are_kept_and_bad_ones_told_by_number() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
        let body =
            format!("{GOOD} 1\n# comment\ncanary\n{GOOD} 2\n{GOOD},title=\"canary\" 3\ncanary,x=1 a=1\n");
        let taken = door(&store).take(&headers("Token secret"), &Asked::default(), Body::from(body)).await;
        let (status, error) = told(taken.unwrap_err()).await;
        assert_eq!(status, 400);
        assert_eq!((&error["code"], &error["line"]), (&"invalid".into(), &3.into()));
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("partial write: 3 of 5 lines are bad, 2 were kept; line 3: "),
            "{message}"
        );
        assert!(message.contains("line 5: unknown field; line 6: unknown measurement"), "{message}");
        assert!(!error.to_string().contains("canary"), "{error}");
        let kept = store.points(&PointQuery::all(Kind::Outcome, 10)).await.unwrap();
        assert_eq!(kept.iter().map(|point| point.nanos()).collect::<Vec<_>>(), [1, 2]);
        assert!(matches!(&kept[0].measured, Measured::Outcome(outcome) if outcome.resolution_hours == 1.5));
    }

    #[tokio::test]
    async fn only_the_token_opens_the_door() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
        let door = door(&store);
        let asked = |p: Option<&str>| Asked { precision: Some("s".to_owned()), p: p.map(str::to_owned) };
        let basic = format!("Basic {}", BASE64_STANDARD.encode("me:secret"));
        for (authorization, p) in [
            ("Token secret", None),
            ("bearer secret", None),
            (basic.as_str(), None),
            ("none", Some("secret")),
        ] {
            let taken = door.take(&headers(authorization), &asked(p), Body::from(GOOD)).await;
            assert!(taken.is_ok(), "{authorization}");
        }
        for (authorization, p) in
            [("Token", None), ("Token secre", None), ("Basic ???", None), ("x", Some(""))]
        {
            let refused = door.take(&headers(authorization), &asked(p), Body::from(GOOD)).await.unwrap_err();
            assert_eq!(told(refused).await.0, 401, "{authorization}");
        }
        let mut foreign = headers("Token secret");
        foreign.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        let refused = door.take(&foreign, &asked(None), Body::from(GOOD)).await.unwrap_err();
        assert_eq!(told(refused).await.0, 421);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
        let door = door(&store);
        let mut packed = headers("Token secret");
        packed.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        let refused = door.take(&packed, &Asked::default(), Body::from(GOOD)).await.unwrap_err();
        assert_eq!(told(refused).await.0, 415);
        let fast = Asked { precision: Some("fortnights".to_owned()), p: None };
        let refused = door.take(&headers("Token secret"), &fast, Body::from(GOOD)).await.unwrap_err();
        assert_eq!(told(refused).await.0, 400);
        let large = Body::from(vec![b'x'; LARGEST + 1]);
        let refused = door.take(&headers("Token secret"), &Asked::default(), large).await.unwrap_err();
        assert_eq!(told(refused).await.0, 413);
        assert!(door.take(&headers("Token secret"), &Asked::default(), Body::empty()).await.is_ok());
    }
}

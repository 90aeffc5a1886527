//! A server of repositories on loopback: git's own `http-backend` behind a check of the credential, with faults on demand.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use banksman_engine::{AskCredential, Credential, HttpsRemote, NoCredential, RemoteUrl};
use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command, task::JoinHandle};

/// What the server does with a request that has the right credential.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    /// Answers it.
    Fair,
    /// Refuses it, whoever asks.
    Forbidding,
    /// Breaks down as often as this, then answers.
    Failing(u32),
    /// Sends everybody elsewhere.
    Redirecting(String),
}

/// A running server; ends with the test.
pub(crate) struct Server {
    pub(crate) address: String,
    state: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    root: Mutex<PathBuf>,
    mood: Mutex<Mood>,
    /// How many tokens were given out; the newest alone is taken.
    issued: AtomicU32,
    requests: AtomicU32,
    /// Command lines on which a token stood while a request was answered.
    seen: Mutex<Vec<String>>,
}

/// Every token begins so.
pub(crate) const TOKEN: &str = "ghs_canary";

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Shared {
            root: Mutex::default(),
            mood: Mutex::new(mood),
            issued: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            seen: Mutex::default(),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, state, task }
    }

    /// Serves the repositories in a folder.
    pub(crate) fn serve(&self, root: PathBuf) {
        *self.state.root.lock().unwrap() = root;
    }

    /// A repository in that folder, with a new token at each command.
    pub(crate) fn remote(&self, name: &str) -> HttpsRemote {
        let state = Arc::clone(&self.state);
        self.remote_with(
            name,
            Arc::new(move || {
                let number = state.issued.fetch_add(1, Ordering::SeqCst) + 1;
                Box::pin(async move { Credential::token(&format!("{TOKEN}{number}")).ok_or(NoCredential) })
            }),
        )
    }

    pub(crate) fn remote_with(&self, name: &str, ask: AskCredential) -> HttpsRemote {
        HttpsRemote::new(RemoteUrl::new(&format!("{}/{name}", self.address)).unwrap(), ask)
    }

    pub(crate) fn requests(&self) -> u32 {
        self.state.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.seen.lock().unwrap().clone()
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }
}

async fn answer(State(state): State<Arc<Shared>>, request: Request) -> Response {
    state.requests.fetch_add(1, Ordering::SeqCst);
    state.seen.lock().unwrap().extend(command_lines_with_a_token());
    let wanted = format!("x-access-token:{TOKEN}{}", state.issued.load(Ordering::SeqCst));
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| decode(value.strip_prefix("Basic ")?)) != Some(wanted) {
        let realm = [(header::WWW_AUTHENTICATE, "Basic realm=\"test\"")];
        return (StatusCode::UNAUTHORIZED, realm).into_response();
    }
    let mood = {
        let mut mood = state.mood.lock().unwrap();
        let now = mood.clone();
        if let Mood::Failing(times) = &mut *mood {
            *times = times.saturating_sub(1);
        }
        now
    };
    match mood {
        Mood::Fair | Mood::Failing(0) => backend(&state, request).await,
        Mood::Failing(_) => StatusCode::BAD_GATEWAY.into_response(),
        Mood::Forbidding => StatusCode::FORBIDDEN.into_response(),
        Mood::Redirecting(to) => {
            let path = request.uri().path_and_query().map_or("", |path| path.as_str());
            (StatusCode::FOUND, [(header::LOCATION, format!("{to}{path}"))]).into_response()
        }
    }
}

/// Runs the program as a web server would (RFC 3875).
async fn backend(state: &Shared, request: Request) -> Response {
    let root = state.root.lock().unwrap().clone();
    let text = |headers: &HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 64 << 20).await.unwrap();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "test")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text(&head.headers, "content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text(&head.headers, "content-encoding"))
        .env("GIT_PROTOCOL", text(&head.headers, "git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (_, out) = tokio::join!(
        async move {
            // A request that is refused is not read to its end.
            let _ = stdin.write_all(&body).await;
        },
        child.wait_with_output()
    );
    let out = out.unwrap().stdout;
    let end = out.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&out[..end]).lines() {
        match line.split_once(": ").unwrap() {
            ("Status", status) => response = response.status(&status[..3]),
            (name, value) => response = response.header(name, value),
        }
    }
    response.body(Body::from(out[end + 4..].to_vec())).unwrap()
}

fn command_lines_with_a_token() -> Vec<String> {
    let lines =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|e| fs::read(e.path().join("cmdline")).ok());
    let coded = |line: &str| line.contains(TOKEN) || line.contains("Authorization");
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).filter(|line| coded(line)).collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bits = (0u32, 0u32);
    let mut bytes = Vec::new();
    for c in text.trim_end_matches('=').bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits.0 << 6 | u32::from(value), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push((bits.0 >> bits.1) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

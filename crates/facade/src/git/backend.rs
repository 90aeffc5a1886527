//! One run of `git http-backend`: a CGI program that reads the request's body and writes headers and answer. Both are passed on as
//! they come; nothing is held in memory as a whole.

use crate::problem::Problem;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use futures_util::{StreamExt, stream};
use std::{future::Future, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// Longest time without a sign of life.
pub(super) const QUIET: Duration = Duration::from_secs(120);
/// Most bytes of the program's headers.
const MOST_HEADERS: usize = 64 << 10;
/// Bytes that are passed on at one time.
const CHUNK: usize = 64 << 10;

/// Settings that no file may override. A push into a branch that is checked out somewhere is refused; so is a pack with broken
/// objects.
const SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "safe.directory=*",
    "http.receivepack=true",
    "receive.denyCurrentBranch=refuse",
    "receive.denyDeleteCurrent=refuse",
    "receive.fsckObjects=true",
    "receive.autogc=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// What is asked of git.
pub(super) struct Ask {
    /// The folder with objects and branches.
    pub(super) place: PathBuf,
    pub(super) method: Method,
    /// Below the repository.
    pub(super) path: &'static str,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
}

/// Runs it.
pub(super) async fn run(ask: Ask, body: Body) -> Result<Response, Problem> {
    run_then(ask, body, async {}).await
}

/// Runs it; `then` is done when it has ended, whether somebody still reads the answer or not.
pub(super) async fn run_then(
    ask: Ask,
    body: Body,
    then: impl Future<Output = ()> + Send + 'static,
) -> Result<Response, Problem> {
    let failed = |_| Problem::new(StatusCode::BAD_GATEWAY, "Git failed");
    let mut child = command(&ask)?.spawn().map_err(failed)?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Problem::new(StatusCode::BAD_GATEWAY, "Git failed"));
    };
    let mut body = body.into_data_stream();
    // Owned by the child: it ends when the child closes its input.
    let feeding = tokio::spawn(async move {
        while let Ok(Some(Ok(chunk))) = timeout(QUIET, body.next()).await {
            if !matches!(timeout(QUIET, input.write_all(&chunk)).await, Ok(Ok(()))) {
                return;
            }
        }
    });
    let mut output = BufReader::with_capacity(CHUNK, output);
    let parsed = timeout(QUIET, headers(&mut output)).await.ok().and_then(Result::ok);
    let Some((status, headers)) = parsed else {
        feeding.abort();
        return Err(Problem::new(StatusCode::BAD_GATEWAY, "Git failed"));
    };
    let running = Running { child, feeding, output, then: Some(Box::pin(then)) };
    let answer = stream::unfold(running, Running::next);
    let mut response = Response::new(Body::from_stream(answer));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A program whose answer is being read.
struct Running {
    child: Child,
    feeding: tokio::task::JoinHandle<()>,
    output: BufReader<ChildStdout>,
    then: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Running {
    /// The next part of the answer. The last one is followed by the end of the program and by what is to be done then, so that a
    /// client that has its answer finds everything done.
    async fn next(mut self) -> Option<(std::io::Result<Vec<u8>>, Self)> {
        let mut chunk = vec![0; CHUNK];
        match timeout(QUIET, self.output.read(&mut chunk)).await {
            Ok(Ok(0)) => {
                let _ = timeout(QUIET, self.child.wait()).await;
                if let Some(then) = self.then.take() {
                    then.await;
                }
                None
            }
            Ok(Ok(read)) => {
                chunk.truncate(read);
                Some((Ok(chunk), self))
            }
            Ok(Err(error)) => Some((Err(error), self)),
            Err(late) => Some((Err(late.into()), self)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.feeding.abort();
    }
}

fn command(ask: &Ask) -> Result<Command, Problem> {
    let mut command = Command::new("git");
    command.arg("--no-replace-objects");
    for setting in SETTINGS {
        command.arg("-c").arg(setting);
    }
    let root = ask.place.parent().ok_or_else(Problem::not_found)?;
    let name = ask.place.file_name().and_then(|name| name.to_str()).ok_or_else(Problem::not_found)?;
    command
        .arg("http-backend")
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("LC_ALL", "C")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("PATH_INFO", format!("/{name}{}", ask.path))
        .env("REQUEST_METHOD", ask.method.as_str())
        .env("QUERY_STRING", &ask.query)
        .env("REMOTE_USER", "banksman")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let passed = [
        ("CONTENT_TYPE", header::CONTENT_TYPE),
        ("CONTENT_LENGTH", header::CONTENT_LENGTH),
        ("HTTP_CONTENT_ENCODING", header::CONTENT_ENCODING),
        ("GIT_PROTOCOL", HeaderName::from_static("git-protocol")),
    ];
    for (variable, header) in passed {
        // A variable is text without control characters, and short.
        let value = ask.headers.get(header).and_then(|value| value.to_str().ok());
        if let Some(value) = value.filter(|value| value.len() <= 200) {
            command.env(variable, value);
        }
    }
    Ok(command)
}

/// The program's headers and its status.
async fn headers(output: &mut BufReader<ChildStdout>) -> std::io::Result<(StatusCode, HeaderMap)> {
    let mut status = StatusCode::OK;
    let mut headers = HeaderMap::new();
    let mut total = 0;
    loop {
        let mut line = Vec::new();
        let read = output.take(MOST_HEADERS as u64).read_until(b'\n', &mut line).await?;
        total += read;
        if read == 0 || total > MOST_HEADERS {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            return Ok((status, headers));
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("status") {
            let code = value.split_whitespace().next().and_then(|code| code.parse().ok());
            status = code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
        } else if let (Ok(name), Ok(value)) =
            (name.parse::<HeaderName>(), HeaderValue::from_str(value.trim()))
        {
            headers.insert(name, value);
        }
    }
}

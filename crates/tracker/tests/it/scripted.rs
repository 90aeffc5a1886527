//! A server that answers with what it is told and keeps what it was asked; one connection at a time, one request a connection.

use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// What is answered.
pub(crate) enum Answer {
    /// A status and a body.
    Json(u16, String),
    /// A status, headers, no body.
    Head(u16, String),
    /// The connection is closed without one.
    Nothing,
}

pub(crate) struct ScriptedServer {
    pub(crate) api: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    /// Answers in this order; then with 500.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        let kept = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers.pop_front().unwrap_or(Answer::Json(500, String::new()));
                serve(stream, answer, &kept).await;
            }
        });
        Self { api, asked, task }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of each request.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, answer: Answer, asked: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.unwrap() == 0 {
            return;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length =
        lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let mut words = head.split(' ');
    asked.lock().unwrap().push(Asked {
        method: words.next().unwrap().to_owned(),
        path: words.next().unwrap().to_owned(),
        head: lower,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let (status, more, body) = match answer {
        Answer::Json(status, body) => (status, String::new(), body),
        Answer::Head(status, more) => (status, more, String::new()),
        Answer::Nothing => return,
    };
    let text = format!(
        "HTTP/1.1 {status} X\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // A client that has read enough may be gone.
    drop(stream.write_all(text.as_bytes()).await);
    drop(stream.shutdown().await);
}

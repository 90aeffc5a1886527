//! The embedded tracker on a free port, with its database in a temporary folder, and raw calls to it.

use banksman_core::{
    port::{
        Clock,
        tracker::{ItemBook as _, NewItem},
    },
    tainted::Tainted,
    text::ItemId,
};
use banksman_store::items::SqliteItems;
use banksman_tracker::{
    AnyTracker, Secret, TrackerSettings,
    serve::{Gate, Hosts, Listening, router},
};
use jiff::Timestamp;
use serde_json::Value;
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

pub(crate) const TOKEN: &str = "token-canary-4711";

pub(crate) fn run_test(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// The server of a test; it ends with it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) items: SqliteItems,
    stop: Option<oneshot::Sender<()>>,
    ended: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let items = SqliteItems::open(&folder.path().join("tracker.db")).unwrap();
        let listening = Listening::on(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listening.address().unwrap();
        let gate = Gate::new(&Secret::new(TOKEN.into()).unwrap(), Hosts::of(address.ip(), []));
        let app = router(items.clone(), StillClock, gate);
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(listening.serve(app, async { drop(stopped.await) }));
        Self { address, items, stop: Some(stop), ended, _folder: folder }
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.ended).await.unwrap();
    }

    pub(crate) fn settings(&self) -> TrackerSettings {
        TrackerSettings {
            api: Some(format!("http://{}", self.address)),
            token: Secret::new(TOKEN.into()),
            ..TrackerSettings::default()
        }
    }

    pub(crate) fn client(&self) -> AnyTracker {
        AnyTracker::open(&self.settings()).unwrap()
    }

    pub(crate) async fn make(&self, title: &str, labels: &[&str]) -> ItemId {
        self.make_of("p1", title, "do\nit", labels).await
    }

    pub(crate) async fn make_of(
        &self,
        product: &str,
        title: &str,
        description: &str,
        labels: &[&str],
    ) -> ItemId {
        let item = NewItem {
            id: None,
            product: product.into(),
            kind: "task".into(),
            title: Tainted::new(title.into()),
            description: Tainted::new(description.into()),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            priority: None,
            at: StillClock.now(),
        };
        self.items.make(item).await.unwrap()
    }

    /// A call with the token; status and body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string());
        let head = format!("host: localhost\r\nauthorization: Bearer {TOKEN}\r\n");
        self.raw(method, path, &head, body.as_deref()).await
    }

    /// A call with these headers.
    pub(crate) async fn raw(&self, method: &str, path: &str, head: &str, body: Option<&str>) -> (u16, Value) {
        let mut text = format!("{method} {path} HTTP/1.1\r\n{head}connection: close\r\n");
        if let Some(body) = body {
            text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body.unwrap_or_default());
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

/// A clock that stands still.
pub(crate) struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
    async fn sleep_until(&self, _: Timestamp) {}
    async fn changed(&self, _: Timestamp) {}
}

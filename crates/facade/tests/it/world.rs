//! A repository in a temporary folder with a forge and its facade over it. Requests are made without a socket.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use banksman_core::{
    port::{CheckOrder, CheckReport, Checker, EngineError, book::Who},
    tainted::Tainted,
    text::{BranchName, CheckName, Login, RepoName, Sha},
};
use banksman_facade::{Access, Token, router};
use banksman_forge::local::{Freshness, LocalForge, LocalRepo, Now};
use banksman_store::book::SqliteBook;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) type Forged = LocalForge<SqliteBook, Scripted>;

/// A checker that passes everything.
pub(crate) struct Scripted;

impl Checker for Scripted {
    async fn check(&self, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        let report = |(name, _): &(CheckName, String)| CheckReport {
            name: name.clone(),
            passed: true,
            log: Tainted::new("all is well".to_owned()),
        };
        Ok(order.checks.iter().map(report).collect())
    }
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) repo: RepoName,
    pub(crate) forge: Arc<Forged>,
    clock: Arc<AtomicI64>,
    now: Now,
    app: Router,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A world with other rules.
    pub(crate) async fn with(change: impl FnOnce(&mut LocalRepo)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("shop");
        std::fs::create_dir(&tree).unwrap();
        git(&tree, &["init", "-q", "-b", "main"]);
        std::fs::write(tree.join("app"), "one\ntwo\nthree\n").unwrap();
        git(&tree, &["add", "."]);
        git(&tree, &["commit", "-q", "-m", "first"]);
        let mut rules = rules(tree);
        change(&mut rules);
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let ticking = Arc::clone(&clock);
        let now: Now =
            Arc::new(move || Timestamp::from_second(ticking.fetch_add(1, Ordering::SeqCst)).unwrap());
        let book = SqliteBook::open(&dir.path().join("forge.db")).unwrap();
        let repo = rules.name.clone();
        let forge = LocalForge::open(vec![rules], book, Scripted, Arc::clone(&now)).await.unwrap();
        let forge = Arc::new(forge);
        let access = Access::socket(login("me"), tokens());
        let app = router(Arc::new(Arc::clone(&forge)), access, login("me"), Arc::clone(&now)).unwrap();
        Self { dir, repo, forge, clock, now, app }
    }

    /// The world's clock, which goes on with every look at it.
    pub(crate) fn now(&self) -> Now {
        Arc::clone(&self.now)
    }

    /// The same facade for callers over TCP.
    pub(crate) fn over_tcp(&self) -> Router {
        let access = Access::tcp(tokens(), vec!["forge.example".to_owned()]);
        router(Arc::new(Arc::clone(&self.forge)), access, login("me"), Arc::clone(&self.now)).unwrap()
    }

    /// The same facade for the owner's socket.
    pub(crate) fn over_socket(&self) -> Router {
        self.app.clone()
    }

    /// Makes a request in the name of the owner.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask_with(method, path, body, &[]).await
    }

    /// Makes a request with headers.
    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        send(self.app.clone(), method, path, body, headers).await
    }

    /// Reads a document.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json());
        answer.json()
    }

    /// Does something and reads what came of it.
    pub(crate) async fn did(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, Some(body)).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.json());
        answer.json()
    }

    /// Runs a query that has to succeed.
    pub(crate) async fn query(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.query_any(query, variables).await;
        assert!(answer.get("errors").is_none(), "{}: {query}", answer["errors"]);
        answer["data"].take()
    }

    /// Runs a query.
    pub(crate) async fn query_any(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.ask("POST", "/graphql", Some(body)).await;
        assert_eq!(answer.status, 200);
        answer.json()
    }

    /// Runs the checks that are queued.
    pub(crate) async fn check(&self) {
        while self.forge.run_checks(&self.repo).await.unwrap() == banksman_forge::local::Checked::One {}
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.dir.path().join("shop")
    }

    /// Puts a commit with one file on a branch, which is made from main if need be.
    pub(crate) fn push(&self, branch: &str, file: &str, text: &str) -> Sha {
        let from = [branch, "main"].into_iter().find_map(|branch| self.head(branch)).unwrap();
        let now = self.clock.fetch_add(1, Ordering::SeqCst);
        let script = format!(
            "commit refs/heads/{branch}\ncommitter Ann <ann@example.com> {now} +0000\ndata 4\nwork\nfrom {from}\n\
             M 100644 inline {file}\ndata {}\n{text}\n",
            text.len()
        );
        feed(&self.tree(), &["fast-import", "--quiet", "--force"], script.as_bytes());
        self.head(branch).unwrap()
    }

    pub(crate) fn head(&self, branch: &str) -> Option<Sha> {
        let name = format!("refs/heads/{branch}");
        let out = Command::new("git")
            .args(["rev-parse", "--verify", "-q", &name])
            .current_dir(self.tree())
            .output();
        Sha::new(String::from_utf8(out.unwrap().stdout).unwrap().trim()).ok()
    }

    /// Opens an issue; its number comes back.
    pub(crate) async fn issue(&self, title: &str) -> u64 {
        let made =
            self.did("POST", "/repos/me/shop/issues", json!({ "title": title, "body": "please" })).await;
        made["number"].as_u64().unwrap()
    }

    /// Opens a pull request of a new branch; its number comes back.
    pub(crate) async fn pull(&self, branch: &str) -> u64 {
        self.push(branch, branch, "text\n");
        let wish =
            json!({ "title": format!("Add {branch}"), "head": branch, "base": "main", "body": "work" });
        self.did("POST", "/repos/me/shop/pulls", wish).await["number"].as_u64().unwrap()
    }
}

/// Makes a request.
pub(crate) async fn send(
    app: Router,
    method: &str,
    path: &str,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = app.oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, bytes }
}

fn tokens() -> Vec<(Token, Who)> {
    vec![
        (Token::of(&"of-banksman".into()), Who::Banksman),
        (Token::of(&"of-ann".into()), Who::Person(login("ann"))),
        (Token::of(&"of-me".into()), Who::Person(login("me"))),
    ]
}

pub(crate) fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

pub(crate) fn rules(folder: PathBuf) -> LocalRepo {
    LocalRepo {
        name: RepoName::new("local/shop").unwrap(),
        folder,
        default_branch: BranchName::new("main").unwrap(),
        checks: vec![(CheckName::new("test").unwrap(), "true".to_owned())],
        check_timeout: SignedDuration::from_secs(60),
        required_approvals: 0,
        freshness: Freshness::Any,
        allowed: Vec::new(),
    }
}

pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    feed(folder, args, b"")
}

fn feed(folder: &Path, args: &[&str], input: &[u8]) -> String {
    use std::io::Write;
    let mut child = Command::new("git")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "git {args:?}");
    String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
}

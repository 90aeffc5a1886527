//! A repository in a temporary folder with a forge over it, a clock that ticks by itself and checks that do as they are told.

use banksman_core::{
    id::Number,
    intent::{Made, MergeMethod, Receipt, Step},
    port::{
        Accounted, CheckOrder, CheckReport, Checker, EngineError, Forge, ForgeError, IssueText, PullQuery,
        Refusal, book::Select,
    },
    signals::Signals,
    tainted::Tainted,
    text::{BranchName, CheckName, Label, Login, RepoName, Sha},
};
use banksman_forge::local::{Checked, Desk, Freshness, LocalForge, LocalRepo, Now};
use banksman_store::book::SqliteBook;
use jiff::{SignedDuration, Timestamp};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};
use tempfile::TempDir;

pub(crate) type Forged = LocalForge<SqliteBook, Scripted>;

/// A checker that passes everything but what it is told to fail.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    pub(crate) red: Arc<Mutex<Vec<Sha>>>,
    pub(crate) orders: Arc<Mutex<Vec<CheckOrder>>>,
    pub(crate) broken: Arc<Mutex<Option<EngineError>>>,
    pub(crate) hold: Arc<Mutex<Option<Arc<tokio::sync::Notify>>>>,
}

impl Checker for Scripted {
    async fn check(&self, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        self.orders.lock().unwrap().push(order.clone());
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        let hold = self.hold.lock().unwrap().clone();
        if let Some(hold) = hold {
            hold.notified().await;
        }
        let passed = !self.red.lock().unwrap().contains(&order.sha);
        let report = |(name, _): &(CheckName, String)| CheckReport {
            name: name.clone(),
            passed,
            log: Tainted::new("assertion failed: 1 == 2".to_owned()),
        };
        Ok(order.checks.iter().map(report).collect())
    }
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) repo: RepoName,
    pub(crate) rules: LocalRepo,
    pub(crate) checker: Scripted,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) forge: Forged,
}

/// A world that belongs to somebody else.
pub(crate) struct Reopened {
    pub(crate) repo: RepoName,
    pub(crate) forge: Forged,
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
        std::fs::write(tree.join("README"), "shop\n").unwrap();
        std::fs::write(tree.join("app"), "one\ntwo\nthree\n").unwrap();
        git(&tree, &["add", "."]);
        git(&tree, &["commit", "-q", "-m", "first"]);
        let mut rules = rules_of(tree);
        change(&mut rules);
        let checker = Scripted::default();
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let forge = open(dir.path(), &rules, &checker, &clock).await;
        Self { dir, repo: rules.name.clone(), rules, checker, clock, forge }
    }

    /// The world of another process, which is not to be removed at the end.
    pub(crate) async fn reopen(dir: &Path) -> Reopened {
        let rules = rules_of(dir.join("shop"));
        let clock = Arc::new(AtomicI64::new(1_900_000_000));
        let forge = open(dir, &rules, &Scripted::default(), &clock).await;
        Reopened { repo: rules.name, forge }
    }

    /// The forge as another process, or the next start, sees it.
    pub(crate) async fn again(&self) -> Forged {
        open(self.dir.path(), &self.rules, &self.checker, &self.clock).await
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.dir.path().join("shop")
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.tree(), args)
    }

    /// Puts a commit with one file on a branch, which is made from main if need be, without touching the work tree.
    pub(crate) fn push(&self, branch: &str, file: &str, text: &str) -> Sha {
        let from = [branch, "main"].into_iter().find_map(|b| self.head(b)).unwrap();
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
            .output()
            .unwrap();
        Sha::new(String::from_utf8(out.stdout).unwrap().trim()).ok()
    }

    pub(crate) fn file(&self, branch: &str, path: &str) -> String {
        self.git(&["show", &format!("{branch}:{path}")])
    }

    pub(crate) async fn desk(&self, login: &str) -> Desk<'_, SqliteBook, Scripted> {
        self.forge.desk(&self.repo, Login::new(login).unwrap()).await.unwrap()
    }

    pub(crate) async fn issue(&self, title: &str) -> Number {
        self.desk("ann").await.open_issue(text(title), text("please"), Vec::new()).await.unwrap()
    }

    pub(crate) async fn done(&self, step: Step) -> Receipt {
        self.forge.perform(&self.repo, &step, None).await.unwrap()
    }

    pub(crate) async fn refused(&self, step: Step) -> Refusal {
        match self.forge.perform(&self.repo, &step, None).await {
            Err(ForgeError::Refused(why)) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) async fn found(&self, step: &Step, since: Timestamp) -> Option<Receipt> {
        self.forge.find(&self.repo, step, since, &Accounted::default()).await.unwrap()
    }

    /// Opens the pull request of an issue's branch.
    pub(crate) async fn pull(&self, closes: Number, head: &str, base: &str) -> Number {
        let receipt = self.done(Step::OpenPull { closes, head: branch(head), base: branch(base) }).await;
        match receipt.made {
            Made::Pull { number } => number,
            other => panic!("no pull request: {other:?}"),
        }
    }

    pub(crate) async fn signals(&self, pull: Number) -> Signals {
        self.forge.pulls(&self.repo, &PullQuery::Numbers(vec![pull])).await.unwrap().pop().unwrap()
    }

    pub(crate) async fn checked(&self) {
        // A look first: it queues the checks of new heads.
        self.forge.pulls(&self.repo, &PullQuery::Open).await.unwrap();
        while self.forge.run_checks(&self.repo).await.unwrap() == Checked::One {}
    }

    pub(crate) fn merge_step(&self, pull: Number, head: &Sha, method: MergeMethod) -> Step {
        merge_step(pull, head, method)
    }

    /// Runs the checks and merges.
    pub(crate) async fn merged(&self, pull: Number, method: MergeMethod) -> Sha {
        self.checked().await;
        let head = self.signals(pull).await.head;
        match self.done(self.merge_step(pull, &head, method)).await.made {
            Made::Commit { sha } => sha,
            other => panic!("no commit: {other:?}"),
        }
    }

    pub(crate) async fn is_open(&self, issue: Number) -> bool {
        self.desk("ann").await.issues(&Select::Numbers(vec![issue])).await.unwrap()[0].open
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::SeqCst)).unwrap()
    }
}

async fn open(dir: &Path, rules: &LocalRepo, checker: &Scripted, clock: &Arc<AtomicI64>) -> Forged {
    let book = SqliteBook::open(&dir.join("forge.db")).unwrap();
    let clock = Arc::clone(clock);
    let now: Now = Arc::new(move || Timestamp::from_second(clock.fetch_add(1, Ordering::SeqCst)).unwrap());
    LocalForge::open(vec![rules.clone()], book, checker.clone(), now).await.unwrap()
}

pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    feed(dir, args, b"")
}

fn feed(dir: &Path, args: &[&str], input: &[u8]) -> String {
    use std::io::Write;
    let mut child = Command::new("git")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

pub(crate) fn text(text: &str) -> Tainted {
    Tainted::new(text.to_owned())
}

pub(crate) fn plain(text: &Tainted) -> String {
    text.structure(str::to_owned)
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(crate) fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

pub(crate) fn draft(title: &str) -> IssueText {
    IssueText { title: text(title), body: text("quoted"), labels: vec![label("audit")] }
}

pub(crate) fn merge_step(pull: Number, head: &Sha, method: MergeMethod) -> Step {
    Step::Merge { pull, head: head.clone(), method }
}

fn rules_of(tree: PathBuf) -> LocalRepo {
    LocalRepo {
        name: RepoName::new("local/shop").unwrap(),
        folder: tree,
        default_branch: BranchName::new("main").unwrap(),
        checks: vec![(CheckName::new("test").unwrap(), "true".to_owned())],
        check_timeout: SignedDuration::from_secs(60),
        required_approvals: 0,
        freshness: Freshness::Any,
        allowed: vec![Login::new("ann").unwrap()],
    }
}

//! The world of a test: a forge's repository, a user's home with a secret, and a host of engines whose one engine runs a script.

use banksman_core::{
    id::{AttemptId, Number},
    port::{Engine, EngineError, Order, Report, ReportResult},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::{FailReason, SandboxLevel, Task},
};
use banksman_engine::{
    EngineHost, EngineHostConfig, EngineSettings, Offered, RepositorySetup, SandboxPolicy, engines,
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How the engines of a test are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In bubblewrap.
    Sandboxed,
    /// Not at all.
    Unconfined,
}

pub(crate) const BOTH: [Kept; 2] = [Kept::Sandboxed, Kept::Unconfined];

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) host: EngineHost,
    pub(crate) kept: Kept,
}

/// A secret that must not get anywhere.
pub(crate) const CANARY: &str = "canary-7f3a";

/// Changes a test makes to the host's configuration.
pub(crate) type Change<'a> = &'a dyn Fn(&mut EngineHostConfig);

impl World {
    /// A world whose engine `agent` runs `script` in the clone. `None` where the host has no sandbox; with `CI` set that is a failure.
    pub(crate) async fn new(kept: Kept, script: &str) -> Option<Self> {
        Self::with(kept, script, &|_| {}).await
    }

    pub(crate) async fn with(kept: Kept, script: &str, change: Change<'_>) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (forge, user) = (dir.path().join("forge.git"), dir.path().join("user"));
        fs::create_dir_all(user.join(".ssh")).unwrap();
        fs::write(user.join(".ssh/id_ed25519"), CANARY).unwrap();
        seed(dir.path(), &forge);
        let environment = BTreeMap::from([
            ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ("HOME".into(), user.clone().into_os_string()),
            ("LANG".into(), "C.UTF-8".into()),
            ("SECRET_TOKEN".into(), CANARY.into()),
        ]);
        let mut config = EngineHostConfig::new(dir.path().join("home"), environment, Timestamp::now);
        let settings = EngineSettings {
            command: Some(script.into()),
            timeout: Some(SignedDuration::from_secs(120)),
            parallel: Some(8),
            ..EngineSettings::default()
        };
        config.engines = engines(&BTreeMap::from([(EngineName::new("agent").unwrap(), settings)])).unwrap();
        config.repositories.insert(repo(), RepositorySetup::new(forge));
        config.grace = Duration::from_millis(300);
        config.min_free = 0;
        config.sandbox = match kept {
            Kept::Sandboxed => SandboxPolicy::Auto,
            Kept::Unconfined => SandboxPolicy::Off,
        };
        change(&mut config);
        let host = EngineHost::new(config).await.unwrap();
        if kept == Kept::Sandboxed
            && let Offered::None { why } = host.offered()
        {
            assert!(std::env::var_os("CI").is_none(), "CI must test the sandbox, but: {why}");
            eprintln!("NOT TESTED: {why}");
            return None;
        }
        Some(Self { dir, host, kept })
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn forge(&self) -> PathBuf {
        self.path("forge.git")
    }

    /// Runs git on the forge's repository.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.forge(), args)
    }

    pub(crate) fn head(&self, branch: &str) -> Option<Sha> {
        let out = self.git(&["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")]);
        Sha::new(out.trim()).ok()
    }

    /// The order to implement an issue on a new branch from `main`.
    pub(crate) fn implement(&self) -> Order {
        let base = BranchName::new("main").unwrap();
        let task = Task::Implement { child: Number(7), base: base.clone() };
        Order {
            attempt: AttemptId(1),
            repo: repo(),
            task,
            engine: EngineName::new("agent").unwrap(),
            branch: BranchName::new("agent/7").unwrap(),
            base,
            head: None,
        }
    }

    /// An order on the existing branch `branch`.
    pub(crate) fn on(&self, branch: &str, task: Task) -> Order {
        Order { branch: BranchName::new(branch).unwrap(), head: self.head(branch), task, ..self.implement() }
    }

    pub(crate) async fn run(&self, order: &Order) -> Result<Report, EngineError> {
        self.host.run(order, Tainted::new("Please fix the bug.\n".into())).await
    }

    /// Runs the order and gives why it failed.
    pub(crate) async fn fails(&self, order: &Order) -> FailReason {
        match self.run(order).await.unwrap().result {
            ReportResult::Failed { reason } => {
                assert_eq!(self.leftovers(), Vec::<PathBuf>::new(), "the workspace is gone");
                reason
            }
            ReportResult::Published { sha } => panic!("published {sha}"),
            ReportResult::Reviewed { verdict, .. } => panic!("reviewed {verdict:?}"),
            ReportResult::Limited { .. } => panic!("limited"),
        }
    }

    /// Runs the order and gives what it published.
    pub(crate) async fn publishes(&self, order: &Order) -> Sha {
        let report = self.run(order).await.unwrap();
        let level = match self.kept {
            Kept::Sandboxed => SandboxLevel::Bubblewrap,
            Kept::Unconfined => SandboxLevel::Off,
        };
        match report.result {
            ReportResult::Published { sha } => {
                assert!(report.measured.sandbox.is_none_or(|found| found == level));
                assert_eq!(self.head(order.branch.as_str()).as_ref(), Some(&sha));
                assert_eq!(self.leftovers(), Vec::<PathBuf>::new(), "the workspace is gone");
                sha
            }
            ReportResult::Failed { reason } => panic!("failed: {reason:?}\n{}", self.log()),
            ReportResult::Reviewed { .. } | ReportResult::Limited { .. } => panic!("no publication"),
        }
    }

    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path("home/work")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The log of attempt 1.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("home/logs/attempt-1.log")).unwrap_or_default()
    }
}

/// Pids of live processes with this word on their command line.
pub(crate) fn processes(word: &str) -> Vec<String> {
    let me = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if pid != me && !line.is_empty() && String::from_utf8_lossy(&line).contains(word) {
            found.push(pid);
        }
    }
    found
}

pub(crate) fn repo() -> RepoName {
    RepoName::new("local/shop").unwrap()
}

/// Runs git as a user would, and expects success.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .current_dir(dir)
        .args(["-c", "init.defaultBranch=main", "-c", "user.name=U", "-c", "user.email=u@localhost"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn seed(dir: &Path, forge: &Path) {
    let tree = dir.join("seed");
    fs::create_dir(&tree).unwrap();
    git(&tree, &["init", "--quiet"]);
    fs::write(tree.join("a.txt"), "one\ntwo\nthree\n").unwrap();
    fs::write(tree.join("list.lock"), "x\n").unwrap();
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "--quiet", "-m", "Start"]);
    git(dir, &["clone", "--quiet", "--bare", "seed", forge.to_str().unwrap()]);
}

/// Commits a change of a file on a branch of the forge, made from `from` if it is new.
pub(crate) fn commit(world: &World, branch: &str, from: &str, file: &str, text: &str) -> Sha {
    let tree = tempfile::tempdir().unwrap();
    let at = tree.path();
    git(at, &["clone", "--quiet", world.forge().to_str().unwrap(), "t"]);
    let at = at.join("t");
    let start = if world.head(branch).is_some() { branch } else { from };
    git(&at, &["checkout", "--quiet", "-B", branch, &format!("origin/{start}")]);
    fs::write(at.join(file), text).unwrap();
    git(&at, &["add", "."]);
    git(&at, &["commit", "--quiet", "-m", "Change"]);
    git(&at, &["push", "--quiet", "origin", branch]);
    world.head(branch).unwrap()
}

/// The script commits what it did.
pub(crate) const COMMIT: &str = "git add -A && git commit -q -m 'Fix the bug'";

//! Measures what the pipeline itself costs per child on the embedded forge: the wall time of a whole epic in which no git, check or agent
//! runs. Engine and checker are stand-ins that answer at once; store, forge and git are the real ones. Every git process is timed by this
//! program standing in for `git` in PATH; the union of those times is taken off. Prints one JSON object.
//! `cargo run --release -p banksman --example pipeline_overhead`

use banksman_core::{
    epic::plan_epics,
    event::Event,
    id::AttemptId,
    job::Body,
    port::{
        CheckOrder, CheckReport, Checker, Clock, Engine, EngineError, Forge, IssueQuery, IssueText, JobOrder,
        Measured, Order, Report, ReportResult, Step, StepReport, Watcher, World,
    },
    repo::RepoRules,
    tainted::Tainted,
    text::{BranchName, CheckName, ClassName, EngineName, Fingerprint, Holder, Label, RepoName, Sha},
    work::FailReason,
};
use banksman_engine::ThisHost;
use banksman_forge::local::{Freshness, LocalForge, LocalRepo};
use banksman_orchestrator::{Drafts, EngineRoom, IssueOrder, Orchestrator, Stop, Until, Worker, WorkerSetup};
use banksman_store::{SqliteStore, book::SqliteBook, sqlite::Changes};
use jiff::{SignedDuration, Timestamp};
use std::{
    fs::OpenOptions,
    io::Write as _,
    num::NonZeroUsize,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Mutex;

/// Children of the epic, the most that one epic has.
const CHILDREN: usize = 10;
/// Epics that are measured.
const RUNS: usize = 7;
/// Names the file with the times of git; set for the measuring process.
const TIMES: &str = "PIPELINE_OVERHEAD_TIMES";

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    // Calls of git get a cleared environment, so the stand-in finds the real git beside itself.
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("this program lies nowhere")?;
    if let Ok(git) = std::fs::read_to_string(folder.join("real-git")) {
        return timed_git(&folder.join("times"), Path::new(&git));
    }
    if let Some(times) = std::env::var_os(TIMES) {
        return measure(Path::new(&times));
    }
    // Again, with the stand-in first in PATH.
    let folder = tempfile::tempdir()?;
    let path = std::env::var_os("PATH").ok_or("PATH is not set")?;
    let git =
        std::env::split_paths(&path).map(|p| p.join("git")).find(|p| p.is_file()).ok_or("there is no git")?;
    std::fs::copy(&program, folder.path().join("git"))?;
    std::fs::write(
        folder.path().join("real-git"),
        git.to_str().ok_or("git lies in a folder with a strange name")?,
    )?;
    let paths = std::iter::once(folder.path().to_owned()).chain(std::env::split_paths(&path));
    let status = Command::new(&program)
        .env("PATH", std::env::join_paths(paths)?)
        .env(TIMES, folder.path().join("times"))
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Stands in for git: the real one runs as a child, so that its end is seen.
fn timed_git(times: &Path, git: &Path) -> Result<ExitCode, Failure> {
    let begin = nanos();
    let status = Command::new(git).arg0("git").args(std::env::args_os().skip(1)).status()?;
    let line = format!("{begin} {}\n", nanos());
    OpenOptions::new().create(true).append(true).open(times)?.write_all(line.as_bytes())?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(128)).unwrap_or(128)))
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

fn measure(times: &Path) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut per_child = Vec::with_capacity(RUNS);
    let mut walls = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let (wall, begin, end) = runtime.block_on(one_epic())?;
        let overhead = wall.saturating_sub(covered(times, begin, end)?);
        per_child.push(overhead.as_secs_f64() * 1e3 / CHILDREN as f64);
        walls.push(wall.as_secs_f64() * 1e3 / CHILDREN as f64);
    }
    per_child.sort_by(f64::total_cmp);
    walls.sort_by(f64::total_cmp);
    println!(
        "{{\"runs\": {RUNS}, \"children\": {CHILDREN}, \"median_ms\": {:.2}, \"min_ms\": {:.2}, \"max_ms\": {:.2}, \"wall_with_git_ms\": {:.2}}}",
        per_child[RUNS / 2],
        per_child[0],
        per_child[RUNS - 1],
        walls[RUNS / 2],
    );
    Ok(ExitCode::SUCCESS)
}

/// How much of the time between two moments some git ran.
fn covered(times: &Path, begin: u128, end: u128) -> Result<Duration, Failure> {
    let mut spans: Vec<(u128, u128)> = std::fs::read_to_string(times)?
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
        .filter(|(a, b): &(u128, u128)| *b > begin && *a < end)
        .collect();
    spans.sort_unstable();
    let (mut sum, mut reached) = (0, begin);
    for (a, b) in spans {
        let (a, b) = (a.max(reached), b.min(end));
        if b > a {
            sum += b - a;
            reached = b;
        }
    }
    Ok(Duration::from_nanos(u64::try_from(sum)?))
}

/// One epic from its dispatch to its end; the wall time and when it began and ended.
async fn one_epic() -> Result<(Duration, u128, u128), Failure> {
    let folder = tempfile::tempdir()?;
    let shop = folder.path().join("shop");
    std::fs::create_dir(&shop)?;
    std::fs::write(shop.join("begin.txt"), "begin\n")?;
    for args in [&["init", "-q", "-b", "main"][..], &["add", "."], &["commit", "-q", "-m", "Begin"]] {
        git(&shop, args, &[])?;
    }
    let repo = RepoName::new("local/shop")?;
    let engine = EngineName::new("stand-in")?;
    let rules = RepoRules::new(repo.clone(), engine.clone());
    let store = SqliteStore::open(&folder.path().join("store.db"))?;
    let book = SqliteBook::open(&folder.path().join("forge.db"))?;
    let local = LocalRepo {
        name: repo.clone(),
        folder: shop.clone(),
        default_branch: BranchName::new("main")?,
        checks: vec![(CheckName::new("test")?, "true".to_owned())],
        check_timeout: SignedDuration::from_mins(1),
        required_approvals: 0,
        freshness: Freshness::Any,
        allowed: Vec::new(),
    };
    let forge = LocalForge::open(vec![local], book.clone(), Green, Arc::new(Timestamp::now)).await?;
    let shared = Arc::new(Shared { store, book, forge, engine: StandIn { shop } });
    let holder = |part: &str| Holder::new(&format!("measure/{part}"));

    let orchestrator = Orchestrator::new(Here::new(&shared), holder("loop")?);
    let orders: Vec<IssueOrder> = (0..CHILDREN)
        .map(|n| Ok(IssueOrder { fingerprint: Fingerprint::new(&format!("{n:032x}"))?, blocks: Vec::new() }))
        .collect::<Result<_, Failure>>()?;
    orchestrator.create_issues(&rules, &orders, &Texts).await?;
    let issues = shared.forge.issues(&repo, &IssueQuery::Open).await?;
    orchestrator.create_epics(&rules, &plan_epics(&issues, &[])?).await?;

    let stop = Stop::default();
    let (begin, start) = (nanos(), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    let mut setup = WorkerSetup::new(holder("worker")?, Arc::new(ThisHost::of(std::path::Path::new("."))));
    let class = ClassName::new("agentic-coder")?;
    setup.engines = vec![EngineRoom { name: engine.clone(), class, parallel: 4 }];
    setup.at_once = 4;
    setup.rules = vec![rules.clone()];
    let worker = Worker::new(Here::new(&shared), setup);
    let worker_stop = stop.clone();
    tasks.spawn(async move { worker.run(&worker_stop).await.map_err(|e| e.to_string()) });
    let checks = Arc::clone(&shared);
    tasks.spawn(async move {
        checks
            .forge
            .run_checks_until(std::future::pending(), NonZeroUsize::MIN)
            .await
            .map_err(|e| e.to_string())
    });
    orchestrator.run(std::slice::from_ref(&rules), Until::Settled, &stop).await?;
    let (wall, end) = (start.elapsed(), nanos());
    tasks.shutdown().await;
    let open = shared.forge.issues(&repo, &IssueQuery::Open).await?;
    if open.is_empty() {
        Ok((wall, begin, end))
    } else {
        Err(format!("{} issues are still open", open.len()).into())
    }
}

/// Runs git in a folder with fixed names.
fn git(folder: &Path, args: &[&str], more: &[(&str, &Path)]) -> Result<String, Failure> {
    let out = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .envs(more.iter().copied())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@localhost")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@localhost")])
        .stdin(Stdio::null())
        .output()?;
    if out.status.success() {
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).into_owned().into())
    }
}

struct Shared {
    store: SqliteStore,
    book: SqliteBook,
    forge: LocalForge<SqliteBook, Green>,
    engine: StandIn,
}

/// The world of one looping task.
struct Here {
    shared: Arc<Shared>,
    clock: Wall,
}

impl Here {
    fn new(shared: &Arc<Shared>) -> Self {
        let clock =
            Wall { store: Mutex::new(shared.store.changes()), book: Mutex::new(shared.book.changes()) };
        Self { shared: Arc::clone(shared), clock }
    }
}

impl World for Here {
    type Store = SqliteStore;
    type Forge = LocalForge<SqliteBook, Green>;
    type Engine = StandIn;
    type Clock = Wall;
    type Watcher = Nobody;

    fn store(&self) -> &SqliteStore {
        &self.shared.store
    }
    fn forge(&self) -> &Self::Forge {
        &self.shared.forge
    }
    fn engine(&self) -> &StandIn {
        &self.shared.engine
    }
    fn clock(&self) -> &Wall {
        &self.clock
    }
    fn watcher(&self) -> &Nobody {
        &Nobody
    }
}

/// The clock on the wall.
struct Wall {
    store: Mutex<Changes>,
    book: Mutex<Changes>,
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    async fn sleep_until(&self, until: Timestamp) {
        let left = until.duration_since(self.now());
        tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    }
    async fn changed(&self, until: Timestamp) {
        let (mut store, mut book) = (self.store.lock().await, self.book.lock().await);
        tokio::select! {
            () = store.next() => {}
            () = book.next() => {}
            () = self.sleep_until(until) => {}
        }
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn event(&self, _: &Event) {}
}

/// Every check passes at once.
struct Green;

impl Checker for Green {
    async fn check(&self, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        let pass = |(name, _): &(CheckName, String)| CheckReport {
            name: name.clone(),
            passed: true,
            log: Tainted::new(String::new()),
        };
        Ok(order.checks.iter().map(pass).collect())
    }
}

/// An engine that adds one file on its branch, by git plumbing in the repository itself.
struct StandIn {
    shop: PathBuf,
}

impl StandIn {
    fn commit(&self, order: &Order) -> Result<Sha, Failure> {
        let index = tempfile::tempdir()?;
        let file = index.path().join("index");
        let env: &[(&str, &Path)] = &[("GIT_INDEX_FILE", &file)];
        let base = format!("refs/heads/{}", order.base);
        git(&self.shop, &["read-tree", &base], env)?;
        let blob = index.path().join("blob");
        std::fs::write(&blob, format!("{}\n", order.branch))?;
        let id = git(&self.shop, &["hash-object", "-w", &blob.to_string_lossy()], env)?;
        let path = format!("{}.txt", order.branch.as_str().replace('/', "-"));
        git(&self.shop, &["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")], env)?;
        let tree = git(&self.shop, &["write-tree"], env)?;
        let commit = git(&self.shop, &["commit-tree", "-p", &base, "-m", "Add a file", &tree], env)?;
        git(&self.shop, &["update-ref", &format!("refs/heads/{}", order.branch), &commit], env)?;
        Ok(Sha::new(&commit)?)
    }
}

impl Engine for StandIn {
    async fn run(&self, order: &Order, _: Tainted) -> Result<Report, EngineError> {
        let result = match self.commit(order) {
            Ok(sha) => ReportResult::Published { sha },
            Err(_) => ReportResult::Failed { reason: FailReason::Workspace },
        };
        Ok(Report { result, measured: Measured { exit_code: Some(0), ..Measured::default() } })
    }

    async fn step(&self, _: &JobOrder, _: Step, _: &Body) -> Result<StepReport, EngineError> {
        Err(EngineError::Host("there are no jobs of manifests here"))
    }

    fn end(&self, _: AttemptId) {}

    async fn leave(&self, _: AttemptId) {}

    async fn reap(&self, _: AttemptId) {}
}

/// Texts of issues that are all alike.
struct Texts;

impl Drafts for Texts {
    fn text(&self, fingerprint: &Fingerprint) -> Option<IssueText> {
        let labels = ["audit", "security", "medium"].into_iter().filter_map(|l| Label::new(l).ok()).collect();
        let title =
            Tainted::new(format!("security: Finding {}", fingerprint.as_str().trim_start_matches('0')));
        Some(IssueText { title, body: Tainted::new("A finding.".to_owned()), labels })
    }
}

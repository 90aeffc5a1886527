//! What the engine host adds to the starting of a process: a job that does nothing (build and landing, in a folder, unconfined), two at
//! once, against a bare loop that starts the same command, both in this run. Arguments: how many of each (1000), and of how many more jobs
//! afterwards the memory is watched (0). Prints one JSON object.
#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

use banksman_core::{
    id::{AttemptId, JobId},
    job::{Body, Outcome},
    manifest::{Choice, JobSpec, Priority},
    port::{Engine, JobOrder, Step, StepResult},
    text::{BranchName, EngineName},
};
use banksman_engine::{EngineHost, EngineHostConfig, SandboxPolicy};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// Attempts at once.
const AT_ONCE: u64 = 2;

/// Both ways are measured by turns, so that the machine's moods fall on both.
const TURNS: u64 = 5;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|n| n.parse::<u64>().expect("a number"));
    let (jobs, more) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(0));
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("script");
    std::fs::write(&script, ":\n").expect("a script");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let host = Arc::new(host(dir.path()).await);
        let mut next = 1;
        run(&host, dir.path(), &mut next, 100).await;
        let (mut bare_took, mut jobs_took) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..TURNS {
            bare_took += bare(&script, jobs / TURNS);
            jobs_took += run(&host, dir.path(), &mut next, jobs / TURNS).await;
        }
        let before = resident_kib();
        if more > 0 {
            run(&host, dir.path(), &mut next, more).await;
        }
        let each = |took: Duration| took.as_secs_f64() * 1e3 / jobs as f64;
        println!(
            "{{\"jobs\": {jobs}, \"bare_ms\": {:.3}, \"job_ms\": {:.3}, \"ratio\": {:.2}, \"resident_kib\": {before}, \
             \"more\": {more}, \"resident_after_kib\": {}}}",
            each(bare_took),
            each(jobs_took),
            jobs_took.as_secs_f64() / bare_took.as_secs_f64(),
            resident_kib(),
        );
    });
}

/// Starts the command and waits for it, on as many threads as there are attempts at once.
fn bare(script: &Path, times: u64) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                for _ in 0..times / AT_ONCE {
                    let mut command = Command::new("/bin/sh");
                    command.arg(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                    assert!(command.status().expect("a shell").success());
                }
            });
        }
    });
    began.elapsed()
}

async fn host(dir: &Path) -> EngineHost {
    let environment = ["PATH", "HOME"]
        .into_iter()
        .map(|name| (name.into(), std::env::var_os(name).expect("a usual environment")));
    let mut config =
        EngineHostConfig::new(dir.join("home"), environment.collect::<BTreeMap<_, _>>(), Timestamp::now);
    config.sandbox = SandboxPolicy::Off;
    EngineHost::new(config).await.expect("a host")
}

async fn run(host: &Arc<EngineHost>, dir: &Path, next: &mut u64, times: u64) -> Duration {
    let began = Instant::now();
    let lanes = (0..AT_ONCE).map(|lane| {
        let (host, cwd, first) = (host.clone(), dir.to_owned(), *next + lane * (times / AT_ONCE));
        tokio::spawn(async move {
            for n in first..first + times / AT_ONCE {
                one(&host, order(n, &cwd)).await;
            }
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.await.expect("a job");
    }
    *next += times;
    began.elapsed()
}

async fn one(host: &EngineHost, order: JobOrder) {
    let body = Body::new(":\n".into());
    let built = host.step(&order, Step::Build { round: 0 }, &body).await.expect("a build");
    assert_eq!(built.result, StepResult::Built);
    let landed = host.step(&order, Step::Land, &body).await.expect("a landing");
    assert_eq!(landed.result, StepResult::Landed(Outcome::Ran));
    host.leave(order.attempt).await;
}

fn order(n: u64, cwd: &Path) -> JobOrder {
    let engine = EngineName::new("shell").expect("a name");
    let spec = JobSpec {
        engine: Choice::Engine(engine.clone()),
        profile: None,
        cwd: cwd.to_owned(),
        worktree: false,
        yolo: false,
        lock: None,
        timeout: SignedDuration::from_mins(1),
        priority: Priority::Normal,
        capabilities: Vec::new(),
        depends_on: Vec::new(),
        tracker_item: None,
        auto_echo: false,
        retries: 0,
        not_before: None,
        review: None,
        verify: Vec::new(),
        fix_rounds: 0,
        base: None,
        branch: None,
        max_cost: None,
        max_tokens: None,
        env: Vec::new(),
        preamble: None,
        extra: BTreeMap::new(),
    };
    let branch = BranchName::new("job/none").expect("a branch name");
    JobOrder { attempt: AttemptId(n), job: JobId(n), engine, spec, branch }
}

/// Memory of this process, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

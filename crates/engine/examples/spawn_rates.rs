//! What the engine host adds to the starting of a process: a job that does nothing (build and landing, in a folder, unconfined), two at
//! once, against a bare loop that starts the same command, both in this run. Arguments: how many of each (1000), and of how many more jobs
//! afterwards the memory is watched (0). Prints one JSON object.
#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

mod plain_job;

use banksman_core::{
    job::{Body, Outcome},
    port::{Engine, JobOrder, Step, StepResult},
};
use banksman_engine::{EngineHost, SandboxPolicy};
use jiff::SignedDuration;
use plain_job::{host, memory_kib, order};
use std::{
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
        let host = Arc::new(host(dir.path(), SandboxPolicy::Off, Duration::from_secs(10)).await);
        let mut next = 1;
        run(&host, dir.path(), &mut next, 100).await;
        let (mut bare_took, mut jobs_took) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..TURNS {
            bare_took += bare(&script, jobs / TURNS);
            jobs_took += run(&host, dir.path(), &mut next, jobs / TURNS).await;
        }
        let before = memory_kib("VmRSS");
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
            memory_kib("VmRSS"),
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

async fn run(host: &Arc<EngineHost>, dir: &Path, next: &mut u64, times: u64) -> Duration {
    let began = Instant::now();
    let lanes = (0..AT_ONCE).map(|lane| {
        let (host, cwd, first) = (host.clone(), dir.to_owned(), *next + lane * (times / AT_ONCE));
        tokio::spawn(async move {
            for n in first..first + times / AT_ONCE {
                one(&host, order(n, &cwd, SignedDuration::from_mins(1))).await;
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

//! What the measurements share: a host of engines, and a job whose body is a script that runs in a folder.

use banksman_core::{
    id::{AttemptId, JobId},
    manifest::{Choice, JobSpec, Priority},
    port::JobOrder,
    text::{BranchName, EngineName},
};
use banksman_engine::{EngineHost, EngineHostConfig, SandboxPolicy};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// A host with its home below a folder.
pub(crate) async fn host(dir: &Path, sandbox: SandboxPolicy, grace: Duration) -> EngineHost {
    let environment = ["PATH", "HOME"]
        .into_iter()
        .map(|name| (name.into(), std::env::var_os(name).expect("a usual environment")));
    let mut config =
        EngineHostConfig::new(dir.join("home"), environment.collect::<BTreeMap<_, _>>(), Timestamp::now);
    (config.sandbox, config.grace) = (sandbox, grace);
    EngineHost::new(config).await.expect("a host")
}

/// Attempt `n` at a job in a folder.
pub(crate) fn order(n: u64, cwd: &Path, timeout: SignedDuration) -> JobOrder {
    let engine = EngineName::new("shell").expect("a name");
    let spec = JobSpec {
        engine: Choice::Engine(engine.clone()),
        profile: None,
        cwd: cwd.to_owned(),
        worktree: false,
        yolo: false,
        lock: None,
        timeout,
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

/// A line of `/proc/self/status` that tells an amount of memory, in KiB.
pub(crate) fn memory_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

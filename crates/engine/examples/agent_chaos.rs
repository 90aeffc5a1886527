//! Agents that misbehave, each some times over, confined and not: each ends, nothing of it is left five seconds later, and this process
//! hardly grows. Argument: how often each (5). Prints one JSON object; its exit code says whether all ended without a trace.
#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

mod plain_job;

use banksman_core::{
    job::Body,
    port::{Engine, Step},
};
use banksman_engine::{EngineHost, Offered, SandboxPolicy};
use jiff::SignedDuration;
use plain_job::{host, memory_kib, order};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Time limit of those that never end, and of those that have a lot to say.
const HANGS: SignedDuration = SignedDuration::from_secs(1);
const TALKS: SignedDuration = SignedDuration::from_secs(120);

/// How long after an attempt nothing of it may be left.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// Name, script and time limit. `{}` is the number by which its processes are known.
const CHAOS: [(&str, &str, SignedDuration); 8] = [
    (
        "setsid",
        "for i in 1 2 3; do setsid sleep {} & done; (setsid sh -c 'sleep {} & sleep {}' > /dev/null 2>&1 &)",
        TALKS,
    ),
    ("nameless", "(env -i setsid /bin/sh -c 'sleep {} & sleep {}' > /dev/null 2>&1 &)", TALKS),
    ("ignores TERM", "trap '' TERM HUP INT; while :; do sleep {}; done", HANGS),
    ("1 GB", "head -c 1073741824 /dev/zero", TALKS),
    ("100 MB line", "head -c 104857600 /dev/zero | tr '\\0' x; echo", TALKS),
    ("closed output", "exec >&- 2>&- <&-; sleep 0.2; (sleep {} &)", TALKS),
    ("hangs", "sleep {} & sleep {}", HANGS),
    ("kills its parent", "sh -c 'kill -9 $PPID; sleep {}' & sleep {}", HANGS),
];

#[derive(Debug, Default)]
struct Seen {
    runs: u64,
    survivors: usize,
    slowest: Duration,
    slowest_name: &'static str,
}

fn main() -> ExitCode {
    let times = std::env::args().nth(1).map_or(5, |times| times.parse().expect("a number"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (mut seen, mut levels) = (Seen::default(), Vec::new());
    let before = memory_kib("VmHWM");
    for policy in [SandboxPolicy::Auto, SandboxPolicy::Off] {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("folder");
        std::fs::create_dir(&folder).expect("a folder");
        runtime.block_on(async {
            let host = host(dir.path(), policy, Duration::from_millis(200)).await;
            if policy == SandboxPolicy::Auto && matches!(host.offered(), Offered::None { .. }) {
                return;
            }
            levels.push(format!("\"{policy:?}\""));
            for (name, script, limit) in CHAOS {
                for _ in 0..times {
                    once(&host, &folder, name, script, limit, &mut seen).await;
                }
            }
        });
    }
    let Seen { runs, survivors, slowest, slowest_name } = seen;
    println!(
        "{{\"levels\": [{}], \"runs\": {runs}, \"survivors\": {survivors}, \"grown_kib\": {}, \"slowest\": \"{slowest_name}\", \"slowest_s\": {:.1}}}",
        levels.join(", "),
        memory_kib("VmHWM") - before,
        slowest.as_secs_f64(),
    );
    if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn once(
    host: &EngineHost,
    folder: &std::path::Path,
    name: &'static str,
    script: &str,
    limit: SignedDuration,
    seen: &mut Seen,
) {
    seen.runs += 1;
    let number = format!("8{}{:04}", std::process::id(), seen.runs);
    let body = Body::new(script.replace("{}", &number));
    let order = order(seen.runs, folder, limit);
    let began = Instant::now();
    // Whether it fails is its own affair; that it returns is ours.
    let ended = host.step(&order, Step::Build { round: 0 }, &body).await;
    assert!(ended.is_ok(), "{name}: {ended:?}");
    host.leave(order.attempt).await;
    if began.elapsed() > seen.slowest {
        (seen.slowest, seen.slowest_name) = (began.elapsed(), name);
    }
    let until = Instant::now() + AFTERWARDS;
    while survivors(&number) > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seen.survivors += survivors(&number);
}

/// Processes that have the number on their command line.
fn survivors(number: &str) -> usize {
    let me = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let others = entries.filter(|entry| entry.file_name() != me.as_str());
    let lines = others.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(number)).count()
}

//! The orchestrator in simulated worlds: nothing is violated, seeds replay exactly, everything that matters happens somewhere.

use banksman_sim::{SimOptions, SimReport, Worlds, replay, simulate};
use std::sync::LazyLock;

/// Small worlds, run once for the tests that look at them.
static SMALL: LazyLock<SimReport> = LazyLock::new(|| simulate(&SimOptions::new(0..250), &|_| {}));

#[test]
fn nothing_is_violated_in_small_worlds() {
    let report = &*SMALL;
    assert_eq!(report.violations, [], "{}", report.last_lines.join("\n"));
    assert_eq!(report.worlds, 500, "each seed has a world of repositories and one of jobs");
}

#[test]
fn nothing_is_violated_in_larger_worlds() {
    let options = SimOptions { repos: 3, children: 9, ..SimOptions::new(0..12) };
    let report = simulate(&options, &|_| {});
    assert_eq!(report.violations, [], "{}", report.last_lines.join("\n"));
}

#[test]
fn nothing_is_violated_in_larger_worlds_of_jobs() {
    let options = SimOptions { worlds: Worlds::Jobs, jobs: 60, ..SimOptions::new(0..60) };
    let report = simulate(&options, &|_| {});
    assert_eq!(report.violations, [], "{}", report.last_lines.join("\n"));
}

/// Seeds that showed a bug once: a step after the worker stood still past its lease, a claim whose answer came after its lease was over,
/// a job begun beside an attempt of the same worker that was still ending, clocks that differed.
#[test]
fn what_was_mended_stays_mended() {
    for seed in [155, 242, 468, 531, 798, 4026, 9298] {
        let trace = replay(seed, &SimOptions { worlds: Worlds::Jobs, ..SimOptions::new(0..0) });
        assert_eq!(trace.violations, [], "seed {seed}");
    }
}

#[test]
fn a_seed_replays_exactly() {
    let options = SimOptions::new(0..0);
    for seed in [3, 17, 58, 1234] {
        let (first, second) = (replay(seed, &options), replay(seed, &options));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_eq!(first.lines, second.lines, "seed {seed}");
    }
    assert_ne!(replay(1, &options).hash, replay(2, &options).hash);
}

#[test]
fn everything_that_matters_happens_somewhere() {
    let report = &*SMALL;
    let missing: Vec<&str> = [
        "add label",
        "answer lost",
        "ask about a conflict",
        "ask about reviews",
        "ask for approval",
        "call failed",
        "call: attempts failed",
        "call: checks red",
        "call: conflict",
        "call: pull request closed",
        "call: refused",
        "call: review limit",
        "clock jumps",
        "close issue",
        "create branch",
        "create epic",
        "create issue",
        "cut off",
        "delete branch",
        "drain",
        "engine rests",
        "extend checklist",
        "enable auto-merge",
        "freeze",
        "job added",
        "job approved",
        "job built",
        "job cancelled",
        "job landed",
        "job refuted",
        "job repeated",
        "job verified",
        "job: attempt failed",
        "job: changes wanted",
        "job: engine limited",
        "link blocker",
        "link child",
        "merge",
        "name the created issues",
        "name the parent",
        "name the target branch",
        "open pull request",
        "publish a change",
        "publish a resolved conflict",
        "publish an answer to reviews",
        "publish mended checks",
        "publish our own resolution",
        "reap",
        "resolve thread",
        "stall",
        "tick",
        "update branch",
    ]
    .into_iter()
    .filter(|what| !report.seen.contains_key(what))
    .collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(report.crashes > 100 && report.merges > 100);
}

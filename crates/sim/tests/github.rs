//! The orchestrator on a hostile GitHub, through its genuine client: nothing is violated, nothing is done twice, no stranger's word gets
//! anywhere, and everything that matters happens somewhere.

use banksman_sim::{SimOptions, SimReport, Worlds, replay, simulate};
use std::sync::LazyLock;

/// Small worlds, run once for the tests that look at them.
static SMALL: LazyLock<SimReport> =
    LazyLock::new(|| simulate(&SimOptions { worlds: Worlds::Github, ..SimOptions::new(0..120) }, &|_| {}));

#[test]
fn nothing_is_violated_on_a_hostile_github() {
    let report = &*SMALL;
    assert_eq!(report.violations, [], "{}", report.last_lines.join("\n"));
    assert_eq!(report.worlds, 120);
}

#[test]
fn a_seed_replays_exactly_on_github() {
    let options = SimOptions { worlds: Worlds::Github, ..SimOptions::new(0..0) };
    for seed in [3, 17] {
        let (first, second) = (replay(seed, &options), replay(seed, &options));
        assert_eq!(first.hash, second.hash, "seed {seed}");
    }
}

#[test]
fn everything_that_matters_happens_on_github() {
    let report = &*SMALL;
    let missing: Vec<&str> = [
        "add label",
        "answer lost",
        "ask about a conflict",
        "ask about reviews",
        "call failed",
        "close issue",
        "create branch",
        "create epic",
        "create issue",
        "delete branch",
        "extend checklist",
        "link blocker",
        "link child",
        "merge",
        "name the target branch",
        "open pull request",
        "resolve thread",
        "tick",
        "update branch",
    ]
    .into_iter()
    .filter(|what| !report.seen.contains_key(what))
    .collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(
        report.crashes > 20 && report.merges > 50,
        "{} crashes, {} merges",
        report.crashes,
        report.merges
    );
    // What arrives without a step of an intent behind it would be an effect of nobody.
    assert_eq!(report.seen.get("github: a write of no step"), None);
}

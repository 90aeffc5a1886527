//! The orchestrator in simulated worlds: nothing is violated, seeds replay exactly, everything that matters happens somewhere, and
//! nothing of strangers reaches a log.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_sim::{SimOptions, replay, simulate};
use std::{
    io::Write,
    sync::{Arc, Mutex},
};

#[test]
fn nothing_is_violated_in_small_worlds() {
    let report = simulate(&SimOptions::new(0..250), &|_| {});
    assert_eq!(report.violations, [], "{}", report.last_lines.join("\n"));
    assert_eq!(report.worlds, 250);
}

#[test]
fn nothing_is_violated_in_larger_worlds() {
    let options = SimOptions { repos: 3, children: 9, ..SimOptions::new(0..12) };
    let report = simulate(&options, &|_| {});
    assert_eq!(report.violations, [], "{}", report.last_lines.join("\n"));
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
    let report = simulate(&SimOptions::new(0..250), &|_| {});
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
        "call: review limit",
        "close issue",
        "create branch",
        "create epic",
        "create issue",
        "delete branch",
        "enable auto-merge",
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

/// Collects what is logged.
#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Vec<u8>>>);

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_canary_reaches_the_log() {
    let pages = Pages::default();
    let writer = pages.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Replays run on this thread, so the subscriber of this thread hears them.
    tracing::subscriber::with_default(subscriber, || {
        for seed in 0..25 {
            assert_eq!(replay(seed, &SimOptions::new(0..0)).violations, []);
        }
    });
    let log = String::from_utf8(pages.0.lock().unwrap().clone()).unwrap();
    assert!(!log.is_empty(), "the loops log something");
    assert!(!log.contains("Kanarienvogel") && !log.contains("S2FuYXJpZW52b2dl"));
}

//! Every deliberate bug of the orchestrator is caught by some invariant within so many small worlds, and without one nothing is.

#![cfg(feature = "seeded-bugs")]

use banksman_orchestrator::bugs::Bug;
use banksman_sim::{Invariant, SimOptions, SimReport, Worlds, simulate};
use std::sync::Mutex;

/// Worlds in which a bug has to show.
const WORLDS: u64 = 2000;

fn with(bug: Option<Bug>, worlds: Worlds, seeds: std::ops::Range<u64>) -> SimReport {
    simulate(&SimOptions { bug, worlds, ..SimOptions::new(seeds) }, &|_| {})
}

/// Where a bug has to show: those of the queue in worlds of jobs, the others in worlds of repositories.
fn home(bug: Bug) -> Worlds {
    match bug {
        Bug::FenceIgnored
        | Bug::ReapForgotten
        | Bug::RetryUnlimited
        | Bug::ReviewSkipped
        | Bug::LeaseNotLookedAt
        | Bug::BeganBeside
        | Bug::LockFreedAtCancel
        | Bug::DependencyIgnored
        | Bug::LossCounted
        | Bug::PriorityIgnored
        | Bug::ClaimFenceIgnored => Worlds::Jobs,
        Bug::DoubleComment
        | Bug::EffectBeforeIntent
        | Bug::RecoveryRepeats
        | Bug::ReceiptNotRecorded
        | Bug::StaleMergeSha
        | Bug::LostTick
        | Bug::PhaseOrderIgnored
        | Bug::StrangerDispatched
        | Bug::CapIgnored
        | Bug::OwnHeadCounts
        | Bug::EscalationForgotten
        | Bug::JournalMissing
        | Bug::RequestLimitIgnored
        | Bug::MergeWhileRed
        | Bug::TickEarly
        | Bug::TextLeak => Worlds::Pipeline,
    }
}

#[test]
fn every_bug_is_caught() {
    let missed: Mutex<Vec<Bug>> = Mutex::default();
    for bug in Bug::ALL {
        // In steps, as most bugs show in the first few worlds.
        let caught = (0..WORLDS).step_by(25).find_map(|from| {
            let report = with(Some(bug), home(bug), from..from + 25);
            report.violations.first().cloned()
        });
        match caught {
            Some(violation) => println!("caught: {bug:?}: {violation}"),
            None => missed.lock().unwrap().push(bug),
        }
    }
    assert_eq!(*missed.lock().unwrap(), [], "not caught in {WORLDS} worlds");
}

#[test]
fn text_that_leaks_is_heard() {
    let report = with(Some(Bug::TextLeak), Worlds::Pipeline, 0..20);
    assert!(report.violations.iter().any(|v| v.invariant == Invariant::NoCanary));
}

#[test]
fn without_a_bug_nothing_is_violated() {
    assert_eq!(with(None, Worlds::Both, 0..400).violations, []);
}

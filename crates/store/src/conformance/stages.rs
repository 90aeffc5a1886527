//! Stages: a job moves along the graph only, each step is recorded, and what failed is counted (Q6 to Q9).

use super::{job_samples::*, samples::*};
use banksman_core::{
    job::{JobEvent, JobState, Outcome, Stage, Why},
    port::{Claim, Store, StoreError},
    work::{FailReason, Verdict},
};

/// One call, three moves, no claim left; the claim that comes back has the job as it is.
pub async fn a_job_ships_in_one_call(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 2, at(20)).await.unwrap();
    let shipped = ship(store, &claimed, at(50)).await;
    assert_eq!(shipped.job.state, JobState::Shipped { at: at(50), outcome: published() });
    assert_eq!(job(store, id).await, shipped.job);
    let way: Vec<_> = store.moves(id).await.unwrap().iter().map(|m| (m.from, m.to, m.at, m.why)).collect();
    let stages = [
        (None, Stage::Inbox, at(10), Why::Added),
        (Some(Stage::Inbox), Stage::Building, at(20), Why::Claimed),
        (Some(Stage::Building), Stage::Review, at(50), Why::Passed),
        (Some(Stage::Review), Stage::Testing, at(50), Why::Passed),
        (Some(Stage::Testing), Stage::Shipped, at(50), Why::Passed),
    ];
    assert_eq!(way, stages);
    let moves = store.moves(id).await.unwrap();
    assert!(moves[1..].iter().all(|m| m.attempt == Some(claimed.attempt) && m.who == holder(2)));
    assert_eq!(store.attempts(id).await.unwrap(), [record(&claimed, None)]);
    assert_eq!(store.claims().await.unwrap(), []);
    assert_eq!(claim_id(store, 2, &offer(), at(60)).await, None);
}

/// As if it had done one after the other: what the first job frees (its lock, what waits for it) the second claim may have.
pub async fn a_worker_ends_one_job_and_gets_the_next(store: &impl Store) {
    let first = add(store, "first", locked("deploy")).await;
    let same_lock = add(store, "second", locked("deploy")).await;
    let dependent = add(store, "third", after(&[first])).await;
    let mut held = claim(store, 2, at(20)).await.unwrap();
    for next in [same_lock, dependent] {
        let end = record(&held, None);
        let turned =
            store.advance_and_claim(&held, ships(at(50)), &end, &offer(), at(50), TTL).await.unwrap();
        assert_eq!(job(store, held.job.id).await, turned.claim.job);
        assert_eq!(turned.claim.job.state.stage(), Stage::Shipped);
        assert_eq!(store.attempts(held.job.id).await.unwrap(), [end]);
        held = turned.next.unwrap().unwrap().claim;
        assert_eq!((held.job.id, held.since, held.until), (next, at(50), at(110)));
        assert_eq!((held.holder.clone(), job(store, next).await), (holder(2), held.job.clone()));
        assert_eq!(store.claims().await.unwrap(), std::slice::from_ref(&held));
    }
    let last = record(&held, None);
    let turned = store.advance_and_claim(&held, ships(at(60)), &last, &offer(), at(60), TTL).await.unwrap();
    assert_eq!(turned.claim.job.state.stage(), Stage::Shipped);
    assert!(turned.next.unwrap().is_none());
}

/// Neither half of a refused call is written.
pub async fn who_may_not_end_a_job_gets_no_other_one_for_it(store: &impl Store) {
    let lost = add(store, "lost", spec()).await;
    let waits = add(store, "waits", spec()).await;
    let old = claim(store, 2, at(20)).await.unwrap();
    assert!(store.lose(&old, &holder(9), at(30)).await.unwrap());
    let end = record(&old, None);
    let turned = store.advance_and_claim(&old, ships(at(50)), &end, &offer(), at(50), TTL).await;
    assert_eq!(turned.err(), Some(StoreError::Fenced));
    assert_eq!((stage(store, lost).await, stage(store, waits).await), (Stage::Building, Stage::Inbox));
    assert_eq!(store.claims().await.unwrap(), []);
}

/// Each with the claim that the step before gave back.
pub async fn stages_are_passed_one_by_one(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let mut claim = claim(store, 2, at(20)).await.unwrap();
    for (now, event) in (30..).zip(ships(at(32))) {
        claim = store.advance(&claim, vec![event], None, at(now)).await.unwrap();
        assert_eq!(job(store, id).await, claim.job);
    }
    assert_eq!(claim.job.state.stage(), Stage::Shipped);
    assert_eq!(store.moves(id).await.unwrap().len(), 5);
    assert_eq!(store.attempts(id).await.unwrap()[0].ended_at, None);
}

/// The same attempt and the same claim; a lease that was renewed meanwhile stays as it is.
pub async fn a_job_goes_back_to_building_in_the_same_attempt(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 2, at(20)).await.unwrap();
    let review = store.advance(&claimed, vec![JobEvent::Built], None, at(30)).await.unwrap();
    store.renew(&review, at(40), TTL).await.unwrap();
    let changes = vec![JobEvent::SentBack { why: Why::Changes }];
    let building = store.advance(&review, changes, None, at(41)).await.unwrap();
    assert_eq!((building.attempt, building.token), (claimed.attempt, claimed.token));
    assert_eq!((building.until, building.job.state.held().unwrap().until), (at(100), at(100)));
    let testing = vec![JobEvent::Built, JobEvent::Approved];
    let testing = store.advance(&building, testing, None, at(42)).await.unwrap();
    let refuted = vec![JobEvent::SentBack { why: Why::Refuted }];
    let building = store.advance(&testing, refuted, None, at(43)).await.unwrap();
    assert_eq!(job(store, id).await, building.job);
    let why = [Why::Added, Why::Claimed, Why::Passed, Why::Changes, Why::Passed, Why::Passed, Why::Refuted];
    assert_eq!(reasons(store, id).await, why);
    assert_eq!(store.attempts(id).await.unwrap().len(), 1);
    ship(store, &building, at(50)).await;
}

/// From whatever stage; the job waits in `building` for another attempt.
pub async fn a_failed_attempt_is_counted_and_the_job_waits(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let to_stage = [vec![], vec![JobEvent::Built], vec![JobEvent::Built, JobEvent::Approved]];
    for (round, events) in (1..).zip(to_stage) {
        let now = at(100 * i64::from(round));
        let claimed = claim(store, 1, now).await.unwrap();
        let claimed = store.advance(&claimed, events, None, now).await.unwrap();
        let failure = record(&claimed, Some(FailReason::ExitCode));
        let waiting =
            store.advance(&claimed, again(now, FailReason::ExitCode), Some(&failure), now).await.unwrap();
        assert_eq!((waiting.job.failures, waiting.job.losses), (round, 0));
        assert_eq!(waiting.job.state, JobState::Waiting { not_before: now });
        assert_eq!(job(store, id).await, waiting.job);
        let last = store.moves(id).await.unwrap().pop().unwrap();
        assert_eq!((last.to, last.why), (Stage::Building, Why::Retried(FailReason::ExitCode)));
        assert_eq!(last.attempt, Some(claimed.attempt));
    }
    assert_eq!(store.attempts(id).await.unwrap().len(), 3);
}

/// A quota that is used up and a host that shuts down are no failures, nor is an end without a record.
pub async fn what_is_nobodys_fault_is_not_counted(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    for why in [Why::Limited, Why::Interrupted] {
        let claimed = claim(store, 1, at(20)).await.unwrap();
        let events = vec![JobEvent::Again { not_before: at(20), why }];
        store.advance(&claimed, events, Some(&record(&claimed, None)), at(20)).await.unwrap();
    }
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.advance(&claimed, again(at(20), FailReason::Workspace), None, at(20)).await.unwrap();
    let waiting = job(store, id).await;
    assert_eq!((waiting.failures, waiting.losses), (0, 0));
}

/// By the last attempt; the failure counts.
pub async fn a_job_fails_for_good(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    let failed = fail(store, &claimed, at(30)).await;
    assert_eq!(failed.job.state, JobState::Failed { at: at(30), reason: FailReason::NoCommit });
    assert_eq!((failed.job.failures, job(store, id).await), (1, failed.job));
    assert_eq!(reasons(store, id).await[2], Why::Failed(FailReason::NoCommit));
    assert_eq!(claim_id(store, 1, &offer(), at(90)).await, None);
}

/// Its worker is gone: counted as a loss, not as a failure; the attempt has no end.
pub async fn a_lost_attempt_is_counted_as_lost(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    let claimed = store.advance(&claimed, vec![JobEvent::Built], None, at(30)).await.unwrap();
    assert!(store.lose(&claimed, &holder(9), at(90)).await.unwrap());
    let waiting = job(store, id).await;
    assert_eq!((waiting.failures, waiting.losses), (0, 1));
    assert_eq!(waiting.state, JobState::Waiting { not_before: at(90) });
    let last = store.moves(id).await.unwrap().pop().unwrap();
    assert_eq!((last.from, last.to, last.why), (Some(Stage::Review), Stage::Building, Why::Lost));
    assert_eq!((last.who, last.attempt), (holder(9), Some(claimed.attempt)));
    assert_eq!(store.attempts(id).await.unwrap()[0].ended_at, None);
    let second = claim(store, 2, at(90)).await.unwrap();
    assert!(second.attempt != claimed.attempt && second.job.losses == 1);
}

/// A lease that is over is left alone until somebody says that it is lost.
pub async fn a_claim_whose_lease_is_over_is_not_given_away(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(claim_id(store, 2, &offer(), at(10_000)).await, None);
    assert_eq!(job(store, id).await, claimed.job);
}

/// Nothing of a row of events is written when one of them is not possible.
pub async fn events_that_the_graph_does_not_have_are_refused(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    let held = claimed.job.state.held().unwrap().clone();
    let bad: [Vec<JobEvent>; 6] = [
        vec![JobEvent::Approved],
        vec![JobEvent::Proved { outcome: Outcome::Ran, at: at(30) }],
        vec![JobEvent::SentBack { why: Why::Changes }],
        vec![JobEvent::Built, JobEvent::Built],
        vec![JobEvent::Again { not_before: at(30), why: Why::Limited }, JobEvent::Claimed(held)],
        vec![JobEvent::Cancelled { at: at(30) }],
    ];
    for events in bad {
        let end = record(&claimed, Some(FailReason::Stale));
        let answer = store.advance(&claimed, events, Some(&end), at(30)).await;
        assert!(matches!(answer, Err(StoreError::Missing(_))), "{answer:?}");
    }
    assert_eq!(job(store, id).await, claimed.job);
    assert_eq!(store.moves(id).await.unwrap().len(), 2);
    assert_eq!(store.attempts(id).await.unwrap()[0].ended_at, None);
}

/// Every kind of outcome and of reason.
pub async fn every_end_comes_back(store: &impl Store) {
    let outcomes = [published(), Outcome::Reviewed { verdict: Verdict::Changes }, Outcome::Ran];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let id = add(store, &format!("job-{n}"), spec()).await;
        let claimed = claim(store, 1, at(20)).await.unwrap();
        let mut events = ships(at(30));
        events[2] = JobEvent::Proved { outcome: outcome.clone(), at: at(30) };
        let shipped: Claim = store.advance(&claimed, events, None, at(31)).await.unwrap();
        assert_eq!(shipped.job.state, JobState::Shipped { at: at(30), outcome });
        assert_eq!(job(store, id).await, shipped.job);
    }
    for reason in [FailReason::VerifyFailed, FailReason::EngineMissing, FailReason::OverBudget] {
        let id = add(store, "job", spec()).await;
        let claimed = claim(store, 1, at(20)).await.unwrap();
        store.advance(&claimed, fails(at(30), reason), None, at(30)).await.unwrap();
        assert_eq!(job(store, id).await.state, JobState::Failed { at: at(30), reason });
        assert_eq!(job(store, id).await.failures, 0);
    }
}

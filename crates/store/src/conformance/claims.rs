//! Claims: one worker for an item at a time, none is lost with its worker, stale workers are refused.

use super::samples::*;
use banksman_core::{
    id::{Token, WorkId},
    port::{AttemptRecord, Claim, NewWork, Store, StoreError, WorkFilter},
    work::{FailReason, Usage, WorkItem, WorkOutcome, WorkState},
};
use futures_util::future::join_all;
use jiff::Timestamp;

async fn claim(store: &impl Store, by: u32, now: Timestamp) -> Option<Claim> {
    store.claim(&holder(by), &[engine("claude"), engine("codex")], now, TTL).await.unwrap()
}

async fn item(store: &impl Store, id: WorkId) -> WorkItem {
    let items = store.work(&WorkFilter::Repo(repo())).await.unwrap();
    items.into_iter().find(|i| i.id == id).unwrap()
}

async fn enqueue(store: &impl Store, work: &NewWork) -> WorkId {
    let lease = lease(store).await;
    store.enqueue(&lease, work).await.unwrap()
}

fn published() -> WorkOutcome {
    WorkOutcome::Published { branch: branch("agent/child-1"), sha: sha(9) }
}

/// In the order of enqueuing, engines that are not offered left out.
pub async fn the_oldest_item_of_the_engines_is_claimed(store: &impl Store) {
    let aider = enqueue(store, &implement(1, "aider")).await;
    let codex = enqueue(store, &implement(2, "codex")).await;
    let claude = enqueue(store, &implement(1, "claude")).await;
    let first = claim(store, 1, at(20)).await.unwrap();
    assert_eq!((first.item.id, first.token, first.until), (codex, Token(1), at(80)));
    let running =
        WorkState::Running { attempt: first.attempt, holder: holder(1), token: Token(1), until: at(80) };
    assert_eq!(first.item.state, running);
    assert_eq!(item(store, codex).await, first.item);
    assert_eq!(claim(store, 1, at(20)).await.unwrap().item.id, claude);
    assert_eq!(claim(store, 1, at(20)).await, None);
    assert_eq!(store.claim(&holder(1), &[], at(20), TTL).await.unwrap(), None);
    assert_eq!(item(store, aider).await.state, WorkState::Queued { not_before: at(10) });
}

/// A failed one waits for its pause while younger ones go on.
pub async fn an_item_is_not_claimed_before_its_time(store: &impl Store) {
    let first = enqueue(store, &implement(1, "claude")).await;
    let second = enqueue(store, &implement(2, "claude")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    let record = attempt(&claimed, Some(FailReason::NoCommit));
    store.finish(&claimed, Err(at(55)), &record).await.unwrap();
    assert_eq!(claim(store, 1, at(54)).await.unwrap().item.id, second);
    assert_eq!(claim(store, 1, at(54)).await, None);
    assert_eq!(claim(store, 1, at(55)).await.unwrap().item.id, first);
}

/// By the next claim of anybody, from the moment its lease ends.
pub async fn a_claim_that_ran_out_is_queued_again_and_counted_as_lost(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let first = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(claim(store, 2, at(79)).await, None);
    assert_eq!(store.claim(&holder(3), &[engine("aider")], at(80), TTL).await.unwrap(), None);
    let lost = item(store, id).await;
    assert_eq!((lost.losses, lost.failures, &lost.state), (1, 0, &WorkState::Queued { not_before: at(80) }));
    let second = claim(store, 2, at(80)).await.unwrap();
    assert_eq!((second.item.id, second.item.losses), (id, 1));
    assert!(second.token > first.token && second.attempt != first.attempt);
}

/// Once somebody else has the item, or it is queued again, the old worker can write nothing.
pub async fn a_lost_claim_is_fenced(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let old = claim(store, 1, at(20)).await.unwrap();
    store.claim(&holder(9), &[], at(80), TTL).await.unwrap();
    let queued = item(store, id).await;
    assert_eq!(store.renew(&old, at(81), TTL).await, Err(StoreError::Fenced));
    assert_eq!(store.finish(&old, Ok(published()), &attempt(&old, None)).await, Err(StoreError::Fenced));
    assert_eq!(item(store, id).await, queued);
    let new = claim(store, 2, at(82)).await.unwrap();
    assert_eq!(store.renew(&old, at(83), TTL).await, Err(StoreError::Fenced));
    assert_eq!(store.finish(&old, Err(at(83)), &attempt(&old, None)).await, Err(StoreError::Fenced));
    assert_eq!(item(store, id).await, new.item);
    assert!(store.attempts(&repo()).await.unwrap().iter().all(|a| a.ended_at.is_none()));
}

/// As long as it is renewed nobody else gets the item.
pub async fn a_renewed_claim_lasts(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let first = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(store.renew(&first, at(70), TTL).await, Ok(at(130)));
    assert_eq!(claim(store, 2, at(129)).await, None);
    let renewed = item(store, id).await;
    assert!(
        matches!(renewed.state, WorkState::Running { until, token, .. } if until == at(130) && token == first.token)
    );
    assert_eq!(renewed.losses, 0);
    store.finish(&first, Ok(published()), &attempt(&first, None)).await.unwrap();
}

/// Nobody else has the item, so that nothing is gained by throwing the work away.
pub async fn a_claim_that_ran_out_unnoticed_may_be_renewed_and_finished(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let late = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(store.renew(&late, at(500), TTL).await, Ok(at(560)));
    store.finish(&late, Ok(published()), &attempt(&late, None)).await.unwrap();
    assert!(matches!(item(store, id).await.state, WorkState::Done { .. }));
}

/// With every kind of outcome.
pub async fn a_finished_item_is_done(store: &impl Store) {
    let outcomes = [
        published(),
        WorkOutcome::Reviewed { verdict: banksman_core::work::Verdict::Changes },
        WorkOutcome::Failed { reason: FailReason::TimedOut },
        WorkOutcome::Cancelled,
    ];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let id = enqueue(store, &implement(n as u64 + 1, "claude")).await;
        let claimed = claim(store, 1, at(20)).await.unwrap();
        assert_eq!(claimed.item.id, id);
        let failure = match &outcome {
            WorkOutcome::Failed { reason } => Some(*reason),
            _ => None,
        };
        store.finish(&claimed, Ok(outcome.clone()), &attempt(&claimed, failure)).await.unwrap();
        let done = item(store, id).await;
        assert_eq!(done.state, WorkState::Done { outcome, at: at(50) });
        assert_eq!(done.failures, u32::from(failure.is_some()));
    }
    assert_eq!(store.work(&WorkFilter::Unfinished).await.unwrap(), []);
}

/// Each failure counts.
pub async fn a_failed_attempt_is_queued_again_and_counted(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    for failures in 1..=3 {
        let now = at(100 * i64::from(failures));
        let claimed = claim(store, 1, now).await.unwrap();
        let record = attempt(&claimed, Some(FailReason::ExitCode));
        store.finish(&claimed, Err(now), &record).await.unwrap();
        let queued = item(store, id).await;
        assert_eq!((queued.failures, queued.losses), (failures, 0));
        assert_eq!(queued.state, WorkState::Queued { not_before: now });
    }
}

/// It is neither a failure nor a loss: the host shut down in good order.
pub async fn an_interrupted_attempt_is_not_counted(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.finish(&claimed, Err(at(50)), &attempt(&claimed, None)).await.unwrap();
    let queued = item(store, id).await;
    assert_eq!((queued.failures, queued.losses), (0, 0));
}

/// What ended does not end again.
pub async fn a_finished_claim_is_over(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.finish(&claimed, Ok(published()), &attempt(&claimed, None)).await.unwrap();
    let done = item(store, id).await;
    assert_eq!(store.finish(&claimed, Err(at(60)), &attempt(&claimed, None)).await, Err(StoreError::Fenced));
    assert_eq!(store.renew(&claimed, at(60), TTL).await, Err(StoreError::Fenced));
    assert_eq!(item(store, id).await, done);
}

/// At once, without waiting for the lease to end; those of the living stay.
pub async fn claims_of_the_dead_are_queued_again(store: &impl Store) {
    let lease = store.lease(&repo(), &holder(9), at(0), TTL).await.unwrap().unwrap();
    let first = store.enqueue(&lease, &implement(1, "claude")).await.unwrap();
    let second = store.enqueue(&lease, &implement(2, "claude")).await.unwrap();
    let dead = claim(store, 1, at(20)).await.unwrap();
    let alive = claim(store, 2, at(20)).await.unwrap();
    assert_eq!((dead.item.id, alive.item.id), (first, second));
    assert_eq!(store.break_leases(&|h| *h == holder(1), at(21)).await.unwrap(), 1);
    let lost = item(store, first).await;
    assert_eq!((lost.losses, &lost.state), (1, &WorkState::Queued { not_before: at(21) }));
    assert_eq!(item(store, second).await, alive.item);
    assert_eq!(store.renew(&dead, at(22), TTL).await, Err(StoreError::Fenced));
    store.renew(&alive, at(22), TTL).await.unwrap();
    assert_eq!(claim(store, 3, at(22)).await.unwrap().item.id, first);
}

/// Whatever came between them.
pub async fn tokens_grow_with_each_claim(store: &impl Store) {
    enqueue(store, &implement(1, "claude")).await;
    let mut last = Token(0);
    for round in 1..=3 {
        let now = at(100 * round);
        let claimed = claim(store, 1, now).await.unwrap();
        assert_eq!(claimed.token, Token(last.0 + 1));
        last = claimed.token;
        match round {
            1 => store.finish(&claimed, Err(now), &attempt(&claimed, None)).await.unwrap(),
            2 => assert_eq!(store.break_leases(&|_| true, now).await.unwrap(), 2),
            _ => {}
        }
    }
}

/// The race for one item has one winner.
pub async fn an_item_goes_to_one_of_many_workers(store: &impl Store) {
    for n in 1..=5 {
        enqueue(store, &implement(n, "claude")).await;
    }
    let claims = join_all((1..=16).map(|by| claim(store, by, at(20)))).await;
    let mut won: Vec<WorkId> = claims.iter().flatten().map(|c| c.item.id).collect();
    assert_eq!(won.len(), 5);
    won.sort_unstable();
    won.dedup();
    assert_eq!(won.len(), 5);
    let mut attempts: Vec<_> = claims.iter().flatten().map(|c| c.attempt).collect();
    attempts.sort_unstable();
    attempts.dedup();
    assert_eq!(attempts.len(), 5);
}

/// All of them, those that were lost too; the start is the time of the claim.
pub async fn attempts_are_kept(store: &impl Store) {
    let id = enqueue(store, &implement(1, "claude")).await;
    let lost = claim(store, 1, at(20)).await.unwrap();
    let failed = claim(store, 2, at(100)).await.unwrap();
    let failure = AttemptRecord { started_at: at(100), ..attempt(&failed, Some(FailReason::Stale)) };
    store.finish(&failed, Err(at(110)), &failure).await.unwrap();
    let done = claim(store, 2, at(120)).await.unwrap();
    let success = AttemptRecord { started_at: at(120), ended_at: Some(at(130)), ..attempt(&done, None) };
    store.finish(&done, Ok(published()), &success).await.unwrap();
    let nothing = AttemptRecord {
        attempt: lost.attempt,
        work: id,
        started_at: at(20),
        ended_at: None,
        sandbox: None,
        failure: None,
        exit_code: None,
        usage: Usage::default(),
    };
    assert_eq!(store.attempts(&repo()).await.unwrap(), [nothing, failure, success]);
    assert_eq!(store.attempts(&other_repo()).await.unwrap(), []);
}

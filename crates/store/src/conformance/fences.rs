//! Fences: a write with an old token, or from a stage in which the job is not any more, is refused (Q6, Q12, I8).

use super::{job_samples::*, samples::*};
use banksman_core::{
    job::{JobEvent, JobState, Why},
    port::{Claim, Store, StoreError},
    work::FailReason,
};

/// Every write of the claim is refused, and nothing is changed by it.
async fn is_fenced(store: &impl Store, claim: &Claim) {
    let picture = async || {
        let id = claim.job.id;
        format!(
            "{:?} {:?} {:?} {:?}",
            store.job(id).await,
            store.moves(id).await,
            store.attempts(id).await,
            store.claims().await
        )
    };
    let before = picture().await;
    let end = record(claim, Some(FailReason::Stale));
    let limited = vec![JobEvent::Again { not_before: at(99), why: Why::Limited }];
    assert_eq!(store.renew(claim, at(99), TTL).await, Err(StoreError::Fenced));
    for events in [vec![], vec![JobEvent::Built], ships(at(99)), fails(at(99), FailReason::Stale), limited] {
        assert_eq!(store.advance(claim, events, Some(&end), at(99)).await, Err(StoreError::Fenced));
    }
    assert!(!store.lose(claim, &holder(9), at(99)).await.unwrap());
    store.let_go(claim, Some(&end), at(99)).await.unwrap();
    assert_eq!(picture().await, before);
}

/// Whether the job waits again or somebody else has it.
pub async fn a_lost_claim_can_write_nothing(store: &impl Store) {
    add(store, "job", locked("deploy")).await;
    let old = claim(store, 1, at(20)).await.unwrap();
    assert!(store.lose(&old, &holder(9), at(80)).await.unwrap());
    is_fenced(store, &old).await;
    let new = claim(store, 2, at(90)).await.unwrap();
    is_fenced(store, &old).await;
    is_fenced(store, &older(&new)).await;
    store.renew(&new, at(91), TTL).await.unwrap();
    ship(store, &new, at(92)).await;
    is_fenced(store, &old).await;
}

/// Ended is ended.
pub async fn a_claim_that_ended_can_write_nothing(store: &impl Store) {
    add(store, "shipped", spec()).await;
    let shipped = claim(store, 1, at(20)).await.unwrap();
    let after = ship(store, &shipped, at(30)).await;
    is_fenced(store, &shipped).await;
    is_fenced(store, &after).await;
    add(store, "failed", spec()).await;
    let failed = claim(store, 1, at(40)).await.unwrap();
    let after = fail(store, &failed, at(50)).await;
    is_fenced(store, &failed).await;
    is_fenced(store, &after).await;
    add(store, "repeated", spec()).await;
    let first = claim(store, 1, at(60)).await.unwrap();
    let end = record(&first, Some(FailReason::NoCommit));
    store.advance(&first, again(at(70), FailReason::NoCommit), Some(&end), at(70)).await.unwrap();
    is_fenced(store, &first).await;
}

/// It can only be let go.
pub async fn the_claim_of_a_cancelled_job_moves_it_no_more(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    store.cancel(id, &holder(9), at(30)).await.unwrap();
    let listed = store.claims().await.unwrap().remove(0);
    for claim in [&claimed, &listed] {
        assert_eq!(store.renew(claim, at(31), TTL).await, Err(StoreError::Fenced));
        let answer = store.advance(claim, ships(at(31)), Some(&record(claim, None)), at(31)).await;
        assert_eq!(answer, Err(StoreError::Fenced));
    }
    assert_eq!(job(store, id).await.state, JobState::Cancelled { at: at(30) });
    assert_eq!(store.moves(id).await.unwrap().len(), 3);
    assert_eq!(store.attempts(id).await.unwrap()[0].ended_at, None);
}

/// With the claim as it was before the last step.
pub async fn a_step_from_an_old_stage_is_refused(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let building = claim(store, 1, at(20)).await.unwrap();
    let review = store.advance(&building, vec![JobEvent::Built], None, at(30)).await.unwrap();
    let answer = store.advance(&building, vec![JobEvent::Built], None, at(31)).await;
    assert_eq!(answer, Err(StoreError::Fenced));
    assert_eq!(job(store, id).await, review.job);
    assert_eq!(store.moves(id).await.unwrap().len(), 3);
    store.advance(&review, vec![JobEvent::Approved], None, at(32)).await.unwrap();
}

/// Its worker came back: its processes run, so nobody may take it for lost on the word of what was read before.
pub async fn a_claim_that_was_renewed_is_not_lost(store: &impl Store) {
    let id = add(store, "job", locked("deploy")).await;
    let claimed = claim(store, 1, at(20)).await.unwrap();
    let read = store.claims().await.unwrap().remove(0);
    assert_eq!(store.renew(&claimed, at(200), TTL).await, Ok(at(260)));
    assert!(!store.lose(&read, &holder(9), at(201)).await.unwrap());
    assert!(!store.lose(&claimed, &holder(9), at(201)).await.unwrap());
    assert_eq!(job(store, id).await.losses, 0);
    let read = store.claims().await.unwrap().remove(0);
    assert!(store.lose(&read, &holder(9), at(300)).await.unwrap());
    assert_eq!(store.renew(&claimed, at(301), TTL).await, Err(StoreError::Fenced));
}

/// As long as nobody has said that it is lost, nothing is gained by throwing the work away.
pub async fn a_claim_that_ran_out_unnoticed_may_be_renewed_and_advanced(store: &impl Store) {
    let id = add(store, "job", spec()).await;
    let late = claim(store, 1, at(20)).await.unwrap();
    assert_eq!(store.renew(&late, at(500), TTL).await, Ok(at(560)));
    let renewed = job(store, id).await;
    assert_eq!(renewed.state.held().unwrap().until, at(560));
    ship(store, &late, at(5_000)).await;
    assert_eq!(stage(store, id).await, banksman_core::job::Stage::Shipped);
}

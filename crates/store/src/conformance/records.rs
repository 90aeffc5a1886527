//! Journal, plans, epics, and what holds for all tables.

use super::samples::*;
use banksman_core::{
    id::Number,
    intent::NewIntent,
    journal::JournalEntry,
    port::{EpicRecord, OutcomeResult, PlanRecord, Store, StoreError},
};
use jiff::SignedDuration;

/// The first one stays; the list is in the order of writing.
pub async fn a_journal_line_is_written_once(store: &impl Store) {
    let lease = lease(store).await;
    for child in [5, 3] {
        store.write_journal(&lease, &journal(child)).await.unwrap();
    }
    let second = JournalEntry { result: OutcomeResult::Closed, ..journal(5) };
    store.write_journal(&lease, &second).await.unwrap();
    assert_eq!(store.journal(&repo()).await.unwrap(), [journal(5), journal(3)]);
}

/// The stored one comes back, oldest first in the list; it is done once.
pub async fn a_plan_is_stored_once(store: &impl Store) {
    let lease = lease(store).await;
    assert_eq!(store.plan(&lease, &plan("b")).await.unwrap(), plan("b"));
    store.plan(&lease, &plan("a")).await.unwrap();
    let second = PlanRecord { plan: serde_json::json!({}), created_at: at(99), ..plan("b") };
    assert_eq!(store.plan(&lease, &second).await.unwrap(), plan("b"));
    store.plan_done(&lease, "b", at(50)).await.unwrap();
    store.plan_done(&lease, "b", at(60)).await.unwrap();
    let done = PlanRecord { done_at: Some(at(50)), ..plan("b") };
    assert_eq!(store.plan(&lease, &second).await.unwrap(), done);
    assert_eq!(store.plans(&repo()).await.unwrap(), [done, plan("a")]);
}

/// Nor one of another repository.
pub async fn a_plan_that_is_not_there_cannot_be_done(store: &impl Store) {
    let lease = lease(store).await;
    let other = lease_of(store, &other_repo()).await;
    store.plan(&other, &plan("a")).await.unwrap();
    let missing = store.plan_done(&lease, "a", at(50)).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))), "{missing:?}");
    assert_eq!(store.plans(&other_repo()).await.unwrap(), [plan("a")]);
}

/// The first record and the first end stay; ascending.
pub async fn an_epic_is_taken_in_once_and_ends_once(store: &impl Store) {
    let lease = lease(store).await;
    store.add_epic(&lease, &epic(8)).await.unwrap();
    store.add_epic(&lease, &epic(2)).await.unwrap();
    let second = EpicRecord { implementer: engine("codex"), ..epic(8) };
    store.add_epic(&lease, &second).await.unwrap();
    store.end_epic(&lease, Number(8), at(50)).await.unwrap();
    store.end_epic(&lease, Number(8), at(60)).await.unwrap();
    store.add_epic(&lease, &epic(8)).await.unwrap();
    let ended = EpicRecord { ended_at: Some(at(50)), ..epic(8) };
    assert_eq!(store.epics(&repo()).await.unwrap(), [epic(2), ended]);
}

/// Nor one of another repository.
pub async fn an_epic_that_is_not_there_cannot_end(store: &impl Store) {
    let lease = lease(store).await;
    let missing = store.end_epic(&lease, Number(1), at(50)).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))), "{missing:?}");
}

/// Order and equality of times decide, so that none may be rounded.
pub async fn times_are_kept_to_the_nanosecond(store: &impl Store) {
    let lease = lease(store).await;
    let fine = at(10) + SignedDuration::from_nanos(123_456_789);
    let new = NewIntent { at: fine, ..dispatch(1) };
    store.intend(&lease, &new, None).await.unwrap();
    assert_eq!(store.intent(&repo(), &new.key).await.unwrap().unwrap().created_at, fine);
    store.settle(&lease, &new.key, None, fine).await.unwrap();
    let state = store.intent(&repo(), &new.key).await.unwrap().unwrap().state;
    assert_eq!(state, banksman_core::intent::IntentState::Done { at: fine });
}

/// The same keys and numbers in both.
pub async fn two_repositories_do_not_see_each_other(store: &impl Store) {
    let (one, two) = (lease(store).await, lease_of(store, &other_repo()).await);
    let elsewhere = NewIntent { repo: other_repo(), at: at(77), ..dispatch(1) };
    store.intend(&one, &dispatch(1), Some(&spend(None))).await.unwrap();
    store.intend(&two, &elsewhere, None).await.unwrap();
    store.settle(&one, &elsewhere.key, None, at(80)).await.unwrap();
    assert_eq!(store.open_intents(&repo()).await.unwrap(), []);
    let open = store.open_intents(&other_repo()).await.unwrap();
    assert_eq!(open.iter().map(|i| (&i.repo, i.created_at)).collect::<Vec<_>>(), [(&other_repo(), at(77))]);
    assert_eq!(store.ledger(&other_repo()).await.unwrap(), []);

    store.plan(&one, &plan("a")).await.unwrap();
    store.add_epic(&one, &epic(1)).await.unwrap();
    store.write_journal(&one, &journal(1)).await.unwrap();
    assert_eq!(store.plans(&other_repo()).await.unwrap(), []);
    assert_eq!(store.epics(&other_repo()).await.unwrap(), []);
    assert_eq!(store.journal(&other_repo()).await.unwrap(), []);
}

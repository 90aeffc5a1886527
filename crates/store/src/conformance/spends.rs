//! Spends: one with their intent (X4), and never past the cap (I4).

use super::samples::*;
use banksman_core::{
    id::Number,
    intent::NewIntent,
    port::{Intended, LedgerEntry, LedgerState, Refusal, Spend, Store},
    text::ProviderName,
};
use futures_util::future::join_all;

async fn states(store: &impl Store) -> Vec<(u64, LedgerState)> {
    store.ledger(&repo()).await.unwrap().into_iter().map(|e| (e.issue.0, e.state)).collect()
}

/// Reserved, then settled with the last receipt or without one.
pub async fn a_spend_is_reserved_with_its_intent_and_settled_with_its_end(store: &impl Store) {
    let lease = lease(store).await;
    for child in [1, 2] {
        let cost = Spend { cost: 3, ..spend(Some(10)) };
        assert!(matches!(store.intend(&lease, &dispatch(child), Some(&cost)).await, Ok(Intended::New(_))));
    }
    let entry = LedgerEntry {
        at: at(10),
        repo: repo(),
        issue: Number(1),
        implementer: engine("claude"),
        epic: Some(Number(1)),
        cost: 3,
        money: None,
        tokens: None,
        provider: ProviderName::new("claude").unwrap(),
        member: None,
        state: LedgerState::Reserved,
    };
    let second = LedgerEntry { issue: Number(2), ..entry.clone() };
    assert_eq!(store.ledger(&repo()).await.unwrap(), [entry, second]);
    store.record(&lease, &dispatch(1).key, &receipt(1), false).await.unwrap();
    assert_eq!(states(store).await, [(1, LedgerState::Reserved), (2, LedgerState::Reserved)]);
    store.record(&lease, &dispatch(1).key, &receipt(2), true).await.unwrap();
    store.settle(&lease, &dispatch(2).key, None, at(30)).await.unwrap();
    assert_eq!(states(store).await, [(1, LedgerState::Settled), (2, LedgerState::Settled)]);
}

/// What it had reserved is free for the next.
pub async fn a_refusal_releases_the_spend(store: &impl Store) {
    let lease = lease(store).await;
    store.intend(&lease, &dispatch(1), Some(&spend(Some(1)))).await.unwrap();
    assert_eq!(store.intend(&lease, &dispatch(2), Some(&spend(Some(1)))).await, Ok(Intended::OverCap));
    store.settle(&lease, &dispatch(1).key, Some(Refusal::NotAllowed), at(20)).await.unwrap();
    assert!(matches!(store.intend(&lease, &dispatch(2), Some(&spend(Some(1)))).await, Ok(Intended::New(_))));
    assert_eq!(states(store).await, [(1, LedgerState::Released), (2, LedgerState::Reserved)]);
}

/// Neither the intent nor the ledger entry; settled ones count like reserved ones.
pub async fn an_intent_over_the_cap_is_not_written(store: &impl Store) {
    let lease = lease(store).await;
    store.intend(&lease, &dispatch(1), Some(&spend(Some(2)))).await.unwrap();
    store.record(&lease, &dispatch(1).key, &receipt(1), true).await.unwrap();
    let two = Spend { cost: 2, ..spend(Some(2)) };
    assert_eq!(store.intend(&lease, &dispatch(2), Some(&two)).await, Ok(Intended::OverCap));
    assert_eq!(store.intents(&repo()).await.unwrap().len(), 1);
    assert_eq!(store.ledger(&repo()).await.unwrap().len(), 1);
    assert!(matches!(store.intend(&lease, &dispatch(2), Some(&spend(Some(2)))).await, Ok(Intended::New(_))));
    assert_eq!(store.intend(&lease, &dispatch(3), Some(&spend(Some(0)))).await, Ok(Intended::OverCap));
    assert!(matches!(store.intend(&lease, &dispatch(3), Some(&spend(None))).await, Ok(Intended::New(_))));
}

/// Even where the cap is used up it is said to exist, not to be over the cap.
pub async fn an_intent_that_exists_spends_nothing(store: &impl Store) {
    let lease = lease(store).await;
    store.intend(&lease, &dispatch(1), Some(&spend(Some(1)))).await.unwrap();
    let again = store.intend(&lease, &dispatch(1), Some(&spend(Some(1)))).await.unwrap();
    assert!(matches!(again, Intended::Exists(_)), "{again:?}");
    assert_eq!(store.ledger(&repo()).await.unwrap().len(), 1);
}

/// One line in the ledger for one intent, at the time of the last try.
pub async fn a_reopened_intent_spends_again_and_asks_the_cap(store: &impl Store) {
    let lease = lease(store).await;
    let first = dispatch(1);
    store.intend(&lease, &first, Some(&spend(Some(1)))).await.unwrap();
    store.settle(&lease, &first.key, Some(Refusal::NotAllowed), at(20)).await.unwrap();
    store.intend(&lease, &dispatch(2), Some(&spend(Some(1)))).await.unwrap();
    let again = NewIntent { at: at(50), ..first.clone() };
    assert_eq!(store.intend(&lease, &again, Some(&spend(Some(1)))).await, Ok(Intended::OverCap));
    let refused = store.intent(&repo(), &first.key).await.unwrap().unwrap();
    assert!(matches!(refused.state, banksman_core::intent::IntentState::Refused { tries: 1, .. }));

    let reopened = store.intend(&lease, &again, Some(&spend(Some(2)))).await.unwrap();
    assert!(matches!(reopened, Intended::Again(_)), "{reopened:?}");
    let ledger = store.ledger(&repo()).await.unwrap();
    assert_eq!(ledger.len(), 2);
    let entry = ledger.iter().find(|e| e.issue == Number(1)).unwrap();
    assert_eq!((entry.state, entry.at), (LedgerState::Reserved, at(50)));
}

/// What was spent before the window, or elsewhere, does not count.
pub async fn the_cap_counts_its_window_and_its_repository_only(store: &impl Store) {
    let lease = lease(store).await;
    let other = lease_of(store, &other_repo()).await;
    let elsewhere = NewIntent { repo: other_repo(), ..dispatch(1) };
    store.intend(&other, &elsewhere, Some(&spend(Some(1)))).await.unwrap();
    store.intend(&lease, &dispatch(1), Some(&spend(Some(1)))).await.unwrap();
    let inside = Spend { window_start: at(10), ..spend(Some(1)) };
    assert_eq!(store.intend(&lease, &dispatch(2), Some(&inside)).await, Ok(Intended::OverCap));
    let after = Spend { window_start: at(11), ..spend(Some(1)) };
    assert!(matches!(store.intend(&lease, &dispatch(2), Some(&after)).await, Ok(Intended::New(_))));
}

/// Overspend: 0.
pub async fn sixteen_at_once_do_not_pass_the_cap(store: &impl Store) {
    let lease = lease(store).await;
    let (intents, cost): (Vec<_>, _) = ((1..=16).map(dispatch).collect(), spend(Some(5)));
    let answers = join_all(intents.iter().map(|intent| store.intend(&lease, intent, Some(&cost)))).await;
    let written = answers.iter().filter(|a| matches!(a, Ok(Intended::New(_)))).count();
    let refused = answers.iter().filter(|a| matches!(a, Ok(Intended::OverCap))).count();
    assert_eq!((written, refused), (5, 11));
    assert_eq!(store.ledger(&repo()).await.unwrap().len(), 5);
    assert_eq!(store.intents(&repo()).await.unwrap().len(), 5);
}

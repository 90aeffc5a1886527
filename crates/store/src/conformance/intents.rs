//! Intents: at most once per key, receipts in order, refusals that may be tried again.

use super::samples::*;
use banksman_core::{
    id::Number,
    intent::{Deed, IntentState, Made, NewIntent, Receipt},
    port::{Intended, Refusal, Store, StoreError},
};
use futures_util::future::join_all;

/// A second time it is there already, open or done.
pub async fn an_intent_is_written_once(store: &impl Store) {
    let lease = lease(store).await;
    let new = dispatch(1);
    let first = store.intend(&lease, &new, None).await.unwrap();
    let Intended::New(intent) = first else { panic!("{first:?}") };
    assert_eq!(
        (&intent.repo, &intent.key, intent.subject, &intent.deed),
        (&new.repo, &new.key, new.subject, &new.deed)
    );
    assert_eq!((intent.created_at, &intent.state), (new.at, &IntentState::Open));
    assert!(intent.receipts.is_empty());

    let later = NewIntent { at: at(99), ..new.clone() };
    assert_eq!(store.intend(&lease, &later, None).await.unwrap(), Intended::Exists(intent));
    store.record(&lease, &new.key, &receipt(1), true).await.unwrap();
    let third = store.intend(&lease, &later, None).await.unwrap();
    assert!(
        matches!(&third, Intended::Exists(i) if matches!(i.state, IntentState::Done { .. })),
        "{third:?}"
    );
    assert_eq!(store.intents(&repo()).await.unwrap().len(), 1);
}

/// One for each step.
pub async fn receipts_are_kept_in_their_order(store: &impl Store) {
    let lease = lease(store).await;
    let key = dispatch(1).key;
    store.intend(&lease, &dispatch(1), None).await.unwrap();
    for n in 1..=3 {
        store.record(&lease, &key, &receipt(n), false).await.unwrap();
        let intent = store.intent(&repo(), &key).await.unwrap().unwrap();
        assert_eq!(intent.receipts, (1..=n).map(receipt).collect::<Vec<_>>());
        assert_eq!(intent.state, IntentState::Open);
    }
}

/// Done at the server time of its last step.
pub async fn a_last_receipt_ends_the_intent(store: &impl Store) {
    let lease = lease(store).await;
    let key = dispatch(1).key;
    store.intend(&lease, &dispatch(1), None).await.unwrap();
    store.record(&lease, &key, &receipt(1), false).await.unwrap();
    store.record(&lease, &key, &receipt(2), true).await.unwrap();
    let intent = store.intent(&repo(), &key).await.unwrap().unwrap();
    assert_eq!(intent.state, IntentState::Done { at: receipt(2).at });
    assert_eq!(intent.receipts, [receipt(1), receipt(2)]);
    assert_eq!(store.open_intents(&repo()).await.unwrap(), []);
}

/// Done at the given time, without a receipt.
pub async fn an_intent_without_steps_is_settled(store: &impl Store) {
    let lease = lease(store).await;
    store.intend(&lease, &dispatch(1), None).await.unwrap();
    store.settle(&lease, &dispatch(1).key, None, at(40)).await.unwrap();
    let intent = store.intent(&repo(), &dispatch(1).key).await.unwrap().unwrap();
    assert_eq!((intent.state, intent.receipts), (IntentState::Done { at: at(40) }, Vec::new()));
}

/// Refused, open again, refused again: the tries go up, the first time stays.
pub async fn a_refused_intent_is_opened_again_and_counts_its_tries(store: &impl Store) {
    let lease = lease(store).await;
    let new = dispatch(1);
    store.intend(&lease, &new, None).await.unwrap();
    for tries in 1..=3 {
        let now = at(100 * i64::from(tries));
        store.settle(&lease, &new.key, Some(Refusal::NotAllowed), now).await.unwrap();
        let refused = store.intent(&repo(), &new.key).await.unwrap().unwrap();
        assert_eq!(refused.state, IntentState::Refused { reason: Refusal::NotAllowed, at: now, tries });
        assert_eq!(store.open_intents(&repo()).await.unwrap(), []);

        let again = store.intend(&lease, &NewIntent { at: now, ..new.clone() }, None).await.unwrap();
        let Intended::Again(intent) = again else { panic!("{again:?}") };
        assert_eq!((&intent.state, intent.created_at), (&IntentState::Open, new.at));
        assert_eq!(store.open_intents(&repo()).await.unwrap(), [intent]);
    }
    store.record(&lease, &new.key, &receipt(1), true).await.unwrap();
    assert_eq!(store.intents(&repo()).await.unwrap().len(), 1);
}

/// A step that was done is not done again, so the deed that it belongs to stays too; without a receipt the newer deed counts.
pub async fn a_refused_intent_keeps_its_receipts_and_their_deed(store: &impl Store) {
    let lease = lease(store).await;
    let older = dispatch(1);
    let newer = NewIntent {
        deed: Deed::Dispatch {
            child: Number(1),
            epic: Number(1),
            branch: branch("epic/1-security"),
            label: banksman_core::intent::label("agent:codex"),
        },
        ..older.clone()
    };
    store.intend(&lease, &older, None).await.unwrap();
    store.settle(&lease, &older.key, Some(Refusal::NotFound), at(30)).await.unwrap();
    let again = inner(store.intend(&lease, &newer, None).await.unwrap());
    assert_eq!(again.deed, newer.deed);
    store.record(&lease, &older.key, &receipt(1), false).await.unwrap();
    store.settle(&lease, &older.key, Some(Refusal::NotFound), at(40)).await.unwrap();
    let again = inner(store.intend(&lease, &older, None).await.unwrap());
    assert_eq!((again.deed, again.receipts), (newer.deed, vec![receipt(1)]));
    assert_eq!(store.intents(&repo()).await.unwrap().len(), 1);
}

/// Unknown, done and refused ones: no receipt, no end.
pub async fn an_intent_that_is_not_open_takes_nothing(store: &impl Store) {
    let lease = lease(store).await;
    for (child, refusal) in [(1, None), (2, Some(Refusal::Ended))] {
        store.intend(&lease, &dispatch(child), None).await.unwrap();
        store.settle(&lease, &dispatch(child).key, refusal, at(30)).await.unwrap();
    }
    let before = store.intents(&repo()).await.unwrap();
    for child in [1, 2, 3] {
        let key = dispatch(child).key;
        let missing = |result| assert!(matches!(result, Err(StoreError::Missing(_))), "{result:?}");
        missing(store.record(&lease, &key, &receipt(1), false).await);
        missing(store.record(&lease, &key, &receipt(1), true).await);
        missing(store.settle(&lease, &key, None, at(31)).await);
        missing(store.settle(&lease, &key, Some(Refusal::Conflict), at(31)).await);
    }
    assert_eq!(store.intents(&repo()).await.unwrap(), before);
}

/// Oldest first in every list.
pub async fn intents_are_found_by_state_subject_and_key(store: &impl Store) {
    let lease = lease(store).await;
    for child in [3, 1, 2] {
        store.intend(&lease, &dispatch(child), None).await.unwrap();
    }
    let escalate = Deed::FlagApproval { child: Number(1) };
    let flag =
        NewIntent { repo: repo(), key: escalate.key(0), subject: Number(1), deed: escalate, at: at(11) };
    store.intend(&lease, &flag, None).await.unwrap();
    store.settle(&lease, &dispatch(3).key, None, at(12)).await.unwrap();

    let keys =
        |intents: Vec<banksman_core::intent::Intent>| intents.into_iter().map(|i| i.key).collect::<Vec<_>>();
    let [a, b, c] = [1, 2, 3].map(|n| dispatch(n).key);
    assert_eq!(keys(store.intents(&repo()).await.unwrap()), [c.as_str(), &a, &b, &flag.key]);
    assert_eq!(keys(store.open_intents(&repo()).await.unwrap()), [a.as_str(), &b, &flag.key]);
    assert_eq!(keys(store.intents_about(&repo(), Number(1)).await.unwrap()), [a.as_str(), &flag.key]);
    assert_eq!(keys(store.intents_about(&repo(), Number(9)).await.unwrap()), [""; 0]);
    assert_eq!(store.intent(&repo(), "no-such-key").await.unwrap(), None);
}

/// Ids and commits included.
pub async fn every_kind_of_receipt_comes_back(store: &impl Store) {
    let lease = lease(store).await;
    let key = dispatch(1).key;
    store.intend(&lease, &dispatch(1), None).await.unwrap();
    let made = [
        Made::Issue { number: Number(4) },
        Made::Pull { number: Number(5) },
        receipt(6).made,
        Made::Commit { sha: sha(7) },
        Made::Change,
    ];
    let receipts: Vec<Receipt> =
        made.into_iter().enumerate().map(|(n, made)| Receipt { at: at(n as i64), made }).collect();
    for receipt in &receipts {
        store.record(&lease, &key, receipt, false).await.unwrap();
    }
    assert_eq!(store.intent(&repo(), &key).await.unwrap().unwrap().receipts, receipts);
}

/// One of many is told that it is new.
pub async fn the_same_intent_at_once_is_written_once(store: &impl Store) {
    let lease = lease(store).await;
    let new = dispatch(1);
    let answers = join_all((0..16).map(|_| store.intend(&lease, &new, None))).await;
    let written = answers.into_iter().filter(|a| matches!(a, Ok(Intended::New(_)))).count();
    assert_eq!(written, 1);
    assert_eq!(store.intents(&repo()).await.unwrap().len(), 1);
}

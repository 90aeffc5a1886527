//! Leases: one actor per repository, tokens that grow, stale writes refused (I8).

use super::samples::*;
use banksman_core::{
    id::{JobId, Number, Token},
    port::{DecisionRecord, Lease, Store, StoreError, TaskFilter},
    signals::CheckState,
};
use futures_util::future::join_all;

/// While it lasts nobody else gets it; from its end on the next one does, with a higher token.
pub async fn a_lease_lasts_until_its_end_and_then_goes_to_the_next(store: &impl Store) {
    let first = store.lease(&repo(), &holder(1), at(0), TTL).await.unwrap().unwrap();
    assert_eq!((first.token, first.until), (Token(1), at(60)));
    assert_eq!(store.lease(&repo(), &holder(2), at(59), TTL).await.unwrap(), None);
    let second = store.lease(&repo(), &holder(2), at(60), TTL).await.unwrap().unwrap();
    assert_eq!(second, Lease { repo: repo(), holder: holder(2), token: Token(2), until: at(120) });
}

/// Its own holder moves its end, before and after it, and keeps the token.
pub async fn a_holder_renews_with_the_same_token(store: &impl Store) {
    let first = lease(store).await;
    let again = store.lease(&repo(), &holder(1), at(30), TTL).await.unwrap().unwrap();
    assert_eq!((again.token, again.until), (first.token, at(90)));
    let late = store.lease(&repo(), &holder(1), at(500), TTL).await.unwrap().unwrap();
    assert_eq!((late.token, late.until), (first.token, at(560)));
    assert_eq!(store.lease(&repo(), &holder(2), at(559), TTL).await.unwrap(), None);
}

/// Every function that writes refuses it, and writes nothing.
pub async fn a_lease_that_was_taken_over_can_write_nothing(store: &impl Store) {
    let old = lease(store).await;
    store.intend(&old, &dispatch(1), None).await.unwrap();
    let task = store.enqueue(&old, &implement(1, "claude")).await.unwrap();
    store.plan(&old, &plan("a")).await.unwrap();
    store.add_epic(&old, &epic(1)).await.unwrap();
    let new = store.lease(&repo(), &holder(2), at(60), TTL).await.unwrap().unwrap();
    let before = picture(store).await;

    // A look-alike of the new lease is no better than the old one.
    for lease in [old.clone(), stale(&new), Lease { holder: holder(1), ..new.clone() }] {
        let key = dispatch(1).key;
        let signals = signals(9, 1, CheckState::Passing);
        let decision = waiting();
        let record = DecisionRecord {
            repo: &repo(),
            signals: &signals,
            decision: &decision,
            policy: "rules",
            at: at(61),
            points: &[],
        };
        let fenced = |result: Result<(), StoreError>| assert_eq!(result, Err(StoreError::Fenced));
        assert_eq!(store.intend(&lease, &dispatch(2), Some(&spend(None))).await, Err(StoreError::Fenced));
        fenced(store.record(&lease, &key, &receipt(1), true).await);
        fenced(store.settle(&lease, &key, None, at(61)).await);
        fenced(store.observe(&lease, &record).await);
        fenced(store.record_outcome(&lease, &outcome(9)).await);
        fenced(store.write_journal(&lease, &journal(1)).await);
        assert_eq!(store.plan(&lease, &plan("b")).await, Err(StoreError::Fenced));
        fenced(store.plan_done(&lease, "a", at(61)).await);
        fenced(store.add_epic(&lease, &epic(2)).await);
        fenced(store.end_epic(&lease, Number(1), at(61)).await);
        assert_eq!(store.enqueue(&lease, &implement(2, "claude")).await, Err(StoreError::Fenced));
        fenced(store.withdraw(&lease, task, at(61)).await);
        assert_eq!(store.enqueue_again(&lease, task, at(61)).await, Err(StoreError::Fenced));
    }
    assert_eq!(picture(store).await, before);
    store.intend(&new, &dispatch(2), None).await.unwrap();
}

/// Everything that reads, as text.
async fn picture(store: &impl Store) -> String {
    let repo = repo();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        store.intents(&repo).await,
        store.ledger(&repo).await,
        store.last_signals(&repo, Number(9)).await,
        store.heads(&repo, Number(9)).await,
        store.outcomes(&repo).await,
        store.journal(&repo).await,
        store.plans(&repo).await,
        store.epics(&repo).await,
        store.tasks(&TaskFilter::Repo(repo.clone())).await,
    )
}

/// Nobody else has acted meanwhile, so that its writes harm nobody.
pub async fn a_lease_that_ran_out_is_good_until_somebody_takes_it(store: &impl Store) {
    let lease = lease(store).await;
    let late = banksman_core::intent::NewIntent { at: at(1_000), ..dispatch(1) };
    store.intend(&lease, &late, None).await.unwrap();
    store.lease(&repo(), &holder(2), at(1_000), TTL).await.unwrap().unwrap();
    assert_eq!(store.intend(&lease, &dispatch(2), None).await, Err(StoreError::Fenced));
}

/// A record that names another repository than the lease is refused.
pub async fn a_lease_of_another_repository_is_no_right(store: &impl Store) {
    let other = lease_of(store, &other_repo()).await;
    lease(store).await;
    let fenced = Err(StoreError::Fenced);
    assert_eq!(store.intend(&other, &dispatch(1), None).await, Err(StoreError::Fenced));
    assert_eq!(store.record_outcome(&other, &outcome(1)).await, fenced);
    assert_eq!(store.write_journal(&other, &journal(1)).await, fenced);
    assert_eq!(store.add_epic(&other, &epic(1)).await, fenced);
    assert_eq!(store.enqueue(&other, &implement(1, "claude")).await, Err(StoreError::Fenced));
    assert_eq!(store.intents(&repo()).await.unwrap(), []);
    assert_eq!(store.intents(&other_repo()).await.unwrap(), []);
}

/// The race for a free lease has one winner, and so has the race for one that ran out.
pub async fn of_two_holders_at_once_one_gets_the_lease(store: &impl Store) {
    for (round, now) in [at(0), at(60), at(120)].into_iter().enumerate() {
        let base = u32::try_from(round).unwrap() * 10;
        let (name, holders): (_, Vec<_>) = (repo(), (base..base + 8).map(holder).collect());
        let leases = join_all(holders.iter().map(|h| store.lease(&name, h, now, TTL))).await;
        let won: Vec<Lease> = leases.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(won[0].token.0, u64::try_from(round).unwrap() + 1);
    }
}

/// They are free at once, for everybody, and what the dead one would still write is refused.
pub async fn broken_leases_are_free_and_fenced(store: &impl Store) {
    let dead = lease(store).await;
    let alive = store.lease(&other_repo(), &holder(2), at(0), TTL).await.unwrap().unwrap();
    assert_eq!(store.break_leases(&|h| *h == holder(1), at(1)).await.unwrap(), 1);
    assert_eq!(store.break_leases(&|h| *h == holder(1), at(1)).await.unwrap(), 0);
    assert_eq!(store.intend(&dead, &dispatch(1), None).await, Err(StoreError::Fenced));
    let next = store.lease(&repo(), &holder(1), at(2), TTL).await.unwrap().unwrap();
    assert!(next.token > dead.token, "even the same name gets a new token");
    assert_eq!(store.lease(&other_repo(), &holder(3), at(2), TTL).await.unwrap(), None);
    store.plan(&alive, &plan("a")).await.unwrap();
    assert_eq!(store.withdraw(&dead, JobId(1), at(3)).await, Err(StoreError::Fenced));
}

/// In the order of their names.
pub async fn repositories_are_known_by_their_lease(store: &impl Store) {
    assert_eq!(store.repos().await.unwrap(), []);
    lease(store).await;
    lease_of(store, &other_repo()).await;
    assert_eq!(store.repos().await.unwrap(), [other_repo(), repo()]);
    store.break_leases(&|_| true, at(1)).await.unwrap();
    assert_eq!(store.repos().await.unwrap(), [other_repo(), repo()]);
}

//! Observations, heads and outcomes of pull requests.

use super::samples::*;
use banksman_core::{
    id::Number,
    port::{HeadSeen, Look, Looks, OutcomeRecord, OutcomeResult, Store},
    signals::{Check, CheckState, PullState, Signals, Thread},
    text::CheckName,
};

/// All of them, in every part.
pub async fn the_last_signals_come_back(store: &impl Store) {
    let lease = lease(store).await;
    assert_eq!(store.last_signals(&repo(), Number(7)).await.unwrap(), None);
    let first = signals(7, 1, CheckState::Pending);
    observe(store, &lease, &first, at(10)).await;
    assert_eq!(store.last_signals(&repo(), Number(7)).await.unwrap(), Some(first.clone()));
    let merged = Signals {
        state: PullState::Merged { at: at(19), commit: sha(8) },
        threads: vec![Thread { id: banksman_core::id::ThreadId(3), created_at: at(4), resolved: true }],
        ..first
    };
    observe(store, &lease, &merged, at(20)).await;
    assert_eq!(store.last_signals(&repo(), Number(7)).await.unwrap(), Some(merged));
    assert_eq!(store.last_signals(&repo(), Number(8)).await.unwrap(), None);
}

/// However often it comes, at the same moment too.
pub async fn a_repetition_changes_nothing_that_is_read(store: &impl Store) {
    let lease = lease(store).await;
    let seen = signals(7, 1, CheckState::Passing);
    observe(store, &lease, &seen, at(10)).await;
    let heads = store.heads(&repo(), Number(7)).await.unwrap();
    for second in [10, 11, 12, 11] {
        observe(store, &lease, &seen, at(second)).await;
    }
    assert_eq!(store.last_signals(&repo(), Number(7)).await.unwrap(), Some(seen));
    assert_eq!(store.heads(&repo(), Number(7)).await.unwrap(), heads);
}

/// Green when all checks are, red when one is; the first time of each stays. No checks at all is not green (S10).
pub async fn heads_are_kept_in_order_with_their_first_green_and_red(store: &impl Store) {
    let lease = lease(store).await;
    assert_eq!(store.heads(&repo(), Number(7)).await.unwrap(), []);
    let mut one = signals(7, 1, CheckState::Failing);
    one.checks.push(Check { name: CheckName::new("lint").unwrap(), state: CheckState::Pending });
    observe(store, &lease, &one, at(10)).await;
    one.checks[1].state = CheckState::Failing;
    observe(store, &lease, &one, at(20)).await;
    one.checks.iter_mut().for_each(|c| c.state = CheckState::Passing);
    observe(store, &lease, &one, at(30)).await;
    one.updated_at = at(31);
    observe(store, &lease, &one, at(40)).await;
    let none = Signals { checks: Vec::new(), ..signals(7, 2, CheckState::Passing) };
    observe(store, &lease, &none, at(50)).await;
    observe(store, &lease, &signals(7, 3, CheckState::Passing), at(60)).await;
    observe(store, &lease, &signals(8, 4, CheckState::Pending), at(70)).await;

    let head = |n, green: Option<i64>, red: Option<i64>| HeadSeen {
        sha: sha(n),
        at: at(i64::try_from(n).unwrap()),
        green_at: green.map(at),
        red_at: red.map(at),
    };
    let expected = [head(1, Some(30), Some(10)), head(2, None, None), head(3, Some(60), None)];
    assert_eq!(store.heads(&repo(), Number(7)).await.unwrap(), expected);
    assert_eq!(store.heads(&repo(), Number(8)).await.unwrap(), [head(4, None, None)]);
}

/// With the first time of each, in their order.
pub async fn looks_that_show_something_new_are_kept(store: &(impl Store + Looks)) {
    let lease = lease(store).await;
    assert_eq!(store.looks(&repo(), Number(7)).await.unwrap(), []);
    let red = signals(7, 1, CheckState::Failing);
    let green = signals(7, 1, CheckState::Passing);
    for (seen, second) in [(&red, 10), (&red, 20), (&green, 30), (&red, 40), (&red, 50)] {
        observe(store, &lease, seen, at(second)).await;
    }
    observe(store, &lease, &signals(8, 1, CheckState::Passing), at(60)).await;
    let look = |signals: &Signals, second| Look { at: at(second), signals: signals.clone() };
    let expected = [look(&red, 10), look(&green, 30), look(&red, 40)];
    assert_eq!(store.looks(&repo(), Number(7)).await.unwrap(), expected);
}

/// A push back to an older commit is no new head.
pub async fn a_head_that_comes_back_keeps_its_place(store: &impl Store) {
    let lease = lease(store).await;
    for (n, head) in [1, 2, 1].into_iter().enumerate() {
        observe(store, &lease, &signals(7, head, CheckState::Pending), at(n as i64)).await;
    }
    let heads: Vec<_> = store.heads(&repo(), Number(7)).await.unwrap().into_iter().map(|h| h.sha).collect();
    assert_eq!(heads, [sha(1), sha(2)]);
}

/// The first one stays; the list is ascending by pull request.
pub async fn an_outcome_is_recorded_once(store: &impl Store) {
    let lease = lease(store).await;
    for pull in [9, 7] {
        store.record_outcome(&lease, &outcome(pull)).await.unwrap();
    }
    let second = OutcomeRecord { result: OutcomeResult::Closed, at: at(999), ..outcome(7) };
    store.record_outcome(&lease, &second).await.unwrap();
    assert_eq!(store.outcomes(&repo()).await.unwrap(), [outcome(7), outcome(9)]);
}

/// Ascending; those of other repositories left out.
pub async fn pulls_without_outcome_are_those_observed(store: &impl Store) {
    let lease = lease(store).await;
    for pull in [12, 7, 9] {
        observe(store, &lease, &signals(pull, 1, CheckState::Pending), at(10)).await;
    }
    let other = lease_of(store, &other_repo()).await;
    observe(store, &other, &signals(3, 1, CheckState::Pending), at(10)).await;
    store.record_outcome(&lease, &outcome(9)).await.unwrap();
    assert_eq!(store.pulls_without_outcome(&repo()).await.unwrap(), [Number(7), Number(12)]);
    assert_eq!(store.pulls_without_outcome(&other_repo()).await.unwrap(), [Number(3)]);
}

/// A pull request that ended before the first look.
pub async fn an_outcome_may_come_without_an_observation(store: &impl Store) {
    let lease = lease(store).await;
    store.record_outcome(&lease, &outcome(7)).await.unwrap();
    assert_eq!(store.pulls_without_outcome(&repo()).await.unwrap(), []);
    observe(store, &lease, &signals(7, 1, CheckState::Pending), at(10)).await;
    assert_eq!(store.pulls_without_outcome(&repo()).await.unwrap(), []);
}

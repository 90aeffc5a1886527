//! Random histories of work items: whatever workers, clocks and deaths do, items move along the graph only (I6), a claim that
//! was lost writes nothing (I8), and tokens grow.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    port::{Claim, Store, StoreError, WorkFilter},
    work::{FailReason, WorkItem, WorkOutcome, WorkState},
};
use banksman_store::{SqliteStore, conformance::samples::*};
use proptest::prelude::*;

/// One thing that happens. Claims are counted in the order in which they were made.
#[derive(Debug, Clone)]
enum Event {
    Enqueue { child: u64 },
    Claim { by: u32 },
    Renew { claim: usize },
    Finish { claim: usize },
    Retry { claim: usize },
    Cancel { item: usize },
    Wait { seconds: i64 },
    Die { holder: u32 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (1..5_u64).prop_map(|child| Event::Enqueue { child }),
        4 => (2..5_u32).prop_map(|by| Event::Claim { by }),
        2 => (0..12_usize).prop_map(|claim| Event::Renew { claim }),
        1 => (0..12_usize).prop_map(|claim| Event::Finish { claim }),
        2 => (0..12_usize).prop_map(|claim| Event::Retry { claim }),
        1 => (0..4_usize).prop_map(|item| Event::Cancel { item }),
        2 => (1..50_i64).prop_map(|seconds| Event::Wait { seconds }),
        1 => (2..5_u32).prop_map(|holder| Event::Die { holder }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_move_along_the_graph_only(events in proptest::collection::vec(event(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tell(events));
    }
}

async fn tell(events: Vec<Event>) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
    let held = lease(&store).await;
    let (mut seconds, mut claims, mut before) = (100, Vec::<Claim>::new(), Vec::<WorkItem>::new());
    for event in events {
        let now = at(seconds);
        match event {
            Event::Enqueue { child } => {
                store.enqueue(&held, &implement(child, "claude")).await.unwrap();
            }
            Event::Claim { by } => {
                claims.extend(store.claim(&holder(by), &[engine("claude")], now, TTL).await.unwrap());
            }
            Event::Renew { claim } => {
                if let Some(claim) = claims.get(claim) {
                    let answer = store.renew(claim, now, TTL).await.map(|_| ());
                    assert_eq!(answer, expected(&before, claim));
                }
            }
            Event::Finish { claim } => {
                if let Some(claim) = claims.get(claim) {
                    let outcome = WorkOutcome::Published { branch: branch("agent/child-1"), sha: sha(9) };
                    let answer = store.finish(claim, Ok(outcome), &attempt(claim, None)).await;
                    assert_eq!(answer, expected(&before, claim));
                }
            }
            Event::Retry { claim } => {
                if let Some(claim) = claims.get(claim) {
                    let record = attempt(claim, Some(FailReason::NoCommit));
                    assert_eq!(store.finish(claim, Err(now), &record).await, expected(&before, claim));
                }
            }
            Event::Cancel { item } => {
                if let Some(item) = before.get(item) {
                    store.cancel(&held, item.id, now).await.unwrap();
                }
            }
            Event::Wait { seconds: more } => seconds += more,
            Event::Die { holder: dead } => {
                store.break_leases(&|h| *h == holder(dead), now).await.unwrap();
            }
        }
        let after = store.work(&WorkFilter::Repo(repo())).await.unwrap();
        for old in &before {
            let new = after.iter().find(|new| new.id == old.id).unwrap();
            assert!(may_follow(old, new), "{old:?} became {new:?}");
        }
        before = after;
    }
    let tokens = claims.iter().map(|c| (c.item.id, c.token.0)).collect::<Vec<_>>();
    for (n, (id, token)) in tokens.iter().enumerate() {
        let earlier = tokens[..n].iter().filter(|(other, _)| other == id).count() as u64;
        assert_eq!(*token, earlier + 1, "the tokens of an item count its claims");
    }
}

/// Fenced unless the item is running under exactly this claim.
fn expected(before: &[WorkItem], claim: &Claim) -> Result<(), StoreError> {
    let item = before.iter().find(|item| item.id == claim.item.id).unwrap();
    if token(item) == Some(claim.token.0) { Ok(()) } else { Err(StoreError::Fenced) }
}

fn token(item: &WorkItem) -> Option<u64> {
    match &item.state {
        WorkState::Running { token, .. } => Some(token.0),
        WorkState::Queued { .. } | WorkState::Done { .. } => None,
    }
}

/// Whether one event may lead from the old to the new item; a claim of another one may queue it again on the way.
fn may_follow(old: &WorkItem, new: &WorkItem) -> bool {
    let (lost, failed) = (new.losses - old.losses, new.failures - old.failures);
    match (&old.state, &new.state) {
        (WorkState::Done { .. }, _) => old == new,
        (WorkState::Queued { .. }, WorkState::Queued { .. }) => old == new,
        (WorkState::Queued { .. }, WorkState::Running { .. } | WorkState::Done { .. }) => lost + failed == 0,
        (WorkState::Running { .. }, WorkState::Queued { .. }) => lost + failed == 1,
        (WorkState::Running { token: a, .. }, WorkState::Running { token: b, .. }) if a == b => {
            lost + failed == 0
        }
        (WorkState::Running { token: a, .. }, WorkState::Running { token: b, .. }) => {
            b.0 == a.0 + 1 && lost == 1
        }
        (WorkState::Running { .. }, WorkState::Done { .. }) => lost + failed == 0,
    }
}

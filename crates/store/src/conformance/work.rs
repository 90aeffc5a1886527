//! Work items: enqueued once, found, cancelled.

use super::samples::*;
use banksman_core::{
    id::{Number, WorkId},
    port::{NewWork, Store, StoreError, WorkFilter},
    work::{Task, WorkItem, WorkOutcome, WorkState},
};

fn ids(items: Vec<WorkItem>) -> Vec<WorkId> {
    items.into_iter().map(|i| i.id).collect()
}

/// Another engine, another task or another repository is another item; a finished one is still there.
pub async fn the_same_task_is_enqueued_once_for_an_engine(store: &impl Store) {
    let held = lease(store).await;
    let first = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let later = NewWork { at: at(99), ..implement(1, "claude") };
    assert_eq!(store.enqueue(&held, &later).await.unwrap(), first);
    let codex = store.enqueue(&held, &implement(1, "codex")).await.unwrap();
    let second = store.enqueue(&held, &implement(2, "claude")).await.unwrap();
    let other = lease_of(store, &other_repo()).await;
    let elsewhere = NewWork { repo: other_repo(), ..implement(1, "claude") };
    let elsewhere = store.enqueue(&other, &elsewhere).await.unwrap();
    let mut all = vec![first, codex, second, elsewhere];
    all.dedup();
    assert_eq!(all.len(), 4);

    store.cancel(&held, first, at(20)).await.unwrap();
    assert_eq!(store.enqueue(&held, &later).await.unwrap(), first);
    let items = store.work(&WorkFilter::Repo(repo())).await.unwrap();
    assert_eq!(items.len(), 3);
    let item = items.iter().find(|i| i.id == codex).unwrap();
    assert_eq!(
        (&item.repo, &item.task, &item.engine),
        (&repo(), &implement(1, "codex").task, &engine("codex"))
    );
    assert_eq!((item.created_at, item.failures, item.losses), (at(10), 0, 0));
    assert_eq!(item.state, WorkState::Queued { not_before: at(10) });
}

/// Ascending by id.
pub async fn work_is_found_by_repository_subject_and_state(store: &impl Store) {
    let held = lease(store).await;
    let implement_1 = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let task = Task::FixReviews { pull: Number(7), round: 1 };
    let fix = store.enqueue(&held, &NewWork { task, ..implement(1, "claude") }).await.unwrap();
    let task = Task::Review { pull: Number(7), head: sha(1) };
    let review = store.enqueue(&held, &NewWork { task, ..implement(1, "claude") }).await.unwrap();
    let other = lease_of(store, &other_repo()).await;
    let elsewhere = NewWork { repo: other_repo(), ..implement(1, "claude") };
    let elsewhere = store.enqueue(&other, &elsewhere).await.unwrap();
    let claim = store.claim(&holder(5), &[engine("claude")], at(20), TTL).await.unwrap().unwrap();
    assert_eq!(claim.item.id, implement_1);
    store.cancel(&held, fix, at(21)).await.unwrap();

    let find = async |filter| ids(store.work(&filter).await.unwrap());
    assert_eq!(find(WorkFilter::Repo(repo())).await, [implement_1, fix, review]);
    assert_eq!(find(WorkFilter::Subject(repo(), Number(7))).await, [fix, review]);
    assert_eq!(find(WorkFilter::Subject(repo(), Number(8))).await, []);
    assert_eq!(find(WorkFilter::Unfinished).await, [implement_1, review, elsewhere]);
}

/// A running or finished one is left alone, an unknown one is an error.
pub async fn queued_work_is_cancelled_and_other_work_is_left_alone(store: &impl Store) {
    let held = lease(store).await;
    let running = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let queued = store.enqueue(&held, &implement(2, "claude")).await.unwrap();
    let claim = store.claim(&holder(5), &[engine("claude")], at(20), TTL).await.unwrap().unwrap();
    assert_eq!(claim.item.id, running);
    store.cancel(&held, running, at(30)).await.unwrap();
    store.cancel(&held, queued, at(30)).await.unwrap();
    store.cancel(&held, queued, at(40)).await.unwrap();
    let items = store.work(&WorkFilter::Repo(repo())).await.unwrap();
    assert_eq!(items[0], claim.item);
    assert_eq!(items[1].state, WorkState::Done { outcome: WorkOutcome::Cancelled, at: at(30) });
    assert_eq!(store.claim(&holder(5), &[engine("claude")], at(31), TTL).await.unwrap(), None);
    let unknown = store.cancel(&held, WorkId(queued.0 + 1000), at(41)).await;
    assert!(matches!(unknown, Err(StoreError::Missing(_))), "{unknown:?}");
}

/// The lease gives a right to its own repository only.
pub async fn work_of_another_repository_is_not_cancelled(store: &impl Store) {
    let held = lease(store).await;
    let work = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let other = lease_of(store, &other_repo()).await;
    assert!(store.cancel(&other, work, at(30)).await.is_err());
    let items = store.work(&WorkFilter::Unfinished).await.unwrap();
    assert_eq!(ids(items), [work]);
}

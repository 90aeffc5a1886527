//! Tasks of the pipeline as jobs: enqueued once, found, withdrawn, repeated.

use super::{job_samples::*, samples::*};
use banksman_core::{
    id::{JobId, Number},
    job::{Job, JobState, JobWork, Stage},
    port::{NewTask, Store, StoreError, TaskFilter},
    work::Task,
};

fn ids(jobs: Vec<Job>) -> Vec<JobId> {
    jobs.into_iter().map(|j| j.id).collect()
}

async fn of_repo(store: &impl Store) -> Vec<Job> {
    store.tasks(&TaskFilter::Repo(repo())).await.unwrap()
}

/// Another engine, another task or another repository is another job; an ended one is still there.
pub async fn the_same_task_is_enqueued_once_for_an_engine(store: &impl Store) {
    let held = lease(store).await;
    let first = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let later = NewTask { at: at(99), ..implement(1, "claude") };
    assert_eq!(store.enqueue(&held, &later).await.unwrap(), first);
    let codex = store.enqueue(&held, &implement(1, "codex")).await.unwrap();
    let second = store.enqueue(&held, &implement(2, "claude")).await.unwrap();
    let other = lease_of(store, &other_repo()).await;
    let elsewhere = NewTask { repo: other_repo(), ..implement(1, "claude") };
    let elsewhere = store.enqueue(&other, &elsewhere).await.unwrap();
    let mut all = vec![first, codex, second, elsewhere];
    all.dedup();
    assert_eq!(all.len(), 4);

    store.withdraw(&held, first, at(20)).await.unwrap();
    assert_eq!(store.enqueue(&held, &later).await.unwrap(), first);
    let jobs = of_repo(store).await;
    assert_eq!(jobs.len(), 3);
    let job = jobs.iter().find(|j| j.id == codex).unwrap();
    let work = JobWork::Task { repo: repo(), task: implement(1, "codex").task, engine: engine("codex") };
    assert_eq!((&job.work, job.name.as_str(), &job.key), (&work, "implement-1", &None));
    assert_eq!((job.created_at, job.failures, job.losses), (at(10), 0, 0));
    assert_eq!(job.state, JobState::Inbox { not_before: at(10) });
    assert_eq!(store.body(codex).await.unwrap().as_str(), "");
    assert_eq!(store.moves(codex).await.unwrap()[0].who, held.holder);
}

/// Ascending by id.
pub async fn tasks_are_found_by_repository_and_subject(store: &impl Store) {
    let held = lease(store).await;
    let implement_1 = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    add(store, "manifest", spec()).await;
    let task = Task::FixReviews { pull: Number(7), round: 1 };
    let fix = store.enqueue(&held, &NewTask { task, ..implement(1, "claude") }).await.unwrap();
    let task = Task::Review { pull: Number(7), head: sha(1) };
    let review = store.enqueue(&held, &NewTask { task, ..implement(1, "claude") }).await.unwrap();
    let other = lease_of(store, &other_repo()).await;
    let elsewhere = NewTask { repo: other_repo(), ..implement(1, "claude") };
    store.enqueue(&other, &elsewhere).await.unwrap();
    store.withdraw(&held, fix, at(21)).await.unwrap();

    let find = async |filter| ids(store.tasks(&filter).await.unwrap());
    assert_eq!(find(TaskFilter::Repo(repo())).await, [implement_1, fix, review]);
    assert_eq!(find(TaskFilter::Subject(repo(), Number(7))).await, [fix, review]);
    assert_eq!(find(TaskFilter::Subject(other_repo(), Number(7))).await, []);
    assert_eq!(find(TaskFilter::Subject(repo(), Number(8))).await, []);
}

/// A running or ended one is left alone, an unknown one is an error.
pub async fn waiting_tasks_are_withdrawn_and_others_are_left_alone(store: &impl Store) {
    let held = lease(store).await;
    let running = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let waiting = store.enqueue(&held, &implement(2, "claude")).await.unwrap();
    let claim = claim(store, 5, at(20)).await.unwrap();
    assert_eq!(claim.job.id, running);
    store.withdraw(&held, running, at(30)).await.unwrap();
    store.withdraw(&held, waiting, at(30)).await.unwrap();
    store.withdraw(&held, waiting, at(40)).await.unwrap();
    let jobs = of_repo(store).await;
    assert_eq!(jobs[0], claim.job);
    assert_eq!(jobs[1].state, JobState::Cancelled { at: at(30) });
    assert_eq!(claim_id(store, 5, &offer(), at(31)).await, None);
    let unknown = store.withdraw(&held, JobId(waiting.0 + 1000), at(41)).await;
    assert!(matches!(unknown, Err(StoreError::Missing(_))), "{unknown:?}");
}

/// The lease gives a right to tasks of its own repository only, and to no manifest's job.
pub async fn jobs_of_others_are_not_withdrawn(store: &impl Store) {
    let held = lease(store).await;
    let task = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let manifest = add(store, "manifest", spec()).await;
    let other = lease_of(store, &other_repo()).await;
    assert!(store.withdraw(&other, task, at(30)).await.is_err());
    assert!(store.withdraw(&held, manifest, at(30)).await.is_err());
    assert_eq!(stage(store, task).await, Stage::Inbox);
    assert_eq!(stage(store, manifest).await, Stage::Inbox);
}

/// With a fresh allowance; only the newest counts as the task.
pub async fn a_failed_task_is_enqueued_again(store: &impl Store) {
    let held = lease(store).await;
    let first = store.enqueue(&held, &implement(1, "claude")).await.unwrap();
    let running = store.enqueue_again(&held, first, at(11)).await;
    assert!(matches!(running, Err(StoreError::Missing(_))), "{running:?}");
    let failed = claim(store, 5, at(20)).await.unwrap();
    fail(store, &failed, at(30)).await;
    let second = store.enqueue_again(&held, first, at(40)).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(store.enqueue_again(&held, first, at(41)).await.unwrap(), second);
    assert_eq!(store.enqueue(&held, &implement(1, "claude")).await.unwrap(), second);
    let jobs = of_repo(store).await;
    assert_eq!((jobs.len(), jobs[0].id, jobs[0].failures), (1, second, 0));
    assert_eq!((jobs[0].retry_of, jobs[0].created_at), (Some(first), at(40)));
    assert_eq!(claim_id(store, 5, &offer(), at(41)).await, Some(second));

    let other = lease_of(store, &other_repo()).await;
    assert!(store.enqueue_again(&other, first, at(50)).await.is_err());
}

//! Tasks of the pipeline in the same queue.

use crate::world::{TestWorld, beside, holder, sh};
use banksman_core::{
    event::What,
    id::{JobId, Number},
    job::{JobState, Stage},
    port::{Clock, NewTask, Queue, Store},
    repo::RepoRules,
    text::{BranchName, RepoName},
    work::{FailReason, Task},
};
use banksman_orchestrator::Ran;
use jiff::SignedDuration;
use std::sync::Arc;

fn repo(name: &str) -> RepoName {
    RepoName::new(name).unwrap()
}

async fn enqueue(world: &Arc<TestWorld>, name: &str) -> JobId {
    let now = world.clock.now();
    let lease = world.store.lease(&repo(name), &holder("pipeline"), now, 60_000).await.unwrap().unwrap();
    let task = Task::Implement { child: Number(1), base: BranchName::new("main").unwrap() };
    let task = NewTask { repo: repo(name), task, engine: sh(), at: now };
    world.store.enqueue(&lease, &task).await.unwrap()
}

#[tokio::test]
async fn the_work_of_a_repository_that_is_not_ours_is_never_claimed() {
    let world = TestWorld::new();
    let job = enqueue(&world, "somebody/else").await;
    let worker = world.worker(|setup| setup.rules = vec![RepoRules::new(repo("our/own"), sh())]);
    assert_eq!(worker.run_one().await.unwrap(), Ran::Nothing);
    let job = world.job(job).await;
    assert!(job.state.is_waiting());
    assert!(world.store.attempts(job.id).await.unwrap().is_empty());
    assert_eq!(world.store.moves(job.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_repository_that_the_forge_refuses_fails_its_own_work_and_nothing_else() {
    let world = TestWorld::new();
    let moved = enqueue(&world, "our/moved").await;
    let plain = world.add(|_| {}).await;
    let worker = world.worker(|setup| setup.rules = vec![RepoRules::new(repo("our/moved"), sh())]);
    beside(worker, async {
        world.seen.until(1, |e| matches!(e.what, What::AttemptFailed { last: false, .. })).await;
        world.clock.advance(SignedDuration::from_hours(1));
        world.seen.until(1, |e| matches!(e.what, What::AttemptFailed { last: true, .. })).await;
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Shipped, .. })).await;
    })
    .await;
    let state = world.job(moved).await.state;
    assert!(matches!(state, JobState::Failed { reason: FailReason::Workspace, .. }), "{state:?}");
    assert_eq!(world.stage(plain).await, Stage::Shipped);
}

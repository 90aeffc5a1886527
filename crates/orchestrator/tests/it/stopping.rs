//! Stopping (Q17): nothing new, a grace for what runs, and no waiting at the second wish.

use crate::{
    engine::{Act, Line},
    world::TestWorld,
};
use banksman_core::{
    job::{JobState, Stage, Why},
    port::{Queue, Step},
};
use banksman_orchestrator::Stop;
use futures_util::future::join;

#[tokio::test]
async fn the_first_wish_ends_what_runs_and_counts_nothing() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Holds);
    let job = world.add(|_| {}).await;
    let (worker, stop) = (world.worker(|_| {}), Stop::default());
    let (ended, ()) = join(worker.run(&stop), async {
        world.engine.building(job, 1).await;
        stop.stop();
    })
    .await;
    ended.unwrap();
    assert_eq!(world.way(job).await.last(), Some(&(Stage::Building, Why::Interrupted)));
    let job = world.job(job).await;
    assert!(matches!(job.state, JobState::Waiting { .. }));
    assert_eq!((job.failures, job.losses), (0, 0));
    assert!(world.store.claims().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_second_wish_waits_for_nobody() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Hangs);
    let job = world.add(|_| {}).await;
    let (worker, stop) = (world.worker(|_| {}), Stop::default());
    let (ended, ()) = join(worker.run(&stop), async {
        world.engine.building(job, 1).await;
        stop.stop();
        world.engine.until(|log| log.iter().any(|line| matches!(line, Line::End(_)))).await;
        stop.stop();
    })
    .await;
    ended.unwrap();
    assert_eq!(world.store.claims().await.unwrap().len(), 1, "whoever looks next finds it");
}

#[tokio::test]
async fn an_idle_worker_stops_at_once_and_claims_nothing_more() {
    let world = TestWorld::new();
    let (worker, stop) = (world.worker(|_| {}), Stop::default());
    let (ended, job) = join(worker.run(&stop), async {
        stop.stop();
        world.add(|_| {}).await
    })
    .await;
    ended.unwrap();
    assert_eq!(world.engine.steps(job), Vec::<Step>::new());
}

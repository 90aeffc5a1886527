//! Failed attempts, quotas that are used up, and hosts in trouble (Q21).

use crate::{
    engine::{Act, well},
    world::{TestWorld, beside, sh},
};
use banksman_core::{
    event::What,
    job::{JobState, Stage, Why},
    manifest::Choice,
    port::{Clock, Queue, Step, StepResult},
    work::FailReason,
};
use banksman_orchestrator::Stop;
use jiff::SignedDuration;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn retried(event: &banksman_core::event::Event) -> bool {
    matches!(event.what, What::JobMoved { why: Why::Retried(_), .. })
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_after_a_pause_and_then_it_has_failed() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Gives(StepResult::Failed(FailReason::ExitCode)));
    let job = world.add(|spec| spec.retries = 2).await;
    beside(world.worker(|_| {}), async {
        for times in 1..=2 {
            world.seen.until(times, retried).await;
            let now = world.job(job).await;
            assert_eq!(now.failures, u32::try_from(times).unwrap());
            let JobState::Waiting { not_before } = now.state else { panic!("{:?}", now.state) };
            assert!(not_before > world.clock.now());
            world.clock.advance(HOUR);
        }
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { why: Why::Failed(_), .. })).await;
    })
    .await;
    let job = world.job(job).await;
    assert_eq!((job.failures, job.state.stage()), (3, Stage::Failed));
    assert_eq!(world.store.attempts(job.id).await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_no_repetition_can_mend_fails_at_once() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Gives(StepResult::Failed(FailReason::NoFolder)));
    let job = world.add(|spec| spec.retries = 5).await;
    world.worker(|_| {}).run_until_empty(&Stop::default()).await.unwrap();
    assert_eq!(world.store.attempts(job).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_this_host_lacks_for_a_job_of_another_one_is_not_counted() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Gives(StepResult::Failed(FailReason::NoFolder)));
    let job = world.add_by("there/adder", |_| {}).await;
    beside(world.worker(|_| {}), async {
        world
            .seen
            .until(1, |e| matches!(e.what, What::JobMoved { why: Why::Retried(FailReason::NoFolder), .. }))
            .await;
        world.engine.follow(|_, step| well(step));
        world.clock.advance(HOUR);
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Shipped, .. })).await;
    })
    .await;
    assert_eq!(world.job(job).await.failures, 0);
}

#[tokio::test]
async fn a_used_up_quota_is_not_counted_and_the_engine_rests() {
    let world = TestWorld::new();
    let until = world.clock.now() + HOUR;
    world.engine.follow(move |_, _| Act::Gives(StepResult::Limited { engine: sh(), until: Some(until) }));
    let first = world.add(|spec| spec.engine = Choice::Engine(sh())).await;
    beside(world.worker(|_| {}), async {
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { why: Why::Limited, .. })).await;
        let rests = |e: &banksman_core::event::Event| matches!(&e.what, What::CoolingDown { until: u, .. } if *u == until);
        world.seen.until(1, rests).await;
        assert_eq!(world.store.cooling(world.clock.now()).await.unwrap(), [(sh(), until)]);
        // Another job of the class has to wait as well.
        let second = world.add(|_| {}).await;
        assert_eq!(world.worker(|_| {}).run_one().await.unwrap(), banksman_orchestrator::Ran::Nothing);
        assert_eq!(world.engine.steps(second), []);
        world.engine.follow(|_, step| well(step));
        world.clock.advance(HOUR);
        world.seen.until(2, |e| matches!(e.what, What::JobMoved { to: Stage::Shipped, .. })).await;
    })
    .await;
    let first = world.job(first).await;
    assert_eq!((first.failures, first.state.stage()), (0, Stage::Shipped));
}

#[tokio::test]
async fn trouble_of_the_host_is_waited_out_and_not_counted() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Trouble);
    let job = world.add(|spec| spec.retries = 0).await;
    beside(world.worker(|_| {}), async {
        for times in 1..=5 {
            world.seen.until(times, retried).await;
            assert_eq!(world.job(job).await.failures, 0);
            world.clock.advance(HOUR);
        }
        world.engine.follow(|_, step| match step {
            Step::Build { .. } => Act::Gives(StepResult::Failed(FailReason::DiskFull)),
            step => well(step),
        });
        world.seen.until(6, retried).await;
        world.engine.follow(|_, step| well(step));
        world.clock.advance(HOUR);
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Shipped, .. })).await;
    })
    .await;
    assert_eq!(world.job(job).await.failures, 0);
}

#[tokio::test]
async fn a_host_that_never_works_ends_the_job_at_last() {
    let world = TestWorld::new();
    world.engine.follow(|_, _| Act::Trouble);
    let job = world.add(|spec| spec.retries = 0).await;
    beside(world.worker(|_| {}), async {
        for times in 1..=10 {
            world.seen.until(times, retried).await;
            world.clock.advance(HOUR);
        }
        world.seen.until(1, |e| matches!(e.what, What::JobMoved { to: Stage::Failed, .. })).await;
    })
    .await;
    assert!(matches!(world.job(job).await.state, JobState::Failed { reason: FailReason::Workspace, .. }));
}

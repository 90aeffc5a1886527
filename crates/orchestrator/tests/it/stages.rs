//! The way of a manifest's job through its stages (Q7, Q8).

use crate::{
    engine::{Act, Line, well},
    world::{TestWorld, sh},
};
use banksman_core::{
    event::What,
    job::{JobState, Stage, Why},
    port::{Queue, Step, StepResult},
    work::{FailReason, Verdict},
};
use banksman_orchestrator::{Ran, Stop};

#[tokio::test]
async fn a_plain_job_passes_through_every_stage() {
    let world = TestWorld::new();
    let job = world.add(|_| {}).await;
    assert_eq!(world.worker(|_| {}).run_one().await.unwrap(), Ran::Attempt);
    assert_eq!(
        world.way(job).await,
        [
            (Stage::Inbox, Why::Added),
            (Stage::Building, Why::Claimed),
            (Stage::Review, Why::Passed),
            (Stage::Testing, Why::Passed),
            (Stage::Shipped, Why::Passed),
        ]
    );
    assert_eq!(world.engine.steps(job), [Step::Build { round: 0 }, Step::Land]);
    let attempts = world.store.attempts(job).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].measured.cpu_ms, Some(7));
    assert!(attempts[0].ended_at.is_some());
    assert!(world.engine.log().contains(&Line::Leave(attempts[0].attempt)));
    assert_eq!(world.worker(|_| {}).run_one().await.unwrap(), Ran::Nothing);
}

#[tokio::test]
async fn review_and_verify_come_before_landing() {
    let world = TestWorld::new();
    let job = world
        .add(|spec| {
            spec.review = Some(sh());
            spec.verify = vec!["true".to_owned()];
        })
        .await;
    world.worker(|_| {}).run_until_empty(&Stop::default()).await.unwrap();
    assert_eq!(world.engine.steps(job), [Step::Build { round: 0 }, Step::Review, Step::Verify, Step::Land]);
    assert_eq!(world.stage(job).await, Stage::Shipped);
}

#[tokio::test]
async fn changes_send_it_back_to_building_in_the_same_attempt() {
    let world = TestWorld::new();
    let job = world.add(|spec| spec.review = Some(sh())).await;
    let reviews = std::sync::atomic::AtomicU32::new(0);
    world.engine.follow(move |_, step| match step {
        Step::Review if reviews.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => {
            Act::Gives(StepResult::Reviewed(Verdict::Changes))
        }
        step => well(step),
    });
    world.worker(|_| {}).run_until_empty(&Stop::default()).await.unwrap();
    let way: Vec<_> = world.way(job).await.into_iter().skip(2).collect();
    assert_eq!(
        way,
        [
            (Stage::Review, Why::Passed),
            (Stage::Building, Why::Changes),
            (Stage::Review, Why::Passed),
            (Stage::Building, Why::Changes),
            (Stage::Review, Why::Passed),
            (Stage::Testing, Why::Passed),
            (Stage::Shipped, Why::Passed),
        ]
    );
    assert_eq!(world.store.attempts(job).await.unwrap().len(), 1);
    assert_eq!(
        world.engine.steps(job).into_iter().filter(|s| matches!(s, Step::Build { .. })).collect::<Vec<_>>(),
        [Step::Build { round: 0 }, Step::Build { round: 1 }, Step::Build { round: 2 }]
    );
}

#[tokio::test]
async fn after_the_last_fix_round_it_fails_and_is_not_retried() {
    let world = TestWorld::new();
    world.engine.follow(|order, step| match step {
        Step::Review if order.spec.review.is_some() => Act::Gives(StepResult::Reviewed(Verdict::Changes)),
        Step::Verify => Act::Gives(StepResult::Refuted),
        step => well(step),
    });
    let reviewed = world.add(|spec| spec.review = Some(sh())).await;
    let verified = world
        .add(|spec| {
            spec.verify = vec!["false".to_owned()];
            spec.fix_rounds = 0;
        })
        .await;
    world.worker(|_| {}).run_until_empty(&Stop::default()).await.unwrap();
    let reason = |state| match state {
        JobState::Failed { reason, .. } => Some(reason),
        _ => None,
    };
    assert_eq!(reason(world.job(reviewed).await.state), Some(FailReason::ChangesWanted));
    assert_eq!(reason(world.job(verified).await.state), Some(FailReason::VerifyFailed));
    let builds = world.engine.steps(reviewed).into_iter().filter(|s| matches!(s, Step::Build { .. })).count();
    assert_eq!(builds, 3, "one and two fix rounds");
    assert_eq!(world.engine.steps(verified), [Step::Build { round: 0 }, Step::Verify]);
}

#[tokio::test]
async fn each_stage_that_lasts_is_shown() {
    let world = TestWorld::new();
    let job = world.add(|spec| spec.verify = vec!["true".to_owned()]).await;
    world.worker(|_| {}).run_until_empty(&Stop::default()).await.unwrap();
    let shown: Vec<Stage> = world
        .seen
        .all()
        .into_iter()
        .filter_map(|event| match event.what {
            What::JobMoved { job: of, to, .. } if of == job => Some(to),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [Stage::Building, Stage::Testing, Stage::Shipped]);
}

//! Auto-merge: an armed pull request is merged by the look that finds nothing in the way.

use crate::world::{World, text};
use banksman_core::{
    id::Number,
    intent::MergeMethod,
    port::book::Readiness,
    signals::{AutoMerge, PullState},
};

/// A world with a pull request of the branch `topic` into the default branch.
async fn world() -> (World, Number) {
    let world = World::new().await;
    let issue = world.issue("fix: it").await;
    world.push("topic", "new", "work");
    let pull = world.pull(issue, "topic", "main").await;
    (world, pull)
}

async fn is_merged(world: &World, pull: Number) -> bool {
    matches!(world.signals(pull).await.state, PullState::Merged { .. })
}

#[tokio::test]
async fn it_is_merged_when_the_checks_turn_green_and_not_before() {
    let (world, pull) = world().await;
    world.desk("ann").await.arm(pull, MergeMethod::Squash).await.unwrap();
    assert_eq!(world.signals(pull).await.auto_merge, AutoMerge::Armed);
    assert!(!is_merged(&world, pull).await);
    world.checked().await;
    assert!(is_merged(&world, pull).await);
    assert_eq!(world.file("main", "new").trim_end(), "work");
}

#[tokio::test]
async fn a_new_head_has_to_turn_green_first() {
    let (world, pull) = world().await;
    let red = world.push("topic", "more", "red");
    world.checker.red.lock().unwrap().push(red);
    world.desk("ann").await.arm(pull, MergeMethod::Merge).await.unwrap();
    world.checked().await;
    assert!(!is_merged(&world, pull).await);
    world.push("topic", "more", "green");
    assert!(!is_merged(&world, pull).await);
    world.checked().await;
    assert!(is_merged(&world, pull).await);
}

#[tokio::test]
async fn a_draft_waits_and_an_order_can_be_taken_back() {
    let (world, pull) = world().await;
    let ann = world.desk("ann").await;
    ann.set_readiness(pull, Readiness::Draft).await.unwrap();
    ann.arm(pull, MergeMethod::Merge).await.unwrap();
    world.checked().await;
    assert!(!is_merged(&world, pull).await);
    ann.disarm(pull).await.unwrap();
    ann.set_readiness(pull, Readiness::Ready).await.unwrap();
    ann.comment(pull, text("later")).await.unwrap();
    assert!(!is_merged(&world, pull).await);
    assert_eq!(world.signals(pull).await.auto_merge, AutoMerge::NotOffered);
}

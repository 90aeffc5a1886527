//! What people and agents do with git behind the forge's back.

use crate::world::World;
use banksman_core::{
    port::{Forge, PullQuery},
    signals::{CheckState, PullState},
};
use std::time::Duration;

#[tokio::test]
async fn a_push_is_a_new_head_with_its_own_time_and_checks() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    let before = world.signals(pull).await;
    let head = world.push("agent/1", "one", "2\n");
    let after = world.signals(pull).await;
    assert_eq!((after.head, after.checks[0].state), (head, CheckState::Pending));
    assert!(after.head_at > before.head_at);
    let again = world.signals(pull).await;
    assert_eq!(
        (again.head_at, again.updated_at),
        (after.head_at, after.updated_at),
        "looking changes nothing"
    );
}

#[tokio::test]
async fn a_merge_by_hand_is_noticed_and_closes_the_issue() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.git(&["merge", "-q", "--no-ff", "-m", "by hand", "agent/1"]);
    let main = world.head("main").unwrap();
    assert!(matches!(world.signals(pull).await.state, PullState::Merged { commit, .. } if commit == main));
    assert!(!world.is_open(issue).await);
}

#[tokio::test]
async fn a_branch_that_was_emptied_is_not_taken_for_merged() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.git(&["branch", "-q", "-f", "agent/1", "main"]);
    for _ in 0..2 {
        assert_eq!(world.signals(pull).await.state, PullState::Open);
    }
    assert!(world.is_open(issue).await);
}

#[tokio::test]
async fn a_pull_request_whose_branch_is_gone_is_closed() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n2\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.git(&["branch", "-q", "-D", "agent/1"]);
    let signals = world.signals(pull).await;
    assert!(matches!(signals.state, PullState::Closed { .. }));
    assert_eq!(signals.additions, 2);
    assert!(world.is_open(issue).await);
}

#[tokio::test]
async fn branches_are_seen_wherever_git_keeps_them() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.git(&["pack-refs", "--all", "--prune"]);
    assert_eq!(world.signals(pull).await.state, PullState::Open);
    let head = world.push("agent/1", "one", "2\n");
    assert_eq!(world.signals(pull).await.head, head);
    // A symbolic branch: git is asked.
    world.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/agent/1"]);
    assert_eq!(world.signals(pull).await.head, head);
}

#[tokio::test]
async fn a_push_wakes_those_who_wait() {
    let world = World::new().await;
    let mut moves = world.forge.moves().await;
    assert!(tokio::time::timeout(Duration::from_millis(20), moves.next()).await.is_err());
    world.push("agent/1", "one", "1\n");
    tokio::time::timeout(Duration::from_secs(10), moves.next()).await.unwrap();
    world.git(&["pack-refs", "--all"]);
    tokio::time::timeout(Duration::from_secs(10), moves.next()).await.unwrap();
}

#[tokio::test]
async fn an_idle_look_starts_no_process() {
    let world = World::new().await;
    for n in 1..=5 {
        let issue = world.issue("a").await;
        world.push(&format!("agent/{n}"), &format!("f{n}"), "1\n");
        world.pull(issue, &format!("agent/{n}"), "main").await;
    }
    world.checked().await;
    let first = world.forge.pulls(&world.repo, &PullQuery::Open).await.unwrap();
    // Without the objects git could not answer anything.
    let objects = world.tree().join(".git/objects");
    std::fs::rename(&objects, world.dir.path().join("objects")).unwrap();
    let second = world.forge.pulls(&world.repo, &PullQuery::Open).await.unwrap();
    assert_eq!(first, second);
    world.forge.repo(&world.repo).await.unwrap();
}

//! Check runs: queued, claimed, made, made again.

use crate::world::{World, plain};
use banksman_core::{
    port::{Book, EngineError},
    signals::CheckState,
    text::CheckName,
};
use banksman_forge::local::{Checked, cores_to_spare};
use std::sync::Arc;
use tokio::sync::{Notify, oneshot};

async fn state(world: &World, pull: banksman_core::id::Number) -> CheckState {
    world.signals(pull).await.checks[0].state
}

#[tokio::test]
async fn a_head_that_was_superseded_is_not_checked_any_more() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let old = world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let new = world.push("agent/1", "one", "2\n");
    world.checked().await;
    let ran: Vec<_> = world.checker.orders.lock().unwrap().iter().map(|o| o.sha.clone()).collect();
    assert_eq!(ran, [new]);
    // Pushed back, the old commit is checked after all.
    world.git(&["branch", "-q", "-f", "agent/1", old.as_str()]);
    assert_eq!(state(&world, pull).await, CheckState::Pending);
    world.checked().await;
    assert_eq!(state(&world, pull).await, CheckState::Passing);
}

#[tokio::test]
async fn a_run_whose_process_died_is_made_again() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    let dead = world.forge.book().claim_run(&world.repo).await.unwrap().unwrap();
    assert_eq!(world.forge.run_checks(&world.repo).await.unwrap(), Checked::Nothing);
    let (stop, stopped) = oneshot::channel::<()>();
    let forge = world.again().await;
    let run = forge.run_checks_until(async { drop(stopped.await) }, cores_to_spare());
    let watch = async {
        let mut changes = world.forge.book().changes();
        while state(&world, pull).await != CheckState::Passing {
            changes.next().await;
        }
        drop(stop);
    };
    let (ran, ()) = tokio::join!(run, watch);
    ran.unwrap();
    // The dead one's late answer is not taken.
    world.forge.book().finish_run(&world.repo, &dead, Vec::new()).await.unwrap();
    assert_eq!(state(&world, pull).await, CheckState::Passing);
}

#[tokio::test]
async fn runs_under_way_at_the_end_are_queued_again() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    *world.checker.hold.lock().unwrap() = Some(Arc::new(Notify::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let run = world.forge.run_checks_until(async { drop(stopped.await) }, cores_to_spare());
    let watch = async {
        while world.checker.orders.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(stop);
    };
    tokio::join!(run, watch).0.unwrap();
    *world.checker.hold.lock().unwrap() = None;
    assert_eq!(world.forge.run_checks(&world.repo).await.unwrap(), Checked::One);
    assert_eq!(state(&world, pull).await, CheckState::Passing);
    let orders = world.checker.orders.lock().unwrap();
    assert!(orders[0].run != orders[1].run, "each run has a workspace of its own");
}

#[tokio::test]
async fn a_push_from_outside_is_checked_although_nobody_looks() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let run = world.forge.run_checks_until(async { drop(stopped.await) }, cores_to_spare());
    let watch = async {
        let mut changes = world.forge.book().changes();
        let head = world.push("agent/1", "one", "2\n");
        while !world.checker.orders.lock().unwrap().iter().any(|o| o.sha == head) {
            changes.next().await;
        }
        drop(stop);
    };
    tokio::join!(run, watch).0.unwrap();
    assert_eq!(world.signals(pull).await.checks.len(), 1);
}

#[tokio::test]
async fn a_host_that_cannot_run_checks_says_so_after_three_tries() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    *world.checker.broken.lock().unwrap() = Some(EngineError::Host("no room for a checkout"));
    world.checked().await;
    assert_eq!(world.checker.orders.lock().unwrap().len(), 3);
    assert_eq!(state(&world, pull).await, CheckState::Failing);
    let logs = world.desk("ann").await.checks(pull).await.unwrap();
    assert!(plain(&logs[0].log).contains("no room for a checkout"));
    *world.checker.broken.lock().unwrap() = None;
    world.desk("ann").await.rerun_checks(pull).await.unwrap();
    world.checked().await;
    assert_eq!(state(&world, pull).await, CheckState::Passing);
}

#[tokio::test]
async fn a_check_that_is_configured_later_is_run_for_open_heads() {
    let mut world = World::new().await;
    let issue = world.issue("a").await;
    world.push("agent/1", "one", "1\n");
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    world.rules.checks.push((CheckName::new("lint").unwrap(), "true".to_owned()));
    world.forge = world.again().await;
    let states: Vec<_> = world.signals(pull).await.checks.iter().map(|c| c.state).collect();
    assert_eq!(states, [CheckState::Pending, CheckState::Pending]);
    world.checked().await;
    assert!(world.signals(pull).await.all_green());
    // One that is configured no more counts no more.
    world.rules.checks.remove(0);
    world.forge = world.again().await;
    assert_eq!(world.signals(pull).await.checks.len(), 1);
}

#[tokio::test]
async fn a_red_check_is_failing_with_the_end_of_its_output() {
    let world = World::new().await;
    let issue = world.issue("a").await;
    let head = world.push("agent/1", "one", "1\n");
    world.checker.red.lock().unwrap().push(head);
    let pull = world.pull(issue, "agent/1", "main").await;
    world.checked().await;
    assert_eq!(state(&world, pull).await, CheckState::Failing);
    let logs = world.desk("ann").await.checks(pull).await.unwrap();
    assert!(plain(&logs[0].log).contains("assertion failed"));
}

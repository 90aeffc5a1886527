//! Dispatches under the quotas of a team and the plan of a day (B4, B7).

use crate::world::{TestWorld, holder, sh};
use banksman_core::{
    budget::Team,
    id::Number,
    port::{Budget, Clock, LedgerState, Store},
    repo::RepoRules,
    text::RepoName,
};
use banksman_orchestrator::Orchestrator;
use jiff::SignedDuration;
use std::sync::Arc;

fn repo() -> RepoName {
    RepoName::new("our/own").unwrap()
}

/// Rules with a team in which ann has so many tasks a day of the engine.
fn rules(tasks: u32) -> RepoRules {
    let team =
        format!("[[member]]\nname = \"ann\"\n[[member.quota]]\nprovider = \"{}\"\ntasks = {tasks}\n", sh());
    RepoRules { team: Team::from_toml(&team).unwrap(), ..RepoRules::new(repo(), sh()) }
}

fn pipeline(world: &Arc<TestWorld>) -> Orchestrator<Arc<TestWorld>> {
    world.forge.town(&repo(), world.clock.now());
    Orchestrator::new(Arc::clone(world), holder("here/1/pipeline"))
}

fn issues(world: &TestWorld, count: usize) -> Vec<Number> {
    (0..count).map(|_| world.forge.with(&repo(), |town| town.open(&[])).unwrap()).collect()
}

#[tokio::test]
async fn a_quota_holds_dispatches_back_until_its_window_is_over() {
    let world = TestWorld::new();
    let pipeline = pipeline(&world);
    let all = issues(&world, 3);
    let held = pipeline.dispatch_direct(&rules(2), &all).await.unwrap();
    assert_eq!(held, all[2..]);
    let ledger = world.store.ledger(&repo()).await.unwrap();
    let told: Vec<_> = ledger.iter().map(|e| (e.state, e.member.as_ref().unwrap().as_str())).collect();
    assert_eq!(told, [(LedgerState::Settled, "ann"); 2]);
    // Lowered below what is used: nothing more, and nothing is lost.
    assert_eq!(pipeline.dispatch_direct(&rules(1), &all).await.unwrap(), all[2..]);
    // The next day.
    world.clock.advance(SignedDuration::from_hours(24));
    world.forge.with(&repo(), |town| town.now = world.clock.now()).unwrap();
    assert_eq!(pipeline.dispatch_direct(&rules(1), &all).await.unwrap(), []);
    assert_eq!(world.store.ledger(&repo()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_plan_of_the_day_is_kept_and_without_a_team_nothing_is_limited() {
    let world = TestWorld::new();
    let pipeline = pipeline(&world);
    let all = issues(&world, 3);
    let free = RepoRules::new(repo(), sh());
    let day = free.team.plan_day(world.clock.now());
    world.store.set_allocation(day.date, &[(repo(), 1)].into(), world.clock.now()).await.unwrap();
    assert_eq!(pipeline.dispatch_direct(&free, &all).await.unwrap(), all[1..]);
    world.store.set_allocation(day.date, &[(repo(), 9)].into(), world.clock.now()).await.unwrap();
    assert_eq!(pipeline.dispatch_direct(&free, &all).await.unwrap(), []);
}

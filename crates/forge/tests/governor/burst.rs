//! A day of more demand than any limit allows.

use super::{
    model::Github,
    world::{BEGIN, Fate, World, repo},
};
use banksman_core::text::RepoName;
use banksman_forge::github::governor::{Cost, Effect};
use std::collections::BTreeMap;

const HOUR: i64 = 3_600_000;

/// Somebody who always wants more of one kind.
struct Asker {
    repo: RepoName,
    cost: Cost,
    /// Pause between a success and the next wish, in milliseconds.
    eager: i64,
    /// Comes back so late after the time that he was told, in milliseconds.
    late: i64,
    next: i64,
    done: u64,
}

fn asker(number: usize, cost: Cost, eager: i64, late: i64) -> Asker {
    Asker { repo: repo(number), cost, eager, late, next: BEGIN, done: 0 }
}

/// Lets them ask for so many hours.
fn run(askers: &mut [Asker], hours: i64) -> Github {
    let mut world = World::new();
    let mut turn = 0_i64;
    loop {
        let first = (0..askers.len()).min_by_key(|i| askers[*i].next).unwrap();
        if askers[first].next >= BEGIN + hours * HOUR {
            return world.github;
        }
        world.pass(askers[first].next);
        turn += 1;
        let asker = &mut askers[first];
        // Latencies from 80 ms to 1.3 s, a different one each time.
        let fate = Fate::Answered(80 + (turn * 37) % 1_200);
        match world.attempt(Some(&asker.repo), asker.cost, fate) {
            Ok(()) => {
                asker.done += 1;
                asker.next = world.now + asker.eager;
            }
            Err(wait) => asker.next = world.now + wait + asker.late,
        }
    }
}

#[test]
fn a_day_of_a_burst_passes_no_limit() {
    let read = Cost::Rest(Effect::Read);
    let query = Cost::Graphql { points: 4, effect: Effect::Read };
    let mutation = Cost::Graphql { points: 1, effect: Effect::Write };
    let comment = Cost::Graphql { points: 1, effect: Effect::Content };
    let issue = Cost::Rest(Effect::Content);
    let mut askers: Vec<Asker> = [read, query, mutation, comment, issue, read, query, comment, read, query]
        .into_iter()
        .enumerate()
        .map(|(i, cost)| asker(i, cost, 1, i64::try_from(i).unwrap() * 7))
        .collect();
    let github = run(&mut askers, 24);
    assert_eq!(github.passed, []);
    // Not by standing still: most of what is allowed is used.
    assert!(github.content > 24 * 450, "content {}", github.content);
    assert!(github.received > 24 * 5_000, "requests {}", github.received);
}

#[test]
fn who_is_greedy_takes_nobody_elses_part() {
    let comment = Cost::Rest(Effect::Content);
    // One polls at once and always, four come back seconds late.
    let mut askers: Vec<Asker> =
        (0..5).map(|i| asker(i, comment, 1, if i == 0 { 0 } else { 2_500 })).collect();
    let github = run(&mut askers, 6);
    assert_eq!(github.passed, []);
    let done: BTreeMap<String, u64> = askers.iter().map(|a| (a.repo.to_string(), a.done)).collect();
    // Half of 480 an hour, in five equal parts, is 48 for each.
    assert!(askers.iter().all(|asker| asker.done >= 6 * 43), "{done:?}");
}

#[test]
fn reads_leave_something_for_writes() {
    let query = Cost::Graphql { points: 50, effect: Effect::Read };
    let mut world = World::new();
    let mut reads = 0;
    while world.attempt(None, query, Fate::Answered(100)).is_ok() || reads == 0 {
        reads += 50;
        world.pass(world.now + 200);
    }
    assert!((4_400..=4_500).contains(&reads), "{reads}");
    let merge = Cost::Graphql { points: 1, effect: Effect::Write };
    let settle = Cost::Graphql { points: 1, effect: Effect::Settle };
    world.attempt(None, merge, Fate::Answered(100)).unwrap();
    world.attempt(None, settle, Fate::Answered(100)).unwrap();
}

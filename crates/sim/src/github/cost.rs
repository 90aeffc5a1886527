//! What looking costs on GitHub: requests, points and own time for one look at many pull requests, and for an hour of watching many
//! repositories with webhooks on.

use super::TownForge;
use crate::{
    chance::Chance,
    executor::{Executor, HOUR, Kernel, MINUTE, Micros, NATURE, SECOND, held},
    forge::{
        Town,
        town::{OWNER, branch, tag},
    },
    gate::Faults,
    plan::{Plan, RepoPlan, Wired},
    trace::Record,
    universe::Universe,
    violation::WorldKind,
    world::{Shared, SimWorld},
};
use banksman_core::{id::Number, port::World as _, repo::Sweeps, signals::CheckState, text::Holder};
use banksman_orchestrator::Orchestrator;
use serde::Serialize;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// What some looking cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Looks at a repository.
    pub looks: u64,
    /// GraphQL requests, each of one point: their pages are cut so.
    pub points: u64,
    /// REST requests that were not answered with 304.
    pub rest: u64,
    /// REST requests that were.
    pub unchanged: u64,
    /// Seconds of this process on all of it, GitHub's share not counted.
    pub own_seconds: f64,
}

impl Cost {
    fn since(self, before: Self) -> Self {
        Self {
            looks: self.looks - before.looks,
            points: self.points - before.points,
            rest: self.rest - before.rest,
            unchanged: self.unchanged - before.unchanged,
            own_seconds: self.own_seconds - before.own_seconds,
        }
    }
}

/// Requests by both ways, and the time that GitHub took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    pub(super) graphql: u64,
    pub(super) rest: u64,
    pub(super) unchanged: u64,
    pub(super) theirs: Duration,
}

/// The cost of one more look at a repository with so many open pull requests, everything about them known from a look before.
pub fn one_look(pulls: u32) -> Cost {
    watch(1, pulls, Sweeps::AWAY, Vec::new(), 0).1
}

/// The cost of an hour of watching, webhooks on. `events` pushes happen in it, spread over all pull requests; besides, each repository is looked
/// at as often as `sweeps` says.
pub fn an_hour(repos: u32, pulls: u32, events: u32, sweeps: Sweeps) -> Cost {
    let mut chance = Chance::new(u64::from(events));
    let mut all: Vec<(Micros, u32)> = (0..events)
        .map(|_| (MINUTE + chance.time(0, HOUR - MINUTE), chance.below(u64::from(repos)) as u32))
        .collect();
    all.sort_unstable();
    watch(repos, pulls, sweeps, all, MINUTE + HOUR).1
}

/// Looks at everything once, then until `end` as often as is due or something happens. What the first looks cost, and the rest; with an
/// `end` of 0 one more look at each.
fn watch(repos: u32, pulls: u32, sweeps: Sweeps, events: Vec<(Micros, u32)>, end: Micros) -> (Cost, Cost) {
    let mut chance = Chance::new(7);
    let mut plan = Plan::draw(&mut chance, repos, 1);
    plan.faults = Faults::default();
    plan.wire = Wired::Github;
    for repo in &mut plan.repos {
        // As on a host that reaches GitHub.
        repo.rules.sweeps = sweeps;
        repo.customs.approvals = 1;
        repo.customs.people_review = true;
        repo.customs.strict = false;
        repo.customs.auto_merge = false;
        repo.customs.lazy = false;
    }
    let kernel = Arc::new(Kernel::new(chance));
    let shared =
        Shared::new(Arc::clone(&kernel), plan, Universe::new(7, WorldKind::Github), Record::default());
    for repo in shared.plan.repos.clone() {
        let town = town(&repo, pulls);
        shared.with(|u| {
            // Its author's own resolving would not count.
            let threads = town.pulls.values().flat_map(|pull| &pull.threads);
            u.github.resolved.extend(threads.map(|thread| (repo.name.clone(), thread.id)));
            u.towns.insert(repo.name.clone(), Box::new(town));
            u.rules.insert(repo.name.clone(), repo.rules.clone());
        });
    }
    let costs = Arc::new(Mutex::new((Cost::default(), Cost::default())));
    let (inside, result) = (Arc::clone(&shared), Arc::clone(&costs));
    kernel.spawn(NATURE, async move {
        let world = SimWorld::new(&inside, NATURE);
        #[expect(clippy::expect_used, reason = "a constant word")]
        let orchestrator = Orchestrator::new(world.clone(), Holder::new("watcher").expect("a valid holder"));
        debug_assert!(matches!(world.forge(), TownForge::Github(_)));
        let began = Instant::now();
        let mut looks = 0;
        let so_far = |looks: u64| {
            let asked = inside.with(|u| u.github.asked);
            let own = began.elapsed().saturating_sub(asked.theirs).as_secs_f64();
            Cost {
                looks,
                points: asked.graphql,
                rest: asked.rest,
                unchanged: asked.unchanged,
                own_seconds: own,
            }
        };
        let mut due = vec![0; inside.plan.repos.len()];
        for (at, repo) in due.iter_mut().zip(&inside.plan.repos) {
            *at = look(&inside, &orchestrator, repo).await;
            looks += 1;
        }
        let first = so_far(looks);
        if end == 0 {
            for repo in &inside.plan.repos {
                look(&inside, &orchestrator, repo).await;
                looks += 1;
            }
        }
        let mut events = events.into_iter().peekable();
        loop {
            let (which, at) = due.iter().copied().enumerate().min_by_key(|(_, at)| *at).unwrap_or_default();
            let (which, at) = match events.peek() {
                Some((happens, repo)) if *happens < at => {
                    let (happens, repo) = (*happens, *repo as usize);
                    events.next();
                    inside.kernel.sleep_until(happens).await;
                    happen(&inside, repo, happens);
                    // The webhook takes a moment.
                    (repo, happens + SECOND)
                }
                _ => (which, at),
            };
            if at >= end {
                break;
            }
            inside.kernel.sleep_until(at).await;
            due[which] = look(&inside, &orchestrator, &inside.plan.repos[which]).await;
            looks += 1;
        }
        *held(&result) = (first, so_far(looks).since(first));
        inside.kernel.stop();
    });
    Executor::new(kernel).run(u64::MAX);
    *held(&costs)
}

/// One look; when the next one is due.
async fn look(shared: &Arc<Shared>, orchestrator: &Orchestrator<SimWorld>, repo: &RepoPlan) -> Micros {
    match orchestrator.sweep(&repo.rules).await {
        Ok(look) if !look.acted => crate::executor::micros(look.next),
        Ok(_) => shared.kernel.now(),
        Err(_) => shared.kernel.now() + MINUTE,
    }
}

/// A repository with open pull requests of a person, all green, each with review threads that are settled, waiting for a review.
fn town(repo: &RepoPlan, pulls: u32) -> Town {
    let mut town = Town::new(repo.salt, repo.customs.clone());
    let main = town.default_branch.clone();
    // Three pull requests to an issue: a glance has room for forty.
    let issues: Vec<Number> = (0..pulls.div_ceil(3))
        .map(|_| town.open_issue(0, OWNER, "docs(core): words", String::new(), vec![tag("quality")]))
        .collect();
    for n in 0..pulls {
        let issue = issues[n as usize / 3];
        let head = branch(&format!("work-{n}"));
        let at = town.branches[&main];
        town.branches.insert(head.clone(), at);
        town.push(0, &head, 0);
        let Some(number) = town.open_pull(0, OWNER, &head, &main, issue) else { continue };
        for _ in 0..10 {
            town.open_thread(0, number);
        }
        let Some(pull) = town.pulls.get_mut(&number) else { continue };
        pull.threads.iter_mut().for_each(|thread| thread.resolved = true);
        let head = pull.head;
        town.checks.insert(head, vec![CheckState::Passing; 40]);
    }
    town
}

/// Somebody pushes to a pull request of the repository, and its checks are green at once.
fn happen(shared: &Arc<Shared>, repo: usize, at: Micros) {
    let name = &shared.plan.repos[repo].name;
    shared.with(|u| {
        u.in_town(name, |town, _| {
            let numbers: Vec<Number> = town.pulls.keys().copied().collect();
            let Some(number) = numbers.get(at.unsigned_abs() as usize % numbers.len().max(1)) else { return };
            let Some(head) = town.pulls.get(number).map(|pull| pull.head_branch.clone()) else { return };
            town.push(at, &head, 0);
            let commit = town.branches[&head];
            town.checks.insert(commit, vec![CheckState::Passing; 40]);
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_at_a_hundred_pull_requests_costs_four_points() {
        let cost = one_look(100);
        assert!(cost.points + cost.rest <= 4, "{cost:?}");
    }
}

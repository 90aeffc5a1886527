//! Simulations: one seed is one world; many seeds run on all cores; a seed is replayed with its whole trace.

use crate::{
    canary,
    chance::Chance,
    executor::{Ended, Executor, HOUR, Kernel, MINUTE, NATURE, SECOND},
    forge::{
        Town,
        town::{OWNER, tag},
    },
    nature, people,
    plan::{LOOK, PATIENCE, Plan},
    process::{self, Role},
    trace::{Record, Trace},
    universe::{Tally, Universe},
    violation::{Invariant, Violation, WorldKind},
    world::Shared,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Most polls of one world; a world that needs more spins.
const STEPS: u64 = 4_000_000;

/// Which worlds a seed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worlds {
    /// One of repositories.
    Pipeline,
    /// One of jobs.
    Jobs,
    /// One of each.
    Both,
    /// One of repositories on a hostile GitHub, reached through its genuine client.
    Github,
}

impl Worlds {
    fn kinds(self) -> &'static [WorldKind] {
        match self {
            Self::Pipeline => &[WorldKind::Pipeline],
            Self::Jobs => &[WorldKind::Jobs],
            Self::Both => &[WorldKind::Pipeline, WorldKind::Jobs],
            Self::Github => &[WorldKind::Github],
        }
    }
}

/// What to simulate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimOptions {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Which worlds each of them has.
    pub worlds: Worlds,
    /// Repositories in each world, at least 1.
    pub repos: u32,
    /// Most children of an audit in each repository, at least 1.
    pub children: u32,
    /// Most jobs in a world of jobs, at least 1.
    pub jobs: u32,
    /// Threads; 0: as many as there are cores.
    pub threads: usize,
    /// A deliberate bug of the orchestrator.
    #[cfg(feature = "seeded-bugs")]
    pub bug: Option<banksman_orchestrator::bugs::Bug>,
}

impl SimOptions {
    /// Small worlds with these seeds.
    pub fn new(seeds: Range<u64>) -> Self {
        Self {
            seeds,
            worlds: Worlds::Both,
            repos: 1,
            children: 4,
            jobs: 12,
            threads: 0,
            #[cfg(feature = "seeded-bugs")]
            bug: None,
        }
    }
}

/// What came of a simulation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimReport {
    /// Worlds that ran.
    pub worlds: u64,
    /// Violations, by seed.
    pub violations: Vec<Violation>,
    /// Pull requests that were merged.
    pub merges: u64,
    /// Fixed sentences said to implementers.
    pub asks: u64,
    /// People called.
    pub escalations: u64,
    /// Effects on the forge.
    pub effects: u64,
    /// Processes that died.
    pub crashes: u64,
    /// Attempts of engines.
    pub attempts: u64,
    /// Virtual days, over all worlds.
    pub days: f64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// How often each kind of thing happened: effects, calls for a person, published work, faults.
    pub seen: BTreeMap<&'static str, u64>,
    /// The end of the trace of the first seed that violates something.
    pub last_lines: Vec<String>,
}

/// Lines of a trace that a report shows.
const LAST_LINES: usize = 40;

impl SimReport {
    /// Merges per simulated day.
    pub fn merges_per_day(&self) -> f64 {
        if self.days > 0.0 { self.merges as f64 / self.days } else { 0.0 }
    }
}

/// One world that ran to its end.
struct Finished {
    hash: u64,
    lines: Vec<String>,
    violations: Vec<Violation>,
    tally: Tally,
    seen: BTreeMap<&'static str, u64>,
    micros: i64,
}

/// Runs all seeds. `progress` is told how many worlds are done, now and then.
pub fn simulate(options: &SimOptions, progress: &(dyn Fn(u64) + Sync)) -> SimReport {
    let started = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if options.threads == 0 { cores } else { options.threads };
    let next = AtomicU64::new(options.seeds.start);
    let done = AtomicU64::new(0);
    let report = Mutex::new(SimReport {
        worlds: 0,
        violations: Vec::new(),
        merges: 0,
        asks: 0,
        escalations: 0,
        effects: 0,
        crashes: 0,
        attempts: 0,
        days: 0.0,
        seconds: 0.0,
        seen: BTreeMap::new(),
        last_lines: Vec::new(),
    });
    let mut days: Vec<(u64, i64)> = Vec::new();
    let all_days = Mutex::new(&mut days);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.seeds.end {
                        return;
                    }
                    for kind in options.worlds.kinds() {
                        let finished = run(seed, *kind, options, Record::default());
                        let mut report = crate::executor::held(&report);
                        report.worlds += 1;
                        report.violations.extend(finished.violations);
                        report.merges += finished.tally.merges;
                        report.asks += finished.tally.asks;
                        report.escalations += finished.tally.escalations;
                        report.effects += finished.tally.effects;
                        report.crashes += finished.tally.crashes;
                        report.attempts += finished.tally.attempts;
                        for (what, count) in finished.seen {
                            *report.seen.entry(what).or_default() += count;
                        }
                        crate::executor::held(&all_days).push((seed, finished.micros));
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(50) {
                        progress(done);
                    }
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    report.violations.sort_by_key(|v| v.seed);
    if let Some(first) = report.violations.first() {
        let worlds = match first.world {
            WorldKind::Pipeline => Worlds::Pipeline,
            WorldKind::Jobs => Worlds::Jobs,
            WorldKind::Github => Worlds::Github,
        };
        let mut lines = replay(first.seed, &SimOptions { worlds, ..options.clone() }).lines;
        report.last_lines = lines.split_off(lines.len().saturating_sub(LAST_LINES));
    }
    let micros: i64 = days.iter().map(|(_, m)| m).sum();
    report.days = micros as f64 / (24 * HOUR) as f64;
    report.seconds = Duration::as_secs_f64(&started.elapsed());
    report
}

/// Runs one seed again and keeps everything that happens.
pub fn replay(seed: u64, options: &SimOptions) -> Trace {
    let mut trace = Trace::default();
    for kind in options.worlds.kinds() {
        let finished = run(seed, *kind, options, Record::kept());
        trace.hash = trace.hash.rotate_left(1) ^ finished.hash;
        trace.lines.extend(finished.lines);
        trace.violations.extend(finished.violations);
    }
    trace
}

fn run(seed: u64, kind: WorldKind, options: &SimOptions, record: Record) -> Finished {
    #[cfg(feature = "seeded-bugs")]
    banksman_orchestrator::bugs::switch(options.bug);
    let mut chance = Chance::new(seed);
    let plan = match kind {
        WorldKind::Pipeline => Plan::draw(&mut chance, options.repos, options.children),
        WorldKind::Jobs => Plan::draw_yard(&mut chance, options.jobs),
        WorldKind::Github => Plan::draw(&mut chance, options.repos, options.children).on_github(),
    };
    let kernel = Arc::new(Kernel::new(chance));
    let shared = Shared::new(Arc::clone(&kernel), plan, Universe::new(seed, kind), record);
    begin(&shared);
    let mut executor = Executor::new(kernel);
    let ended = executor.run(STEPS);
    if ended != Ended::Stopped {
        shared.with(|u| u.violated(Invariant::Ends, format!("the world came to no end: {ended:?}")));
    }
    drop(executor);
    shared.with(|u| {
        if u.violations().is_empty() {
            u.check_end(&shared.plan.repos);
        }
    });
    let (violations, tally, seen) =
        shared.with(|u| (u.violations().to_vec(), u.tally, std::mem::take(&mut u.seen)));
    let record = std::mem::take(&mut *shared.record());
    let micros = shared.kernel.now();
    Finished { hash: record.hash(), lines: record.into_lines(), violations, tally, seen, micros }
}

/// Fills the world and starts everybody.
fn begin(shared: &Arc<Shared>) {
    if let Some(yard) = &shared.plan.yard {
        people::populate(shared, yard);
        shared.kernel.spawn(NATURE, process::kill_now_and_then(Arc::clone(shared)));
        shared.kernel.spawn(NATURE, people::close(Arc::clone(shared)));
        return;
    }
    for repo in &shared.plan.repos {
        let mut town = Town::new(repo.salt, repo.customs.clone());
        town.open_issue(
            0,
            OWNER,
            &format!("[Audit] {}", canary::text("title")),
            canary::text("body"),
            Vec::new(),
        );
        for n in 0..repo.features {
            let title = format!("feat(api): {} {n}", canary::text("title"));
            town.open_issue(0, OWNER, &title, canary::text("body"), vec![tag(canary::LABEL)]);
        }
        shared.with(|u| {
            u.towns.insert(repo.name.clone(), Box::new(town));
            u.rules.insert(repo.name.clone(), repo.rules.clone());
        });
    }
    for repo in &shared.plan.repos {
        nature::populate(shared, repo);
    }
    for n in 0..shared.plan.orchestrators {
        process::start(shared, Role::Orchestrator { first: n == 0 }, n % 2);
    }
    for n in 0..shared.plan.workers {
        process::start(shared, Role::Worker { room: n }, n % 2);
    }
    shared.kernel.spawn(NATURE, process::kill_now_and_then(Arc::clone(shared)));
    shared.kernel.spawn(NATURE, close(Arc::clone(shared)));
}

/// Ends the world when everything is settled, or when it should have been long ago.
async fn close(shared: Arc<Shared>) {
    let over = shared.plan.busy.max(shared.plan.faults.until);
    let mut helps = shared.kernel.draw(|c| c.below(3));
    let middle = shared.kernel.draw(|c| c.time(MINUTE, over));
    shared.kernel.sleep(middle).await;
    shared.with(|u| u.check_store_text());
    shared.kernel.sleep_until(over + SECOND).await;
    loop {
        shared.kernel.sleep(LOOK).await;
        let last = shared.last_change();
        let quiet = shared.with(|u| {
            u.agenda == 0
                && shared.plan.repos.iter().all(|r| u.settled.get(&r.name).is_some_and(|at| *at >= last))
        });
        if quiet && helps > 0 {
            helps -= 1;
            shared.plan.repos.iter().for_each(|r| nature::help(&shared, &r.name));
        } else if quiet {
            shared.kernel.stop();
        } else if shared.kernel.now() > over + PATIENCE {
            shared.with(|u| {
                u.violated(
                    Invariant::Ends,
                    format!("not settled after {} days; agenda {}", PATIENCE / HOUR / 24, u.agenda),
                );
                u.check_end(&shared.plan.repos);
            });
            shared.kernel.stop();
        }
    }
}

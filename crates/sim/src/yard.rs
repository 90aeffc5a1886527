//! A world of jobs as planned: workers on hosts with their engines, jobs of every kind, people who add, cancel and repeat them.

use crate::{
    canary,
    chance::Chance,
    executor::{MINUTE, Micros, SECOND, stamp},
    forge::town::{class, engine},
    gate::Faults,
    plan::Plan,
};
use banksman_core::{
    id::JobId,
    job::Body,
    manifest::{Choice, Dependency, JobSpec, Priority},
    port::NewJob,
    text::{Capability, ItemId, JobKey, JobName, LockName, ProfileName},
};
use banksman_orchestrator::{EngineRoom, WorkerSetup};
use jiff::SignedDuration;
use std::{collections::BTreeMap, path::PathBuf};

/// Workers, jobs and people of one world.
#[derive(Debug, Clone)]
pub(crate) struct Yard {
    /// What each worker is given, and its host.
    pub(crate) rooms: Vec<Room>,
    /// Jobs to be added, with the time of each.
    pub(crate) errands: Vec<(Micros, Errand)>,
    /// When people cancel something, and when they repeat something.
    pub(crate) cancels: Vec<Micros>,
    pub(crate) retries: Vec<Micros>,
    /// When a worker is told to stop.
    pub(crate) drains: Vec<Micros>,
    /// When a worker is cut off from the store or stands still, and how long.
    pub(crate) cuts: Vec<(Micros, Micros)>,
    pub(crate) freezes: Vec<(Micros, Micros)>,
    /// How far the clock of each host is off, less than a lease can bear.
    pub(crate) skews: Vec<Micros>,
    /// When the clock of a host jumps, and how far: further than a lease can bear.
    pub(crate) jumps: Vec<(Micros, u32, Micros)>,
}

/// What one worker is given.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) host: u32,
    engines: Vec<EngineRoom>,
    capabilities: Vec<Capability>,
    full: u32,
    at_once: u32,
    watch: i64,
}

/// A job to be added.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    name: JobName,
    key: Option<JobKey>,
    spec: JobSpec,
}

/// How attempts at jobs fare, in per mille.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Luck {
    pub(crate) failing: u64,
    pub(crate) changes: u64,
    pub(crate) refuted: u64,
    pub(crate) limited: u64,
    /// From here on no quota is used up any more.
    pub(crate) limits_until: Micros,
}

/// Names of the yard; all of them are valid.
macro_rules! name {
    ($type:ident, $($word:tt)*) => {{
        $type::new(&format!($($word)*)).expect("a valid name")
    }};
}

impl Room {
    fn draw(chance: &mut Chance, n: u32, hosts: u64) -> Self {
        let coders: &[&[&str]] = &[&["smith"], &["mason"], &["smith", "mason"]];
        // Everything that a job may need is somewhere: the first worker has it all.
        let names = if n == 0 { coders[2] } else { chance.pick(coders) };
        let parallel = chance.between(1, 3) as u32;
        let mut engines: Vec<EngineRoom> = names
            .iter()
            .map(|name| EngineRoom { name: engine(name), class: class("agentic-coder"), parallel })
            .collect();
        if n == 0 || chance.below(2) == 0 {
            engines.push(EngineRoom { name: engine("shell"), class: class("shell"), parallel: 2 });
        }
        let gpu = n == 0 || chance.below(3) == 0;
        Self {
            host: if n == 0 { 0 } else { chance.below(hosts) as u32 },
            engines,
            capabilities: if gpu { vec![gpu_here()] } else { Vec::new() },
            full: chance.between(1, 2) as u32,
            at_once: chance.between(1, 4) as u32,
            watch: *chance.pick(&[1, 5, 20]),
        }
    }

    /// Fills a setup.
    pub(crate) fn furnish(&self, setup: &mut WorkerSetup) {
        setup.engines.clone_from(&self.engines);
        setup.capabilities.clone_from(&self.capabilities);
        setup.profiles = BTreeMap::from([(careful(), self.full)]);
        setup.at_once = self.at_once;
        setup.watch = SignedDuration::from_secs(self.watch);
        setup.rest = SignedDuration::from_mins(5);
    }
}

fn gpu_here() -> Capability {
    name!(Capability, "gpu:cuda")
}

fn careful() -> ProfileName {
    name!(ProfileName, "careful")
}

impl Errand {
    fn draw(chance: &mut Chance, n: u64, total: u64) -> Self {
        let choice = match chance.below(6) {
            0 => Choice::Engine(engine("smith")),
            1 => Choice::Engine(engine("mason")),
            2 => Choice::Class(class("shell")),
            _ => Choice::Class(class("agentic-coder")),
        };
        let key = (chance.below(2) == 0).then(|| key(n));
        let mut depends_on = Vec::new();
        while n > 0 && chance.below(3) == 0 && depends_on.len() < 3 {
            // Ids of earlier jobs are known when they were added in time; keys of later ones may be named too.
            depends_on.push(match chance.below(3) {
                0 => Dependency::Key(self::key(chance.below(n))),
                1 if chance.below(4) == 0 => Dependency::Key(self::key(n + 1 + chance.below(total - n))),
                _ => Dependency::Id(JobId(1 + chance.below(n))),
            });
        }
        let review = chance.below(4) == 0;
        let verify = chance.below(3) == 0;
        let spec = JobSpec {
            engine: choice,
            profile: (chance.below(4) == 0).then(careful),
            cwd: PathBuf::from("/yard"),
            worktree: true,
            yolo: false,
            lock: (chance.below(2) == 0).then(|| name!(LockName, "crane-{}", chance.below(2))),
            timeout: SignedDuration::from_mins(*chance.pick(&[3, 10, 60])),
            priority: *chance.pick(&[
                Priority::Critical,
                Priority::High,
                Priority::Normal,
                Priority::Normal,
                Priority::Low,
            ]),
            capabilities: if chance.below(6) == 0 { vec![gpu_here()] } else { Vec::new() },
            depends_on,
            tracker_item: Some(name!(ItemId, "T-{n}")),
            auto_echo: chance.below(3) == 0,
            retries: *chance.pick(&[0, 1, 1, 3]),
            not_before: (chance.below(6) == 0).then(|| stamp(chance.time(0, 15 * MINUTE))),
            review: review.then(|| engine("critic")),
            verify: if verify { vec!["make check".to_owned()] } else { Vec::new() },
            fix_rounds: chance.below(3) as u32,
            base: None,
            branch: None,
            max_cost: None,
            max_tokens: None,
            env: Vec::new(),
            preamble: None,
            extra: BTreeMap::new(),
        };
        Self { name: name!(JobName, "errand-{n}"), key, spec }
    }

    /// Whether adding it again finds it.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The job as it is added.
    pub(crate) fn job(&self) -> NewJob {
        NewJob {
            name: self.name.clone(),
            key: self.key.clone(),
            spec: self.spec.clone(),
            body: Body::new(canary::text("job")),
        }
    }
}

fn key(n: u64) -> JobKey {
    name!(JobKey, "errand-{n}")
}

impl Plan {
    /// Draws a world of jobs.
    pub(crate) fn draw_yard(chance: &mut Chance, jobs: u32) -> Self {
        let busy = chance.time(5 * MINUTE, 20 * MINUTE);
        let workers = chance.between(1, 4) as u32;
        let hosts = chance.between(1, 3);
        let count = chance.between(u64::from(jobs).div_ceil(3).max(1), u64::from(jobs.max(1)));
        let at = |chance: &mut Chance| chance.time(0, busy);
        let times = |chance: &mut Chance, most: u64| -> Vec<Micros> {
            (0..chance.below(most + 1)).map(|_| at(chance)).collect()
        };
        let mut moments: Vec<Micros> = (0..count).map(|_| chance.time(0, busy * 2 / 3)).collect();
        moments.sort();
        let errands = moments.into_iter().zip(0..).map(|(at, n)| (at, Errand::draw(chance, n, count)));
        let errands = errands.collect();
        let calm = chance.below(8) == 0;
        let faults =
            if calm { Faults { until: busy, ..Faults::default() } } else { Faults::draw_yard(chance, busy) };
        let trouble = |chance: &mut Chance, low: Micros, high: Micros| -> Vec<(Micros, Micros)> {
            let most = if calm || chance.below(2) == 0 { 0 } else { 3 };
            (0..chance.below(most + 1)).map(|_| (at(chance), chance.time(low, high))).collect()
        };
        let yard = Yard {
            rooms: (0..workers).map(|n| Room::draw(chance, n, hosts)).collect(),
            errands,
            cancels: times(chance, 3),
            retries: times(chance, 4),
            drains: if calm { Vec::new() } else { times(chance, 2) },
            cuts: trouble(chance, 5 * SECOND, 3 * MINUTE),
            freezes: trouble(chance, 5 * SECOND, 3 * MINUTE),
            skews: (0..hosts).map(|_| if calm { 0 } else { chance.time(-SECOND, SECOND) }).collect(),
            jumps: if calm || chance.below(6) > 0 {
                Vec::new()
            } else {
                let jump =
                    |_| (at(chance), chance.below(hosts) as u32, chance.time(-10 * MINUTE, 10 * MINUTE));
                (0..2).map(jump).collect()
            },
        };
        let luck = Luck {
            failing: *chance.pick(&[0, 100, 300, 600]),
            changes: *chance.pick(&[0, 200, 600]),
            refuted: *chance.pick(&[0, 200, 600]),
            limited: *chance.pick(&[0, 0, 100, 300]),
            limits_until: busy,
        };
        let wire = crate::plan::Wired::Port;
        Self {
            repos: Vec::new(),
            faults,
            wire,
            orchestrators: 0,
            workers,
            slots: 0,
            busy,
            yard: Some(yard),
            luck,
        }
    }
}

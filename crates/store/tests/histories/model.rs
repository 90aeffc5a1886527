//! What a queue does, said as plainly as possible: no index, no transaction, every rule asked anew of every job.

use banksman_core::{
    id::{JobId, Token},
    job::{Job, JobEvent, JobState, Stage},
    manifest::Priority,
    work::FailReason,
};
use banksman_store::conformance::{job_samples::*, samples::*};
use jiff::Timestamp;

/// A job to be added.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) key: Option<u8>,
    pub(crate) after_jobs: Vec<usize>,
    pub(crate) after_keys: Vec<u8>,
    pub(crate) lock: Option<u8>,
    pub(crate) priority: Priority,
    pub(crate) engine: &'static str,
    pub(crate) delay: i64,
}

/// A job of the model. Its id is its place, from 1.
pub(crate) struct ModelJob {
    pub(crate) wish: Wish,
    depends: Vec<Depends>,
    pub(crate) retry_of: Option<usize>,
    pub(crate) failures: u32,
    pub(crate) losses: u32,
    pub(crate) token: u64,
    pub(crate) state: JobState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Depends {
    On(usize),
    Open(u8),
}

/// What a worker was given, and whether it holds something still.
#[derive(Clone)]
pub(crate) struct ModelClaim {
    pub(crate) job: usize,
    pub(crate) token: u64,
    pub(crate) until: Timestamp,
    pub(crate) holds: bool,
}

/// The whole queue.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) jobs: Vec<ModelJob>,
    pub(crate) claims: Vec<ModelClaim>,
    resting: Vec<(&'static str, Timestamp)>,
}

/// What became of a wish.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    New(usize),
    Exists(usize),
    Circle,
}

impl Model {
    pub(crate) fn add(&mut self, wish: &Wish, now: Timestamp) -> Answer {
        if let Some(known) = wish.key.and_then(|key| self.newest_with(key)) {
            return Answer::Exists(known);
        }
        let depends = self.understand(wish);
        if let Some(key) = wish.key
            && depends.iter().any(|d| self.leads_to(*d, key))
        {
            return Answer::Circle;
        }
        let place = self.push(wish.clone(), depends, None, now);
        if let Some(key) = wish.key {
            let open = self.jobs.iter_mut().flat_map(|job| &mut job.depends);
            open.filter(|d| **d == Depends::Open(key)).for_each(|d| *d = Depends::On(place));
        }
        self.spread_failures(now);
        Answer::New(place)
    }

    pub(crate) fn retry(&mut self, old: usize, now: Timestamp) -> Option<usize> {
        let ended = matches!(self.jobs[old].state.stage(), Stage::Failed | Stage::Cancelled);
        if !ended || self.jobs.iter().any(|j| j.retry_of == Some(old)) {
            return None;
        }
        let wish = self.jobs[old].wish.clone();
        let depends = self.understand(&wish);
        let place = self.push(wish, depends, Some(old), now);
        self.spread_failures(now);
        Some(place)
    }

    fn push(&mut self, wish: Wish, depends: Vec<Depends>, retry_of: Option<usize>, now: Timestamp) -> usize {
        let not_before = if wish.delay > 0 { at(wish.delay) } else { now };
        let state = JobState::Inbox { not_before };
        self.jobs.push(ModelJob { wish, depends, retry_of, failures: 0, losses: 0, token: 0, state });
        self.jobs.len() - 1
    }

    /// The job that is next for these engines.
    pub(crate) fn next(&self, engines: &[&str], now: Timestamp) -> Option<usize> {
        let mut fitting: Vec<usize> =
            (0..self.jobs.len()).filter(|place| self.fits(*place, engines, now)).collect();
        fitting.sort_by_key(|place| (self.jobs[*place].wish.priority, *place));
        fitting.first().copied()
    }

    fn fits(&self, place: usize, engines: &[&str], now: Timestamp) -> bool {
        let job = &self.jobs[place];
        let waits = match job.state {
            JobState::Inbox { not_before } | JobState::Waiting { not_before } => not_before <= now,
            _ => false,
        };
        let rests = self.resting.iter().any(|(engine, until)| *engine == job.wish.engine && *until > now);
        let locked = job.wish.lock.is_some_and(|lock| {
            self.claims.iter().any(|c| c.holds && self.jobs[c.job].wish.lock == Some(lock))
        });
        waits && self.waits_for(place) == 0 && engines.contains(&job.wish.engine) && !rests && !locked
    }

    /// Dependencies that are not shipped; 0 for a job that has ended.
    pub(crate) fn waits_for(&self, place: usize) -> usize {
        let job = &self.jobs[place];
        let shipped =
            |d: &&Depends| matches!(d, Depends::On(on) if self.jobs[*on].state.stage() == Stage::Shipped);
        if job.state.is_final() { 0 } else { job.depends.iter().filter(|d| !shipped(d)).count() }
    }

    pub(crate) fn rest(&mut self, engine: &'static str, until: Timestamp) {
        self.resting.push((engine, until));
    }

    /// Whether a claim may still move its job.
    pub(crate) fn is_current(&self, claim: &ModelClaim) -> bool {
        self.jobs[claim.job].state.held().is_some_and(|held| held.token.0 == claim.token)
    }

    /// Moves a job; whoever holds it no more holds nothing, but for a cancelled job.
    pub(crate) fn step(&mut self, place: usize, event: JobEvent, now: Timestamp) {
        let cancelled = matches!(event, JobEvent::Cancelled { .. });
        let job = &mut self.jobs[place];
        job.state = job.state.next(event).unwrap();
        if job.state.held().is_none() && !cancelled {
            self.claims.iter_mut().filter(|c| c.job == place).for_each(|c| c.holds = false);
        }
        self.spread_failures(now);
    }

    fn spread_failures(&mut self, now: Timestamp) {
        let lost = |model: &Self, d: &Depends| match d {
            Depends::On(on) => matches!(model.jobs[*on].state.stage(), Stage::Failed | Stage::Cancelled),
            Depends::Open(_) => false,
        };
        while let Some(place) = (0..self.jobs.len()).find(|place| {
            let job = &self.jobs[*place];
            job.state.stage() == Stage::Inbox && job.depends.iter().any(|d| lost(self, d))
        }) {
            self.jobs[place].state = JobState::Failed { at: now, reason: FailReason::Dependency };
        }
    }

    fn understand(&self, wish: &Wish) -> Vec<Depends> {
        let ids = wish.after_jobs.iter().map(|place| Depends::On(self.newest_repetition(*place)));
        let keys = wish.after_keys.iter().map(|key| match self.newest_with(*key) {
            Some(place) => Depends::On(place),
            None => Depends::Open(*key),
        });
        ids.chain(keys).collect()
    }

    fn newest_with(&self, key: u8) -> Option<usize> {
        self.jobs.iter().rposition(|job| job.wish.key == Some(key))
    }

    fn newest_repetition(&self, place: usize) -> usize {
        match self.jobs.iter().position(|job| job.retry_of == Some(place)) {
            Some(newer) => self.newest_repetition(newer),
            None => place,
        }
    }

    fn leads_to(&self, depends: Depends, key: u8) -> bool {
        match depends {
            Depends::Open(other) => other == key,
            Depends::On(place) => {
                let job = &self.jobs[place];
                job.state.stage() == Stage::Inbox && job.depends.iter().any(|d| self.leads_to(*d, key))
            }
        }
    }

    /// Compares a job of the store with its own.
    pub(crate) fn check(&self, job: &Job) {
        let place = usize::try_from(job.id.0).unwrap() - 1;
        let model = &self.jobs[place];
        assert_eq!(job.state, model.state, "job {}", job.id);
        assert_eq!((job.failures, job.losses), (model.failures, model.losses), "job {}", job.id);
        assert_eq!(job.waits_for as usize, self.waits_for(place), "job {}", job.id);
        assert_eq!(job.retry_of, model.retry_of.map(id), "job {}", job.id);
        assert_eq!(job.key, model.wish.key.map(name_of), "job {}", job.id);
        assert!(model.state.held().is_none_or(|held| held.token == Token(model.token)));
    }
}

/// The id of a job by its place.
pub(crate) fn id(place: usize) -> JobId {
    JobId(place as u64 + 1)
}

/// A key by number.
pub(crate) fn name_of(number: u8) -> banksman_core::text::JobKey {
    key(&format!("k{number}"))
}

//! What the attempts write down themselves: when their processes began, when they ended, what they left. The proof of I2 and I11 is
//! read from here and not from the store.

use crate::{
    executor::{Micros, Process},
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    id::{AttemptId, JobId},
    text::LockName,
};
use std::{collections::BTreeMap, task::Waker};

/// The attempts' own log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Processes that run, or ran to an end that nobody noticed yet.
    running: BTreeMap<AttemptId, Proc>,
    /// Workspaces, with the host and the worker that made each.
    places: BTreeMap<AttemptId, (u32, Process)>,
    /// Attempts that published, by job.
    pub(super) published: BTreeMap<JobId, AttemptId>,
    /// What attempts at manifests came to so far.
    pub(super) works: BTreeMap<AttemptId, Work>,
}

/// The process group of one attempt.
#[derive(Debug)]
pub(crate) struct Proc {
    pub(crate) job: JobId,
    pub(crate) lock: Option<LockName>,
    pub(crate) host: u32,
    pub(crate) worker: Process,
    /// When it ends by itself, or because it was asked to.
    until: Micros,
    asked: bool,
    waker: Option<Waker>,
}

/// How far the work of one attempt at a manifest came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) begun: bool,
    pub(crate) built: bool,
    pub(crate) approved: bool,
    pub(crate) verified: bool,
    pub(crate) landed: bool,
}

/// Who begins an attempt's process.
#[derive(Debug, Clone)]
pub(crate) struct Begin {
    pub(crate) attempt: AttemptId,
    pub(crate) job: JobId,
    pub(crate) lock: Option<LockName>,
    pub(crate) host: u32,
    pub(crate) worker: Process,
    pub(crate) until: Micros,
}

impl Log {
    /// Attempts whose processes run at this moment.
    pub(crate) fn running(&self, now: Micros) -> impl Iterator<Item = (AttemptId, &Proc)> {
        self.running.iter().filter(move |(_, proc)| proc.until > now).map(|(a, proc)| (*a, proc))
    }

    /// The host on which an attempt's process or workspace is.
    pub(super) fn host_of(&self, attempt: AttemptId) -> Option<u32> {
        let proc = self.running.get(&attempt).map(|proc| proc.host);
        proc.or_else(|| self.places.get(&attempt).map(|(host, _)| *host))
    }

    /// Workspaces that are there.
    pub(crate) fn places(&self) -> impl Iterator<Item = (AttemptId, u32, Process)> {
        self.places.iter().map(|(attempt, (host, worker))| (*attempt, *host, *worker))
    }

    /// How far an attempt came.
    pub(crate) fn work(&self, attempt: AttemptId) -> Work {
        self.works.get(&attempt).copied().unwrap_or_default()
    }

    pub(super) fn work_mut(&mut self, attempt: AttemptId) -> &mut Work {
        self.works.entry(attempt).or_default()
    }

    /// When the process ends, and whether it was asked to; `None`: somebody else has ended it.
    pub(super) fn look(&mut self, attempt: AttemptId, waker: &Waker) -> Option<(Micros, bool)> {
        let proc = self.running.get_mut(&attempt)?;
        proc.waker = Some(waker.clone());
        Some((proc.until, proc.asked))
    }

    /// Asks it to end; it does at `until`, at the latest.
    pub(super) fn ask(&mut self, attempt: AttemptId, until: Micros) {
        if let Some(proc) = self.running.get_mut(&attempt) {
            proc.asked = true;
            proc.until = proc.until.min(until);
            if let Some(waker) = proc.waker.take() {
                waker.wake();
            }
        }
    }

    /// Its process is gone.
    pub(super) fn stopped(&mut self, attempt: AttemptId) {
        if let Some(waker) = self.running.remove(&attempt).and_then(|proc| proc.waker) {
            waker.wake();
        }
    }

    /// Somebody ends its process and removes its workspace.
    pub(crate) fn clear(&mut self, attempt: AttemptId) {
        self.stopped(attempt);
        self.left(attempt);
    }

    /// Its workspace is gone.
    pub(super) fn left(&mut self, attempt: AttemptId) {
        self.places.remove(&attempt);
    }

    /// What is left on a host of workers that are dead: processes and workspaces.
    pub(crate) fn leftovers(&self, host: u32, dead: impl Fn(Process) -> bool) -> Vec<AttemptId> {
        let procs = self.running.iter().map(|(attempt, proc)| (*attempt, proc.host, proc.worker));
        let left = procs.chain(self.places()).filter(|(_, at, worker)| *at == host && dead(*worker));
        let mut found: Vec<AttemptId> = left.map(|(attempt, ..)| attempt).collect();
        found.sort();
        found.dedup();
        found
    }
}

impl Universe {
    /// A step may only be asked for by the worker that holds the job.
    pub(super) fn check_held(&mut self, attempt: AttemptId) {
        if !self.store.holds().iter().any(|hold| hold.attempt == attempt) {
            let what = format!("a step of attempt {attempt} was asked for, which holds nothing");
            self.violated(Invariant::NoOverlap, what);
        }
    }

    /// Whether a worker goes on at this moment after it stood still: a step that it had asked for before may begin at the same moment
    /// at which the worker ends it.
    fn thaws(&self, worker: Process) -> bool {
        self.model.frozen.get(&worker) == Some(&self.now)
    }

    /// A process of an attempt begins; it may not run beside another one of its job or under its lock (I2), unless nobody could know
    /// of that one: its lease was over, and its worker stood still or was dead on a host that nobody could ask. A worker always knows of
    /// its own.
    pub(super) fn began(&mut self, begin: Begin) {
        let now = self.now;
        let beside = self.log.running(now).find(|(attempt, proc)| {
            *attempt != begin.attempt
                && (proc.job == begin.job || proc.lock.is_some() && proc.lock == begin.lock)
                && (proc.worker == begin.worker
                    || !(self.model.unreachable.contains(attempt) || self.thaws(begin.worker)))
        });
        if let Some((other, proc)) = beside {
            let what = format!(
                "attempts {other} (job {}, host {}) and {} (job {}, host {}) run at once; lock {:?}",
                proc.job, proc.host, begin.attempt, begin.job, begin.host, begin.lock
            );
            self.violated(Invariant::NoOverlap, what);
        }
        let Begin { attempt, job, lock, host, worker, until } = begin;
        self.log.places.insert(attempt, (host, worker));
        self.log.running.insert(attempt, Proc { job, lock, host, worker, until, asked: false, waker: None });
    }
}

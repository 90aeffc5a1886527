//! The referee of the queue: every write of a claim is held against a model of its own, every move of a job against the graph, every
//! claim against the order of claiming (I1, I2, I6, I8, Q7, Q8, Q11, Q12, Q21). What the store says of itself is not believed.

mod ending;
mod moves;
mod order;

use crate::{
    executor::{Process, SECOND},
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    id::{AttemptId, JobId, Token},
    job::JobEvent,
    port::{AddError, Added, AttemptRecord, Cancelled, Claim, NewJob, Retried, StoreError},
    text::{EngineName, Holder, LockName},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A worker that stood still needs so long at most to end what it should have ended.
const RECOVERY: i64 = 15 * SECOND;

/// What the referee remembers.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// What is held, by attempt.
    held: BTreeMap<AttemptId, Held>,
    /// The last token of each job.
    tokens: BTreeMap<JobId, Token>,
    /// Moves of each job that were looked at.
    judged: BTreeMap<JobId, usize>,
    /// Engines that rest.
    resting: BTreeMap<EngineName, Timestamp>,
    /// Jobs that somebody was told are in the queue.
    acknowledged: BTreeSet<JobId>,
    /// Attempts that were asked to end before they began.
    pub(crate) asked: BTreeSet<AttemptId>,
    /// Attempts that nobody could reach when their lease was over.
    pub(crate) unreachable: BTreeSet<AttemptId>,
    /// Workers that are dead.
    pub(crate) dead: BTreeSet<Process>,
    /// Clocks of hosts differ by more than a lease can bear: two may run at once then, and no store can know.
    pub(crate) clocks_lie: bool,
    /// Workers that stand still, or stood still until then.
    pub(crate) frozen: BTreeMap<Process, i64>,
}

/// What a claim holds by the model.
#[derive(Debug, Clone)]
struct Held {
    job: JobId,
    token: Token,
    lock: Option<LockName>,
    holder: Holder,
    until: Timestamp,
    /// The job was cancelled under it.
    cancelled: bool,
}

impl Model {
    /// Whether a claim may write.
    fn current(&self, claim: &Claim) -> bool {
        self.held
            .get(&claim.attempt)
            .is_some_and(|held| held.job == claim.job.id && held.token == claim.token && !held.cancelled)
    }
}

/// Host and process of a holder, as the simulation names them.
pub(crate) fn place_of(holder: &Holder) -> Option<(u32, Process)> {
    let (host, rest) = holder.as_str().strip_prefix("host-")?.split_once('/')?;
    let process = rest.split('/').next()?;
    Some((host.parse().ok()?, Process(process.parse().ok()?)))
}

impl Universe {
    pub(crate) fn add(
        &mut self,
        jobs: Vec<NewJob>,
        who: &Holder,
        now: Timestamp,
    ) -> Result<Vec<Added>, AddError> {
        let keys: Vec<_> = jobs.iter().map(|job| job.key.clone()).collect();
        let before = self.store.rows().len();
        let added = self.store.add(jobs, who, now)?;
        for (added, key) in added.iter().zip(keys) {
            let id = added.id();
            self.model.acknowledged.insert(id);
            let fits = match added {
                Added::New(id) => id.0 as usize > before,
                Added::Exists(_) => key.is_some(),
            };
            if !fits || self.store.job(id).is_none_or(|job| job.key != key) {
                self.violated(Invariant::NothingLost, format!("job {id} is not the one that was added"));
            }
        }
        self.look_at_moves();
        Ok(added)
    }

    pub(crate) fn renew(
        &mut self,
        claim: &Claim,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Timestamp, StoreError> {
        let answer = self.store.renew(claim, now, ttl_ms);
        self.check_fence("renewed", claim, answer.as_ref().err());
        if let (Ok(until), Some(held)) = (&answer, self.model.held.get_mut(&claim.attempt)) {
            held.until = *until;
        }
        answer
    }

    pub(crate) fn advance(
        &mut self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let answer = self.store.advance(claim, events, end, now);
        self.check_fence("moved", claim, answer.as_ref().err());
        if let Ok(after) = &answer {
            if after.job.state.held().is_none() {
                self.model.held.remove(&claim.attempt);
            }
            self.look_at(claim.job.id);
            self.check_holds();
        }
        answer
    }

    pub(crate) fn let_go(&mut self, claim: &Claim, end: Option<&AttemptRecord>) {
        self.store.let_go(claim, end);
        let held = self.model.held.get(&claim.attempt);
        if held.is_some_and(|held| held.cancelled && held.token == claim.token) {
            self.model.held.remove(&claim.attempt);
        }
        self.look_at(claim.job.id);
        self.check_holds();
    }

    pub(crate) fn lose(&mut self, claim: &Claim, who: &Holder, now: Timestamp) -> Result<bool, StoreError> {
        let answer = self.store.lose(claim, who, now);
        if answer == Ok(true) {
            self.judge_loss(claim, who, now);
            self.look_at(claim.job.id);
            self.check_holds();
        }
        answer
    }

    /// A claim may be lost when its lease is over, or when its worker says so or is dead and of the host of whoever says so.
    fn judge_loss(&mut self, claim: &Claim, who: &Holder, now: Timestamp) {
        let Some(held) = self.model.held.remove(&claim.attempt).filter(|held| held.token == claim.token)
        else {
            let what = format!("job {}: attempt {} was lost twice", claim.job.id, claim.attempt);
            return self.violated(Invariant::Fenced, what);
        };
        let (Some((there, worker)), Some((here, _))) = (place_of(&held.holder), place_of(who)) else {
            return;
        };
        let (dead, over) = (self.model.dead.contains(&worker), held.until <= now);
        // A claim whose answer was lost is given back by the worker itself.
        if !(over || (dead && there == here) || held.holder == *who) {
            let what = format!(
                "job {}: attempt {} was lost while its worker holds its lease",
                claim.job.id, claim.attempt
            );
            self.violated(Invariant::NoOverlap, what);
        }
        if over && there != here && self.is_helpless(worker) {
            self.model.unreachable.insert(claim.attempt);
        }
    }

    /// Whether a worker cannot end its processes, or could not until a moment ago.
    pub(crate) fn is_helpless(&self, worker: Process) -> bool {
        self.model.dead.contains(&worker)
            || self.model.frozen.get(&worker).is_some_and(|until| until + RECOVERY > self.now)
    }

    /// I8: an old token writes nothing, and a current one is not refused.
    fn check_fence(&mut self, what: &str, claim: &Claim, error: Option<&StoreError>) {
        let current = self.model.current(claim);
        let wrong = match error {
            None => !current,
            Some(StoreError::Fenced) => current && self.same_stage(claim),
            Some(_) => false,
        };
        if wrong {
            let was = if current { "refused to its holder" } else { "accepted under an old token" };
            let what = format!("job {}, attempt {}: {what}: {was}", claim.job.id, claim.attempt);
            self.violated(Invariant::Fenced, what);
        }
    }

    fn same_stage(&self, claim: &Claim) -> bool {
        self.store.job(claim.job.id).is_some_and(|job| job.state.stage() == claim.job.state.stage())
    }

    /// I2: whatever runs is held, unless nobody could know that it runs.
    pub(crate) fn check_holds(&mut self) {
        let loose = self.log.running(self.now).find(|(attempt, proc)| {
            !self.store.holds().iter().any(|hold| hold.attempt == *attempt)
                && !self.model.unreachable.contains(attempt)
                && !self.is_helpless(proc.worker)
        });
        if let Some((attempt, proc)) = loose {
            let what = format!(
                "attempt {attempt} of job {} runs on host {} and nothing is held for it; lock {:?}",
                proc.job, proc.host, proc.lock
            );
            self.violated(Invariant::NoOverlap, what);
        }
    }

    pub(crate) fn cancel(
        &mut self,
        job: JobId,
        who: &Holder,
        now: Timestamp,
    ) -> Result<Cancelled, StoreError> {
        let answer = self.store.cancel(job, who, now)?;
        if answer == Cancelled::WhileRunning {
            self.model
                .held
                .values_mut()
                .filter(|held| held.job == job)
                .for_each(|held| held.cancelled = true);
        }
        self.look_at_moves();
        self.check_holds();
        Ok(answer)
    }

    pub(crate) fn retry(&mut self, job: JobId, who: &Holder, now: Timestamp) -> Result<Retried, StoreError> {
        let answer = self.store.retry(job, who, now)?;
        if let Retried::As(id) | Retried::Already(id) = answer {
            self.model.acknowledged.insert(id);
        }
        self.look_at_moves();
        Ok(answer)
    }
}

//! The referee of the queue: every write of a claim is held against a model of its own, every move of a job against the graph, every
//! claim against the order of claiming (I1, I2, I6, I8, Q7, Q8, Q11, Q12, Q21). What the store says of itself is not believed.

use crate::{
    executor::{Process, SECOND},
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    id::{AttemptId, JobId, Token},
    job::{Job, JobEvent, Move, Stage, Why},
    manifest::{Choice, Dependency, Priority},
    port::{AddError, Added, AttemptRecord, Cancelled, Claim, NewJob, Offer, Retried, StoreError},
    text::{EngineName, Holder, LockName},
    work::FailReason,
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

    pub(crate) fn claim(
        &mut self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Option<Claim> {
        let best = self.best(offer, now);
        let claim = self.store.claim(holder, offer, now, ttl_ms);
        let Some(claim) = claim else {
            if let Some((_, job)) = best {
                self.violated(Invariant::ClaimOrder, format!("job {job} was ready and not claimed"));
            }
            return None;
        };
        let id = claim.job.id;
        if let Some((invariant, why)) = self.refusal(&claim.job, offer, now) {
            self.violated(invariant, format!("job {id} was claimed: {why}"));
        } else if best.is_none_or(|(_, job)| job != id) {
            self.violated(Invariant::ClaimOrder, format!("job {id} was claimed before {best:?}"));
        }
        let rests = self.model.resting.get(&claim.engine).is_some_and(|until| *until > now);
        let offered = offer.engines.iter().any(|(engine, class)| {
            *engine == claim.engine
                && match claim.job.work.choice() {
                    Choice::Engine(wanted) => *engine == wanted,
                    Choice::Class(wanted) => *class == wanted,
                }
        });
        if rests || !offered {
            self.violated(Invariant::ClaimOrder, format!("job {id} runs on {}, which cannot", claim.engine));
        }
        let last = self.model.tokens.insert(id, claim.token).map_or(0, |token| token.0);
        if claim.token.0 != last + 1 {
            self.violated(Invariant::Fenced, format!("job {id}: token {} after {last}", claim.token));
        }
        let held = Held {
            job: id,
            token: claim.token,
            lock: claim.job.work.lock().cloned(),
            holder: holder.clone(),
            until: claim.until,
            cancelled: false,
        };
        self.model.held.insert(claim.attempt, held);
        self.look_at(id);
        Some(claim)
    }

    /// The job that has to be claimed next under an offer.
    fn best(&self, offer: &Offer, now: Timestamp) -> Option<(Priority, JobId)> {
        let jobs = self.store.rows().iter().map(|row| &row.job);
        let ready = jobs.filter(|job| job.state.is_waiting() && self.refusal(job, offer, now).is_none());
        ready.map(|job| (job.work.priority(), job.id)).min()
    }

    /// Why a job may not be claimed under an offer, whether it waits or was just claimed.
    fn refusal(&self, job: &Job, offer: &Offer, now: Timestamp) -> Option<(Invariant, &'static str)> {
        use banksman_core::job::JobState as S;
        if let S::Inbox { not_before } | S::Waiting { not_before } = &job.state
            && *not_before > now
        {
            return Some((Invariant::ClaimOrder, "before its time"));
        }
        let work = &job.work;
        if !work.capabilities().iter().all(|c| offer.capabilities.contains(c)) {
            return Some((Invariant::ClaimOrder, "a capability is missing"));
        }
        if work.repo().is_some_and(|repo| !offer.repos.contains(repo)) {
            return Some((Invariant::ClaimOrder, "of a foreign repository"));
        }
        if work.profile().is_some_and(|profile| offer.full_profiles.contains(profile)) {
            return Some((Invariant::ClaimOrder, "its profile is full"));
        }
        let engine = |(engine, class): &(EngineName, _)| {
            let fits = match work.choice() {
                Choice::Engine(wanted) => *engine == wanted,
                Choice::Class(wanted) => *class == wanted,
            };
            fits && self.model.resting.get(engine).is_none_or(|until| *until <= now)
        };
        if !offer.engines.iter().any(engine) {
            return Some((Invariant::ClaimOrder, "no engine is free"));
        }
        let lock = work.lock();
        if lock.is_some()
            && self.model.held.values().any(|held| held.job != job.id && held.lock.as_ref() == lock)
        {
            return Some((Invariant::NoOverlap, "its lock is held"));
        }
        let open = work.spec()?.depends_on.iter().any(|on| {
            let on = match on {
                Dependency::Id(id) => self.newest(*id),
                Dependency::Key(key) => self.store.by_key(key),
            };
            on.is_none_or(|job| job.state.stage() != Stage::Shipped)
        });
        open.then_some((Invariant::Dependencies, "what it depends on is not shipped"))
    }

    /// The newest repetition of a job.
    fn newest(&self, id: JobId) -> Option<&Job> {
        let again = self.store.rows().iter().map(|row| &row.job).find(|job| job.retry_of == Some(id));
        match again {
            Some(again) => self.newest(again.id),
            None => self.store.job(id),
        }
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
        if !over && !(dead && there == here) && held.holder != *who {
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

    pub(crate) fn cool_down(&mut self, engine: &EngineName, until: Timestamp) {
        self.see("engine rests");
        self.store.cool_down(engine, until);
        let rest = self.model.resting.entry(engine.clone()).or_insert(until);
        *rest = until.max(*rest);
    }

    /// Looks at the new moves of all jobs: the end of one may be the end of others.
    fn look_at_moves(&mut self) {
        for id in 1..=self.store.rows().len() as u64 {
            self.look_at(JobId(id));
        }
    }

    /// Looks at the new moves of a job, and of others if it has ended.
    fn look_at(&mut self, id: JobId) {
        let Some(row) = (id.0 as usize).checked_sub(1).and_then(|at| self.store.rows().get(at)) else {
            return;
        };
        let seen = self.model.judged.insert(id, row.moves.len()).unwrap_or_default();
        if seen == row.moves.len() {
            return;
        }
        let mut found: Vec<(Invariant, String)> = Vec::new();
        for at in seen..row.moves.len() {
            let object = |(invariant, what): (Invariant, String)| (invariant, format!("job {id}: {what}"));
            found.extend(self.judge_move(&row.job, &row.moves[..=at]).into_iter().map(object));
        }
        let ended = row.job.state.is_final();
        found.extend(self.judge_counts(&row.job, &row.moves));
        found.into_iter().for_each(|(invariant, what)| self.violated(invariant, what));
        if ended {
            self.look_at_moves();
        }
    }

    /// Judges the last of these moves.
    fn judge_move(&self, job: &Job, way: &[Move]) -> Option<(Invariant, String)> {
        let (step, before) = way.split_last()?;
        let from = before.last().map(|step| step.to);
        if step.from != from || !on_graph(step) {
            return Some((Invariant::OnGraph, format!("moved {step:?} after {from:?}")));
        }
        let spec = job.work.spec()?;
        let attempt = step.attempt?;
        let work = self.log.work(attempt);
        let (reviewed, verified) =
            (work.approved || spec.review.is_none(), work.verified || spec.verify.is_empty());
        match (step.to, step.why) {
            (Stage::Building, Why::Claimed) if job_failures(way, self) > spec.retries => {
                Some((Invariant::Attempts, format!("attempt {attempt} is one too many")))
            }
            (Stage::Review, Why::Passed) if !work.built => {
                Some((Invariant::StagesPassed, "reviewed before it was built".to_owned()))
            }
            (Stage::Testing, Why::Passed) if !reviewed => {
                Some((Invariant::StagesPassed, "tested without its review".to_owned()))
            }
            (Stage::Shipped, _) if !(work.landed && reviewed && verified) => {
                Some((Invariant::StagesPassed, format!("shipped after {work:?}")))
            }
            (Stage::Building, Why::Changes | Why::Refuted) => {
                let rounds = way
                    .iter()
                    .filter(|m| m.attempt == Some(attempt) && matches!(m.why, Why::Changes | Why::Refuted));
                let rounds = rounds.count() as u32;
                (rounds > spec.fix_rounds)
                    .then(|| (Invariant::Attempts, format!("fix round {rounds} of {}", spec.fix_rounds)))
            }
            (Stage::Failed, Why::Failed(reason))
                if reason.worth_retrying() && job_failures(way, self) <= spec.retries =>
            {
                Some((Invariant::Attempts, format!("given up too early, for {reason:?}")))
            }
            _ => None,
        }
    }

    /// What a job says of its failures and losses is what its moves say.
    fn judge_counts(&self, job: &Job, way: &[Move]) -> Option<(Invariant, String)> {
        let losses = way.iter().filter(|step| step.why == Why::Lost).count() as u32;
        let failures = job_failures(way, self);
        (job.failures != failures || job.losses != losses).then(|| {
            let what = format!(
                "job {}: says {} failures and {} losses, had {failures} and {losses}",
                job.id, job.failures, job.losses
            );
            (Invariant::Attempts, what)
        })
    }

    /// The id of the newest repetition of a job.
    pub(crate) fn newest_id(&self, id: JobId) -> JobId {
        self.newest(id).map_or(id, |job| job.id)
    }

    /// A job that waits for a key which no job has.
    pub(crate) fn waits_in_vain(&self) -> Option<JobId> {
        let waiting = self.store.rows().iter().map(|row| &row.job).filter(|job| job.state.is_waiting());
        let unknown =
            |on: &Dependency| matches!(on, Dependency::Key(key) if self.store.by_key(key).is_none());
        let mut vain =
            waiting.filter(|job| job.work.spec().is_some_and(|s| s.depends_on.iter().any(unknown)));
        vain.next().map(|job| job.id)
    }

    /// Whether every job has ended, nothing is held, nothing runs, and nothing is left.
    pub(crate) fn jobs_are_over(&self) -> bool {
        self.store.rows().iter().all(|row| row.job.state.is_final())
            && self.store.holds().is_empty()
            && self.log.running(self.now).next().is_none()
            && self.log.places().next().is_none()
    }

    /// The end of a world of jobs: all acknowledged ones are there and have ended, nothing is held, nothing runs, nothing is left.
    pub(crate) fn check_jobs_end(&mut self) {
        self.look_at_moves();
        let mut found: Vec<(Invariant, String)> = Vec::new();
        for id in &self.model.acknowledged {
            match self.store.job(*id) {
                None => found.push((Invariant::NothingLost, format!("job {id} is gone"))),
                Some(job) if !job.state.is_final() => {
                    found.push((Invariant::Ends, format!("job {id} is still {:?}", job.state)));
                }
                Some(_) => {}
            }
        }
        for hold in self.store.holds() {
            found.push((Invariant::Ends, format!("attempt {} still holds job {}", hold.attempt, hold.job)));
        }
        for (attempt, proc) in self.log.running(self.now) {
            found.push((
                Invariant::NothingLeft,
                format!("attempt {attempt} still runs on host {}", proc.host),
            ));
        }
        for (attempt, host, _) in self.log.places() {
            found
                .push((Invariant::NothingLeft, format!("attempt {attempt} left a workspace on host {host}")));
        }
        for row in self.store.rows() {
            found.extend(self.judge_echo(&row.job, &row.moves));
        }
        found.into_iter().for_each(|(invariant, what)| self.violated(invariant, what));
    }

    /// T14: each change of the stage of a job with auto-echo is wished once, and the echo is due until somebody tells it.
    fn judge_echo(&self, job: &Job, way: &[Move]) -> Option<(Invariant, String)> {
        let echo = self.store.echo(job.id);
        let wishes = way.iter().filter(|step| step.from != Some(step.to)).count() as u64;
        let wanted = job.work.spec().is_some_and(|spec| spec.auto_echo);
        let fits = match &echo {
            None => !wanted,
            Some(echo) => wanted && echo.job == job.id && echo.wished >= wishes && echo.due.is_some(),
        };
        (!fits).then(|| (Invariant::Echoed, format!("job {}: {echo:?} after {wishes} changes", job.id)))
    }
}

/// Failures that count: moves after which another attempt follows or none, whose attempt's record has a failure.
fn job_failures(way: &[Move], universe: &Universe) -> u32 {
    let failed = way.iter().filter(|step| {
        matches!(step.why, Why::Retried(_) | Why::Failed(_))
            && step.attempt.is_some_and(|attempt| universe.store.failed(attempt))
    });
    failed.count() as u32
}

/// I6: the declared graph.
fn on_graph(step: &Move) -> bool {
    use Stage as S;
    match (step.from, step.to, step.why) {
        (None, S::Inbox, Why::Added) => true,
        (Some(S::Inbox | S::Building), S::Building, Why::Claimed) => true,
        (Some(S::Building), S::Review, Why::Passed)
        | (Some(S::Review), S::Testing, Why::Passed)
        | (Some(S::Testing), S::Shipped, Why::Passed)
        | (Some(S::Review), S::Building, Why::Changes)
        | (Some(S::Testing), S::Building, Why::Refuted) => true,
        (
            Some(S::Building | S::Review | S::Testing),
            S::Building,
            Why::Retried(_) | Why::Limited | Why::Lost | Why::Interrupted,
        ) => true,
        (Some(S::Inbox | S::Building), S::Failed, Why::Failed(FailReason::Dependency)) => true,
        (Some(S::Building | S::Review | S::Testing), S::Failed, Why::Failed(reason)) => {
            reason != FailReason::Dependency
        }
        (Some(from), S::Cancelled, Why::Cancelled) => !from.is_final(),
        _ => false,
    }
}

//! Claims: who holds which job, under which token, and with it which lock. What a claim holds stays held when its job is cancelled,
//! until somebody says that its processes are gone.

use super::{Answer, Book, end};
use banksman_core::{
    id::{AttemptId, JobId, Token},
    job::{Held, Job, JobEvent, JobState, Why},
    port::{AttemptRecord, Claim, Measured, Offer, StoreError},
    text::{EngineName, Holder, LockName},
};
use jiff::Timestamp;
use serde::Serialize;

/// What a claim holds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hold {
    pub(crate) job: JobId,
    pub(crate) engine: EngineName,
    pub(crate) attempt: AttemptId,
    pub(crate) holder: Holder,
    pub(crate) token: Token,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) lock: Option<LockName>,
}

impl Hold {
    fn is(&self, claim: &Claim) -> bool {
        self.attempt == claim.attempt && self.token == claim.token
    }
}

impl Book {
    /// What is held, oldest first.
    pub(crate) fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// The job of an attempt.
    pub(crate) fn job_of(&self, attempt: AttemptId) -> Option<JobId> {
        self.attempts.get((attempt.0 as usize).checked_sub(1)?).map(|record| record.job)
    }

    /// Whether the record of an attempt has a failure.
    pub(crate) fn failed(&self, attempt: AttemptId) -> bool {
        let record = (attempt.0 as usize).checked_sub(1).and_then(|at| self.attempts.get(at));
        record.is_some_and(|record| record.failure.is_some())
    }

    /// Jobs that this offer could claim now, the next one first.
    pub(crate) fn claimable(&self, offer: &Offer, now: Timestamp) -> Vec<(&Job, EngineName)> {
        let mut found: Vec<(&Job, EngineName)> =
            self.rows().iter().filter_map(|row| Some((&row.job, self.fits(&row.job, offer, now)?))).collect();
        if !bug!(PriorityIgnored) {
            found.sort_by_key(|(job, _)| (job.work.priority(), job.id));
        }
        found
    }

    /// The engine on which the job could run under this offer now.
    fn fits(&self, job: &Job, offer: &Offer, now: Timestamp) -> Option<EngineName> {
        let (JobState::Inbox { not_before } | JobState::Waiting { not_before }) = &job.state else {
            return None;
        };
        let work = &job.work;
        let ready = *not_before <= now
            && (job.waits_for == 0 || bug!(DependencyIgnored))
            && work.capabilities().iter().all(|c| offer.capabilities.contains(c))
            && work.repo().is_none_or(|repo| offer.repos.contains(repo))
            && work.profile().is_none_or(|profile| !offer.full_profiles.contains(profile))
            && work.lock().is_none_or(|lock| !self.holds.iter().any(|hold| hold.lock.as_ref() == Some(lock)));
        if ready { self.engine_for(&work.choice(), offer, now).cloned() } else { None }
    }

    pub(crate) fn claim(
        &mut self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Option<Claim> {
        let (job, engine) = self.claimable(offer, now).into_iter().next()?;
        let (id, lock) = (job.id, job.work.lock().cloned());
        let at = self.place(id).ok()?;
        let attempt = AttemptId(self.attempts.len() as u64 + 1);
        let (token, until) = (Token(self.jobs[at].token + 1), end(now, ttl_ms));
        let held = Held { attempt, holder: holder.clone(), token, until };
        self.apply(id, JobEvent::Claimed(held), holder, Some(attempt), now).ok()?;
        self.jobs[at].token = token.0;
        self.attempts.push(AttemptRecord {
            attempt,
            job: id,
            engine: engine.clone(),
            holder: holder.clone(),
            started_at: now,
            ended_at: None,
            failure: None,
            measured: Measured::default(),
        });
        let hold = Hold { job: id, engine, attempt, holder: holder.clone(), token, since: now, until, lock };
        self.holds.push(hold.clone());
        self.claim_of(&hold)
    }

    fn claim_of(&self, hold: &Hold) -> Option<Claim> {
        Some(Claim {
            job: self.job(hold.job)?.clone(),
            engine: hold.engine.clone(),
            attempt: hold.attempt,
            holder: hold.holder.clone(),
            token: hold.token,
            since: hold.since,
            until: hold.until,
        })
    }

    pub(crate) fn claims(&self) -> Vec<Claim> {
        self.holds.iter().filter_map(|hold| self.claim_of(hold)).collect()
    }

    /// When something that waits for its time, or for its engine's rest to end, can be claimed.
    pub(crate) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.rows().iter().filter_map(|row| match &row.job.state {
            JobState::Inbox { not_before } | JobState::Waiting { not_before } if row.job.waits_for == 0 => {
                Some(*not_before)
            }
            _ => None,
        });
        waiting.chain(self.resting.values().copied()).filter(|at| *at > now).min()
    }

    /// Whether a claim is the job's current one and the job was not cancelled under it.
    pub(crate) fn holds_job(&self, claim: &Claim) -> bool {
        self.job(claim.job.id)
            .and_then(|job| job.state.held())
            .is_some_and(|held| held.attempt == claim.attempt && held.token == claim.token)
    }

    /// Whether a claim holds anything still.
    pub(crate) fn holds_anything(&self, claim: &Claim) -> bool {
        self.holds.iter().any(|hold| hold.is(claim))
    }

    /// Whether the token of a claim is the job's last one. `ignored`: whether a deliberate bug is on that forgets to compare.
    fn fence(&self, claim: &Claim, ignored: impl FnOnce() -> bool) -> Answer<()> {
        let held = self.job(claim.job.id).is_some_and(|job| job.state.held().is_some());
        if self.holds_job(claim) || (held && ignored()) { Ok(()) } else { Err(StoreError::Fenced) }
    }

    pub(crate) fn renew(&mut self, claim: &Claim, now: Timestamp, ttl_ms: i64) -> Answer<Timestamp> {
        self.fence(claim, || bug!(ClaimFenceIgnored))?;
        let (until, at) = (end(now, ttl_ms), self.place(claim.job.id)?);
        if let JobState::Building(held) | JobState::Review(held) | JobState::Testing(held) =
            &mut self.jobs[at].job.state
        {
            held.until = until;
        }
        if let Some(hold) = self.holds.iter_mut().find(|hold| hold.attempt == claim.attempt) {
            hold.until = until;
        }
        Ok(until)
    }

    pub(crate) fn advance(
        &mut self,
        claim: &Claim,
        events: Vec<JobEvent>,
        record: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> Answer<Claim> {
        self.fence(claim, || bug!(FenceIgnored))?;
        let (id, at) = (claim.job.id, self.place(claim.job.id)?);
        if self.jobs[at].job.state.stage() != claim.job.state.stage() {
            return Err(StoreError::Fenced);
        }
        // All or nothing: the way is tried before it is gone.
        let mut tried = self.jobs[at].job.state.clone();
        for event in &events {
            if matches!(event, JobEvent::Claimed(_) | JobEvent::Cancelled { .. }) {
                return Err(StoreError::Missing("event of a claim"));
            }
            tried = tried.next(event.clone()).map_err(|_| StoreError::Missing("job in that stage"))?;
        }
        let failed = matches!(events.last(), Some(JobEvent::Again { .. } | JobEvent::Failed { .. }))
            && record.is_some_and(|record| record.failure.is_some());
        self.jobs[at].job.failures += u32::from(failed);
        if tried.held().is_none() {
            self.drop_hold(claim.attempt);
        }
        for event in events {
            self.apply(id, event, &claim.holder, Some(claim.attempt), now)?;
        }
        self.write_attempt(record);
        let (job, until) = (self.jobs[at].job.clone(), claim.until);
        let until = job.state.held().map_or(until, |held| held.until);
        Ok(Claim { job, until, ..claim.clone() })
    }

    pub(crate) fn let_go(&mut self, claim: &Claim, record: Option<&AttemptRecord>) {
        if self.holds_anything(claim) && !self.holds_job(claim) {
            self.drop_hold(claim.attempt);
            self.write_attempt(record);
        }
    }

    pub(crate) fn lose(&mut self, claim: &Claim, who: &Holder, now: Timestamp) -> Answer<bool> {
        // One that was renewed since it was read has a worker that lives.
        if !self.holds.iter().any(|hold| hold.is(claim) && hold.until == claim.until) {
            return Ok(false);
        }
        self.drop_hold(claim.attempt);
        if self.holds_job(claim) {
            let at = self.place(claim.job.id)?;
            self.jobs[at].job.losses += 1;
            self.jobs[at].job.failures += u32::from(bug!(LossCounted));
            let again = JobEvent::Again { not_before: now, why: Why::Lost };
            self.apply(claim.job.id, again, who, Some(claim.attempt), now)?;
        }
        Ok(true)
    }

    pub(super) fn drop_hold(&mut self, attempt: AttemptId) {
        self.holds.retain(|hold| hold.attempt != attempt);
    }

    fn write_attempt(&mut self, record: Option<&AttemptRecord>) {
        if let Some(record) = record
            && let Some(known) = self.attempts.iter_mut().find(|a| a.attempt == record.attempt)
        {
            *known = record.clone();
        }
    }

    pub(crate) fn cool_down(&mut self, engine: &EngineName, until: Timestamp) {
        let rest = self.resting.entry(engine.clone()).or_insert(until);
        *rest = until.max(*rest);
    }

    pub(crate) fn cooling(&self, now: Timestamp) -> Vec<(EngineName, Timestamp)> {
        self.resting.iter().filter(|(_, until)| **until > now).map(|(e, u)| (e.clone(), *u)).collect()
    }
}

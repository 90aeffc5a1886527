//! Jobs: how they are added, moved, cancelled, repeated and read. The one way a job moves is [`Book::apply`].

use super::{Answer, Book, dependencies::Tie};
use banksman_core::{
    id::{AttemptId, JobId},
    job::{Body, Job, JobEvent, JobState, JobWork, Move, Stage, Why},
    manifest::Choice,
    port::{
        AddError, Added, AttemptFacts, AttemptRecord, Cancelled, JobFilter, NewJob, Retried, StageCounts,
        StoreError,
    },
    text::{Holder, JobKey, JobName},
    work::FailReason,
};
use jiff::Timestamp;
use serde::Serialize;

/// One job with what belongs to it.
#[derive(Serialize)]
pub(crate) struct JobRow {
    pub(crate) job: Job,
    /// Its owner's words: the one slot of the store that may hold them.
    #[serde(skip)]
    pub(super) body: Body,
    pub(super) ties: Vec<Tie>,
    pub(crate) moves: Vec<Move>,
    /// Token of its last claim.
    pub(super) token: u64,
    /// The job that repeats it.
    pub(super) repeated_as: Option<JobId>,
}

/// A job about to be written down.
pub(super) struct Draft {
    pub(super) name: JobName,
    pub(super) key: Option<JobKey>,
    pub(super) work: JobWork,
    pub(super) body: Body,
    pub(super) retry_of: Option<JobId>,
}

impl Book {
    /// All jobs, oldest first.
    pub(crate) fn rows(&self) -> &[JobRow] {
        &self.jobs
    }

    pub(super) fn place(&self, job: JobId) -> Answer<usize> {
        let at = (job.0 as usize).checked_sub(1).filter(|at| *at < self.jobs.len());
        at.ok_or(StoreError::Missing("job"))
    }

    /// One job.
    pub(crate) fn job(&self, job: JobId) -> Option<&Job> {
        self.place(job).ok().map(|at| &self.jobs[at].job)
    }

    /// The newest job with a key.
    pub(crate) fn by_key(&self, key: &JobKey) -> Option<&Job> {
        self.jobs.iter().map(|row| &row.job).rfind(|job| job.key.as_ref() == Some(key))
    }

    pub(crate) fn add(
        &mut self,
        jobs: Vec<NewJob>,
        who: &Holder,
        now: Timestamp,
    ) -> Result<Vec<Added>, AddError> {
        self.check_batch(&jobs)?;
        let mut added = Vec::new();
        for new in jobs {
            if let Some(known) = new.key.as_ref().and_then(|key| self.by_key(key)) {
                added.push(Added::Exists(known.id));
                continue;
            }
            let draft = Draft {
                name: new.name,
                key: new.key,
                work: JobWork::Manifest(Box::new(new.spec)),
                body: new.body,
                retry_of: None,
            };
            added.push(Added::New(self.write(draft, who, now)));
        }
        Ok(added)
    }

    /// Writes a job down and ties it to what it depends on and to what waits for its key.
    pub(super) fn write(&mut self, draft: Draft, who: &Holder, now: Timestamp) -> JobId {
        let id = JobId(self.jobs.len() as u64 + 1);
        let not_before = draft.work.spec().and_then(|spec| spec.not_before).unwrap_or(now);
        let ties = self.ties_of(&draft.work);
        let waits_for = ties.iter().filter(|tie| !self.is_met(tie)).count() as u32;
        let hopeless = ties.iter().any(|tie| self.is_hopeless(tie));
        let job = Job {
            id,
            name: draft.name,
            key: draft.key,
            work: draft.work,
            created_at: now,
            failures: 0,
            losses: 0,
            waits_for,
            retry_of: draft.retry_of,
            state: JobState::Inbox { not_before },
        };
        let moves = vec![Move {
            from: None,
            to: Stage::Inbox,
            at: now,
            who: who.clone(),
            why: Why::Added,
            attempt: None,
        }];
        self.jobs.push(JobRow { job, body: draft.body, ties, moves, token: 0, repeated_as: None });
        if let Some(old) = draft.retry_of.and_then(|old| self.place(old).ok()) {
            self.jobs[old].repeated_as = Some(id);
        }
        self.tie_waiting(id);
        self.echo_stage(id, now);
        if hopeless {
            let failed = JobEvent::Failed { reason: FailReason::Dependency, at: now };
            // A job that was just written waits, and a waiting one may fail for this reason.
            let _ = self.apply(id, failed, who, None, now);
        }
        id
    }

    /// Moves a job by one event, records the move, and does what follows from it: the echo, the waking or failing of dependents.
    pub(super) fn apply(
        &mut self,
        job: JobId,
        event: JobEvent,
        who: &Holder,
        attempt: Option<AttemptId>,
        now: Timestamp,
    ) -> Answer<()> {
        let at = self.place(job)?;
        let row = &mut self.jobs[at];
        let (from, why) = (row.job.state.stage(), event.why());
        row.job.state = row.job.state.next(event).map_err(|_| StoreError::Missing("job in that stage"))?;
        let to = row.job.state.stage();
        row.moves.push(Move { from: Some(from), to, at: now, who: who.clone(), why, attempt });
        if from != to {
            self.echo_stage(job, now);
        }
        if to.is_final() {
            self.jobs[at].job.waits_for = 0;
            self.ended(job, to, who, now);
        }
        Ok(())
    }

    pub(crate) fn cancel(&mut self, job: JobId, who: &Holder, now: Timestamp) -> Answer<Cancelled> {
        let state = &self.jobs[self.place(job)?].job.state;
        if state.is_final() {
            return Ok(Cancelled::Ended(state.stage()));
        }
        let attempt = state.held().map(|held| held.attempt);
        self.apply(job, JobEvent::Cancelled { at: now }, who, attempt, now)?;
        if let Some(attempt) = attempt.filter(|_| bug!(LockFreedAtCancel)) {
            self.drop_hold(attempt);
        }
        Ok(if attempt.is_some() { Cancelled::WhileRunning } else { Cancelled::Now })
    }

    pub(crate) fn retry(&mut self, job: JobId, who: &Holder, now: Timestamp) -> Answer<Retried> {
        let row = &self.jobs[self.place(job)?];
        if let Some(again) = row.repeated_as {
            return Ok(Retried::Already(again));
        }
        let stage = row.job.state.stage();
        if !matches!(stage, Stage::Failed | Stage::Cancelled) {
            return Ok(Retried::NotEnded(stage));
        }
        let draft = Draft {
            name: row.job.name.clone(),
            key: row.job.key.clone(),
            work: row.job.work.clone(),
            body: row.body.clone(),
            retry_of: Some(job),
        };
        Ok(Retried::As(self.write(draft, who, now)))
    }

    pub(crate) fn body(&self, job: JobId) -> Answer<Body> {
        Ok(self.jobs[self.place(job)?].body.clone())
    }

    pub(crate) fn list(&self, filter: &JobFilter) -> Vec<Job> {
        let all = || self.jobs.iter().map(|row| &row.job);
        match filter {
            JobFilter::Unfinished => all().filter(|job| !job.state.is_final()).cloned().collect(),
            JobFilter::Stages(stages, most) => {
                let found = all().rev().filter(|job| stages.contains(&job.state.stage()));
                found.take(*most as usize).cloned().collect()
            }
            JobFilter::Waiting(most) => {
                let mut found: Vec<&Job> = all().filter(|job| job.state.is_waiting()).collect();
                found.sort_by_key(|job| (job.work.priority(), job.id));
                found.into_iter().take(*most as usize).cloned().collect()
            }
            JobFilter::Item(item) => {
                let linked =
                    |job: &&Job| job.work.spec().is_some_and(|s| s.tracker_item.as_ref() == Some(item));
                all().rev().filter(linked).cloned().collect()
            }
        }
    }

    pub(crate) fn counts(&self) -> StageCounts {
        let mut counts = StageCounts::default();
        for row in &self.jobs {
            *match row.job.state.stage() {
                Stage::Inbox => &mut counts.inbox,
                Stage::Building => &mut counts.building,
                Stage::Review => &mut counts.review,
                Stage::Testing => &mut counts.testing,
                Stage::Shipped => &mut counts.shipped,
                Stage::Failed => &mut counts.failed,
                Stage::Cancelled => &mut counts.cancelled,
            } += 1;
        }
        counts
    }

    pub(crate) fn moves(&self, job: JobId) -> Vec<Move> {
        self.place(job).map(|at| self.jobs[at].moves.clone()).unwrap_or_default()
    }

    pub(crate) fn attempts(&self, job: JobId) -> Vec<AttemptRecord> {
        self.attempts.iter().filter(|a| a.job == job).cloned().collect()
    }

    pub(crate) fn attempts_between(&self, since: Timestamp, until: Timestamp) -> Vec<AttemptFacts> {
        let within = self.attempts.iter().filter(|a| since <= a.started_at && a.started_at < until);
        let facts = within.filter_map(|record| {
            let job = self.job(record.job)?;
            let place = match &job.work {
                JobWork::Task { repo, .. } => repo.to_string(),
                JobWork::Manifest(spec) => spec.cwd.to_string_lossy().into_owned(),
            };
            let (profile, stage) = (job.work.profile().cloned(), job.state.stage());
            Some(AttemptFacts { record: record.clone(), profile, place, stage })
        });
        facts.collect()
    }

    /// The engine that runs a job under this offer, if the offer has one that does not rest.
    pub(super) fn engine_for<'a>(
        &self,
        choice: &Choice,
        offer: &'a banksman_core::port::Offer,
        now: Timestamp,
    ) -> Option<&'a banksman_core::text::EngineName> {
        let mut offered = offer.engines.iter().filter(|(engine, class)| match choice {
            Choice::Engine(wanted) => engine == wanted,
            Choice::Class(wanted) => class == wanted,
        });
        offered.find(|(engine, _)| self.resting.get(engine).is_none_or(|until| *until <= now)).map(|(e, _)| e)
    }
}

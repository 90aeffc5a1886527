//! The queue's port on SQLite: which function of which table runs in which transaction, and how durable it is.

use crate::{
    sqlite::Durability::{Acknowledged, Restartable},
    store::SqliteStore,
    tables::{
        Stop,
        adds::{self, Incoming},
        attempts, cancels,
        candidates::{self, Offered},
        claims, cooldowns, dependencies, echoes, jobs, leases, moves,
        steps::Course,
    },
};
use banksman_core::{
    id::JobId,
    job::{Body, Job, JobEvent, JobState, Move, Stage},
    manifest::Dependency,
    port::{
        AddError, Added, AttemptFacts, AttemptRecord, Cancelled, Claim, Claimed, EchoRecord, JobFilter,
        JobPlace, NewJob, Offer, Queue, Retried, StageCounts, StoreError, Turned,
    },
    text::{EngineName, Holder, JobKey},
};
use jiff::Timestamp;

impl Queue for SqliteStore {
    async fn add(&self, jobs: Vec<NewJob>, who: &Holder, now: Timestamp) -> Result<Vec<Added>, AddError> {
        let batch: Vec<Incoming> = jobs.into_iter().map(Incoming::new).collect::<Result<_, _>>()?;
        let who = who.clone();
        Ok(self.db().write_repeatable(Acknowledged, move |tx| adds::add(tx, &batch, &who, now)).await?)
    }

    async fn claim(
        &self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Claimed>, StoreError> {
        let (holder, offered) = (holder.clone(), Offered::new(offer));
        let taken = self
            .write(Restartable, move |tx| {
                tx.quiet();
                claims::take(tx, &holder, &offered, now, leases::end(now, ttl_ms))
            })
            .await?;
        // What the manifest says is read here: on the thread that writes, everybody else would wait for it.
        taken.map(|taken| Ok(taken.read().map_err(Stop::from)?)).transpose()
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(move |db| {
            let cooled = cooldowns::of(db, now)?.into_iter().map(|(_, until)| until);
            Ok(cooled.chain(candidates::next_time(db, now)?).min())
        })
        .await
    }

    async fn renew(&self, claim: &Claim, now: Timestamp, ttl_ms: i64) -> Result<Timestamp, StoreError> {
        let (claim, until) = (claim.clone(), leases::end(now, ttl_ms));
        self.write(Restartable, move |tx| {
            tx.quiet();
            claims::renew(tx, &claim, until)
        })
        .await?;
        Ok(until)
    }

    async fn advance(
        &self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let (course, failures, moved) = advance_of(claim, events, end)?;
        let (claim, end) = (claim.clone(), end.cloned());
        let until = self
            .write(Restartable, move |tx| claims::advance(tx, &claim, &course, failures, end.as_ref(), now))
            .await?;
        Ok(with_end(moved, until))
    }

    /// Both in one transaction: the pages that both change are written once.
    async fn advance_and_claim(
        &self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: &AttemptRecord,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Turned, StoreError> {
        let (course, failures, moved) = advance_of(claim, events, Some(end))?;
        let (claim, end, offered) = (claim.clone(), end.clone(), Offered::new(offer));
        let (until, taken) = self
            .write(Restartable, move |tx| {
                let until = claims::advance(tx, &claim, &course, failures, Some(&end), now)?;
                let taken = claims::take(tx, &claim.holder, &offered, now, leases::end(now, ttl_ms))?;
                Ok((until, taken))
            })
            .await?;
        let next = taken.map(|taken| Ok(taken.read().map_err(Stop::from)?)).transpose();
        Ok(Turned { claim: with_end(moved, until), next })
    }

    async fn let_go(
        &self,
        claim: &Claim,
        end: Option<&AttemptRecord>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        let (claim, end) = (claim.clone(), end.cloned());
        self.write(Restartable, move |tx| claims::let_go(tx, &claim, end.as_ref())).await
    }

    async fn claims(&self) -> Result<Vec<Claim>, StoreError> {
        self.read(claims::all).await
    }

    async fn lose(&self, claim: &Claim, who: &Holder, now: Timestamp) -> Result<bool, StoreError> {
        let (claim, who) = (claim.clone(), who.clone());
        self.write(Restartable, move |tx| claims::lose(tx, &claim, &who, now)).await
    }

    async fn cancel(&self, job: JobId, who: &Holder, now: Timestamp) -> Result<Cancelled, StoreError> {
        let who = who.clone();
        self.write(Acknowledged, move |tx| cancels::cancel(tx, job, &who, now)).await
    }

    async fn retry(&self, job: JobId, who: &Holder, now: Timestamp) -> Result<Retried, StoreError> {
        let who = who.clone();
        self.write(Acknowledged, move |tx| adds::retry(tx, job, &who, now)).await
    }

    async fn places(&self, jobs: &[JobId]) -> Result<Vec<JobPlace>, StoreError> {
        let jobs = jobs.to_vec();
        self.read(move |db| jobs::places(db, &jobs)).await
    }

    async fn job(&self, job: JobId) -> Result<Option<Job>, StoreError> {
        self.read(move |db| jobs::by_id(db, job)).await
    }

    async fn job_by_key(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        let key = key.clone();
        self.read(move |db| jobs::by_key(db, &key)).await
    }

    async fn body(&self, job: JobId) -> Result<Body, StoreError> {
        self.read(move |db| jobs::body(db, job)).await
    }

    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        let filter = filter.clone();
        self.read(move |db| jobs::of(db, &filter)).await
    }

    async fn counts(&self) -> Result<StageCounts, StoreError> {
        self.read(jobs::counts).await
    }

    async fn blockers(&self, job: JobId) -> Result<Vec<(Dependency, Option<Stage>)>, StoreError> {
        self.read(move |db| dependencies::blockers(db, job)).await
    }

    async fn moves(&self, job: JobId) -> Result<Vec<Move>, StoreError> {
        self.read(move |db| moves::of(db, job)).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.read(move |db| attempts::of(db, job)).await
    }

    async fn attempts_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AttemptFacts>, StoreError> {
        self.read(move |db| attempts::between(db, since, until)).await
    }

    async fn cool_down(&self, engine: &EngineName, until: Timestamp) -> Result<(), StoreError> {
        let engine = engine.clone();
        self.write(Restartable, move |tx| cooldowns::set(tx, &engine, until)).await
    }

    async fn cooling(&self, now: Timestamp) -> Result<Vec<(EngineName, Timestamp)>, StoreError> {
        self.read(move |db| cooldowns::of(db, now)).await
    }

    async fn want_echo(&self, job: JobId, at: Timestamp) -> Result<(), StoreError> {
        self.write(Acknowledged, move |tx| echoes::want(tx, job, at)).await
    }

    async fn take_echo(&self, now: Timestamp, ttl_ms: i64) -> Result<Option<EchoRecord>, StoreError> {
        self.write(Restartable, move |tx| {
            tx.quiet();
            echoes::take(tx, now, leases::end(now, ttl_ms))
        })
        .await
    }

    async fn put_echo(&self, echo: &EchoRecord) -> Result<(), StoreError> {
        let echo = echo.clone();
        self.write(Acknowledged, move |tx| {
            tx.quiet();
            echoes::put(tx, &echo)
        })
        .await
    }

    async fn note_echo(&self, echo: &EchoRecord) -> Result<(), StoreError> {
        let echo = echo.clone();
        self.write(Acknowledged, move |tx| {
            tx.quiet();
            echoes::note(tx, &echo)
        })
        .await
    }

    async fn echo(&self, job: JobId) -> Result<Option<EchoRecord>, StoreError> {
        self.read(move |db| echoes::of(db, job)).await
    }
}

/// The course of a claim's job by these events, the failures that they count, and the claim as it is afterwards.
fn advance_of(
    claim: &Claim,
    events: Vec<JobEvent>,
    end: Option<&AttemptRecord>,
) -> Result<(Course, u32, Claim), StoreError> {
    if claim.job.state.held().is_none() {
        return Err(StoreError::Fenced);
    }
    if events.iter().any(|event| matches!(event, JobEvent::Claimed(_) | JobEvent::Cancelled { .. })) {
        return Err(StoreError::Missing("event of a claimant"));
    }
    let ends_badly = matches!(events.last(), Some(JobEvent::Again { .. } | JobEvent::Failed { .. }));
    let failures = u32::from(ends_badly && end.is_some_and(|record| record.failure.is_some()));
    let course =
        Course::of(&claim.job.state, events).map_err(|_| StoreError::Missing("job in that stage"))?;
    let mut moved = claim.clone();
    moved.job.state = course.after.clone();
    moved.job.failures += failures;
    Ok((course, failures, moved))
}

/// The claim with the end of its lease as the store has it.
fn with_end(mut claim: Claim, until: Timestamp) -> Claim {
    claim.until = until;
    if let JobState::Building(held) | JobState::Review(held) | JobState::Testing(held) = &mut claim.job.state
    {
        held.until = until;
    }
    claim
}

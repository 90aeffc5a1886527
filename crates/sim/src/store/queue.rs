//! The store's part about jobs.

use super::SimStore;
use banksman_core::{
    id::JobId,
    job::{Body, Job, JobEvent, Move, Stage},
    manifest::Dependency,
    port::{
        AddError, Added, AttemptFacts, AttemptRecord, Cancelled, Claim, Claimed, EchoRecord, JobFilter,
        JobPlace, NewJob, Offer, Queue, Retried, StageCounts, StoreError,
    },
    text::{EngineName, Holder, JobKey},
};
use jiff::Timestamp;

impl Queue for SimStore {
    async fn add(&self, jobs: Vec<NewJob>, who: &Holder, now: Timestamp) -> Result<Vec<Added>, AddError> {
        self.write("add", |u| u.add(jobs, who, now)).await
    }

    async fn claim(
        &self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Claimed>, StoreError> {
        self.silent("claim", |u| {
            let claim = u.claim(holder, offer, now, ttl_ms)?;
            let body = u.store.body(claim.job.id).unwrap_or_default();
            Some(Claimed { claim, body })
        })
        .await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.quiet("next_due", |u| u.store.next_due(now)).await
    }

    async fn renew(&self, claim: &Claim, now: Timestamp, ttl_ms: i64) -> Result<Timestamp, StoreError> {
        self.silent("renew", |u| u.renew(claim, now, ttl_ms)).await?
    }

    async fn advance(
        &self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        self.write("advance", |u| u.advance(claim, events, end, now)).await
    }

    async fn let_go(
        &self,
        claim: &Claim,
        end: Option<&AttemptRecord>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("let_go", |u| {
            u.let_go(claim, end);
            Ok(())
        })
        .await
    }

    async fn claims(&self) -> Result<Vec<Claim>, StoreError> {
        self.quiet("claims", |u| u.store.claims()).await
    }

    async fn lose(&self, claim: &Claim, who: &Holder, now: Timestamp) -> Result<bool, StoreError> {
        self.write("lose", |u| u.lose(claim, who, now)).await
    }

    async fn cancel(&self, job: JobId, who: &Holder, now: Timestamp) -> Result<Cancelled, StoreError> {
        self.write("cancel", |u| u.cancel(job, who, now)).await
    }

    async fn retry(&self, job: JobId, who: &Holder, now: Timestamp) -> Result<Retried, StoreError> {
        self.write("retry", |u| u.retry(job, who, now)).await
    }

    async fn places(&self, jobs: &[JobId]) -> Result<Vec<JobPlace>, StoreError> {
        self.quiet("places", |u| {
            let jobs = jobs.iter().filter_map(|job| u.store.job(*job));
            let place = |job: &Job| JobPlace {
                job: job.id,
                name: job.name.clone(),
                stage: job.state.stage(),
                added_at: job.created_at,
            };
            jobs.map(place).collect()
        })
        .await
    }

    async fn job(&self, job: JobId) -> Result<Option<Job>, StoreError> {
        self.quiet("job", |u| u.store.job(job).cloned()).await
    }

    async fn job_by_key(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        self.quiet("job_by_key", |u| u.store.by_key(key).cloned()).await
    }

    async fn body(&self, job: JobId) -> Result<Body, StoreError> {
        self.quiet("body", |u| u.store.body(job)).await?
    }

    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        self.quiet("jobs", |u| u.store.list(filter)).await
    }

    async fn counts(&self) -> Result<StageCounts, StoreError> {
        self.quiet("counts", |u| u.store.counts()).await
    }

    async fn blockers(&self, job: JobId) -> Result<Vec<(Dependency, Option<Stage>)>, StoreError> {
        self.quiet("blockers", |u| u.store.blockers(job)).await
    }

    async fn moves(&self, job: JobId) -> Result<Vec<Move>, StoreError> {
        self.quiet("moves", |u| u.store.moves(job)).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.quiet("attempts", |u| u.store.attempts(job)).await
    }

    async fn attempts_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AttemptFacts>, StoreError> {
        self.quiet("attempts_between", |u| u.store.attempts_between(since, until)).await
    }

    async fn cool_down(&self, engine: &EngineName, until: Timestamp) -> Result<(), StoreError> {
        self.write("cool_down", |u| {
            u.cool_down(engine, until);
            Ok(())
        })
        .await
    }

    async fn cooling(&self, now: Timestamp) -> Result<Vec<(EngineName, Timestamp)>, StoreError> {
        self.quiet("cooling", |u| u.store.cooling(now)).await
    }

    async fn want_echo(&self, job: JobId, at: Timestamp) -> Result<(), StoreError> {
        self.write("want_echo", |u| u.store.want_echo(job, at)).await
    }

    async fn take_echo(&self, now: Timestamp, ttl_ms: i64) -> Result<Option<EchoRecord>, StoreError> {
        self.silent("take_echo", |u| u.store.take_echo(now, ttl_ms)).await
    }

    async fn note_echo(&self, echo: &EchoRecord) -> Result<(), StoreError> {
        self.silent("note_echo", |u| u.store.note_echo(echo)).await?
    }

    async fn put_echo(&self, echo: &EchoRecord) -> Result<(), StoreError> {
        self.silent("put_echo", |u| u.store.put_echo(echo)).await?
    }

    async fn echo(&self, job: JobId) -> Result<Option<EchoRecord>, StoreError> {
        self.quiet("echo", |u| u.store.echo(job)).await
    }
}

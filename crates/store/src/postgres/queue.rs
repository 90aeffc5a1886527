//! The queue port on PostgreSQL. Claims, advances and adds go through lanes, where those that wait at the same time are carried out
//! together.

use super::{
    batches::{AddOrder, ClaimOrder, StepOrder},
    error::Stop,
    link::Durability::{Acknowledged, Restartable},
    store::PostgresStore,
    tables::{
        adds::{self, AddStop},
        advances::{Step, Stepped},
        attempts, cancels,
        claims::{self, Wish},
        cooldowns, dependencies,
        drafts::{Draft, Ticket},
        echoes, jobs,
        leases::end,
        losses, moves,
    },
    trial::{read, transact},
};
use banksman_core::{
    id::JobId,
    job::{Body, Held, Job, JobEvent, JobState, Move, Stage},
    manifest::Dependency,
    port::{
        AddError, Added, AttemptFacts, AttemptRecord, Cancelled, Claim, Claimed, EchoRecord, JobFilter,
        JobPlace, NewJob, Offer, Queue, Retried, StageCounts, StoreError,
    },
    text::{EngineName, Holder, JobKey},
};
use jiff::Timestamp;
use tokio::sync::oneshot;

/// The answer of a lane. It is missing only when the runtime is shutting down.
async fn answer<T>(answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    answer.await.unwrap_or(Err(StoreError::Away))
}

/// The state as it is now, with the end of the lease that the store has.
fn with_lease(state: JobState, until: Option<Timestamp>) -> JobState {
    let renewed = |held: Held| Held { until: until.unwrap_or(held.until), ..held };
    match state {
        JobState::Building(held) => JobState::Building(renewed(held)),
        JobState::Review(held) => JobState::Review(renewed(held)),
        JobState::Testing(held) => JobState::Testing(renewed(held)),
        other => other,
    }
}

impl PostgresStore {
    async fn add_tied(&self, drafts: &[Draft]) -> Result<Vec<Added>, AddError> {
        let mut refused = None;
        let added = transact!(&self.0.pool, Acknowledged, |tx, which| async {
            adds::tied(&tx, drafts, which).await.map_err(|stop| match stop {
                AddStop::Stopped(stop) => stop,
                AddStop::Refused(error) => {
                    refused = Some(error);
                    Stop::Refused(StoreError::Missing("dependency"))
                }
            })
        });
        match (self.told(added), refused) {
            (Ok(added), _) => Ok(added),
            (Err(_), Some(refused)) => Err(refused),
            (Err(error), None) => Err(error.into()),
        }
    }
}

impl Queue for PostgresStore {
    async fn add(&self, jobs: Vec<NewJob>, who: &Holder, now: Timestamp) -> Result<Vec<Added>, AddError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let tied = jobs.iter().any(|job| !job.spec.depends_on.is_empty());
        let draft = |job| Draft::of_job(job, self.0.ticket(), who, now);
        let drafts: Vec<Draft> = jobs.into_iter().map(draft).collect();
        if tied {
            return self.add_tied(&drafts).await;
        }
        let (reply, added) = oneshot::channel();
        self.0.adds.put(AddOrder { drafts, reply });
        Ok(answer(added).await?)
    }

    async fn claim(
        &self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Claimed>, StoreError> {
        if offer.engines.is_empty() {
            return Ok(None);
        }
        let wish = Wish { holder: holder.clone(), now, until: end(now, ttl_ms), ticket: self.0.ticket() };
        let (reply, claimed) = oneshot::channel();
        self.0.claims.put(ClaimOrder { offer: offer.clone(), wish, reply });
        answer(claimed).await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        read!(&self.0.pool, |db| claims::next_due(db, now))
    }

    async fn renew(&self, claim: &Claim, now: Timestamp, ttl_ms: i64) -> Result<Timestamp, StoreError> {
        let until = end(now, ttl_ms);
        transact!(&self.0.pool, Restartable, |tx, _which| losses::renew(&tx, claim, until))?;
        Ok(until)
    }

    async fn advance(
        &self,
        claim: &Claim,
        events: Vec<JobEvent>,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let step = Step::new(claim, events, end, now)?;
        let (reply, stepped) = oneshot::channel();
        self.0.steps.put(StepOrder { step, reply });
        let Stepped { state, failures, until } = answer(stepped).await?;
        let mut claim = claim.clone();
        claim.job.state = with_lease(state, until);
        claim.job.failures = failures;
        claim.until = until.unwrap_or(claim.until);
        Ok(claim)
    }

    async fn let_go(
        &self,
        claim: &Claim,
        end: Option<&AttemptRecord>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Restartable, |tx, _which| losses::let_go(&tx, claim, end)))
    }

    async fn claims(&self) -> Result<Vec<Claim>, StoreError> {
        read!(&self.0.pool, |db| losses::held(db))
    }

    async fn lose(&self, claim: &Claim, who: &Holder, now: Timestamp) -> Result<bool, StoreError> {
        self.told(transact!(&self.0.pool, Restartable, |tx, which| losses::lose(&tx, claim, who, now, which)))
    }

    async fn cancel(&self, job: JobId, who: &Holder, now: Timestamp) -> Result<Cancelled, StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, which| cancels::cancel(
            &tx, job, who, now, which
        )))
    }

    async fn retry(&self, job: JobId, who: &Holder, now: Timestamp) -> Result<Retried, StoreError> {
        let ticket: Ticket = self.0.ticket();
        self.told(transact!(&self.0.pool, Acknowledged, |tx, which| adds::retry(
            &tx, job, ticket, who, now, which
        )))
    }

    async fn places(&self, jobs: &[JobId]) -> Result<Vec<JobPlace>, StoreError> {
        read!(&self.0.pool, |db| jobs::places(db, jobs))
    }

    async fn job(&self, job: JobId) -> Result<Option<Job>, StoreError> {
        read!(&self.0.pool, |db| jobs::by_id(db, job))
    }

    async fn job_by_key(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        read!(&self.0.pool, |db| jobs::by_key(db, key))
    }

    async fn body(&self, job: JobId) -> Result<Body, StoreError> {
        read!(&self.0.pool, |db| jobs::body(db, job))
    }

    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        read!(&self.0.pool, |db| jobs::of(db, filter))
    }

    async fn counts(&self) -> Result<StageCounts, StoreError> {
        read!(&self.0.pool, |db| jobs::counts(db))
    }

    async fn blockers(&self, job: JobId) -> Result<Vec<(Dependency, Option<Stage>)>, StoreError> {
        read!(&self.0.pool, |db| dependencies::blockers(db, job))
    }

    async fn moves(&self, job: JobId) -> Result<Vec<Move>, StoreError> {
        read!(&self.0.pool, |db| moves::of(db, job))
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, StoreError> {
        read!(&self.0.pool, |db| attempts::of(db, job))
    }

    async fn attempts_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AttemptFacts>, StoreError> {
        read!(&self.0.pool, |db| attempts::between(db, since, until))
    }

    async fn cool_down(&self, engine: &EngineName, until: Timestamp) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Restartable, |tx, _which| cooldowns::rest(&tx, engine, until)))
    }

    async fn cooling(&self, now: Timestamp) -> Result<Vec<(EngineName, Timestamp)>, StoreError> {
        read!(&self.0.pool, |db| cooldowns::after(db, now))
    }

    async fn want_echo(&self, job: JobId, at: Timestamp) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| echoes::wish(&tx, job, at)))
    }

    async fn take_echo(&self, now: Timestamp, ttl_ms: i64) -> Result<Option<EchoRecord>, StoreError> {
        let until = end(now, ttl_ms);
        transact!(&self.0.pool, Restartable, |tx, _which| echoes::take(&tx, now, until))
    }

    async fn put_echo(&self, echo: &EchoRecord) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| echoes::put(&tx, echo)))
    }

    async fn note_echo(&self, echo: &EchoRecord) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| echoes::note(&tx, echo)))
    }

    async fn echo(&self, job: JobId) -> Result<Option<EchoRecord>, StoreError> {
        read!(&self.0.pool, |db| echoes::of(db, job))
    }
}

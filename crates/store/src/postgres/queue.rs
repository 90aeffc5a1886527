//! The queue port on PostgreSQL. Claims, advances and adds go through lanes, where those that wait at the same time are carried out
//! together.

use super::{
    changes::Bell,
    error::Stop,
    lane::Lane,
    link::Durability::{Acknowledged, Restartable},
    pool::Pool,
    store::PostgresStore,
    tables::{
        adds::{self, AddStop},
        advances::{self, Step, Stepped},
        attempts, cancels,
        claims::{self, Wish},
        cooldowns, dependencies,
        drafts::{self, Draft, Ticket},
        echoes, jobs,
        leases::end,
        losses, moves,
    },
    trial::{Trial, Try, Verdict, read, transact},
};
use banksman_core::{
    id::JobId,
    job::{Body, Held, Job, JobEvent, JobState, Move, Stage},
    manifest::Dependency,
    port::{
        AddError, Added, AttemptFacts, AttemptRecord, Cancelled, Claim, EchoRecord, JobFilter, NewJob, Offer,
        Queue, Retried, StageCounts, StoreError,
    },
    text::{EngineName, Holder, JobKey},
};
use jiff::Timestamp;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::oneshot;

/// Batches of claims under way at a time, so that the next ones are prepared while the log of the first is flushed.
const CLAIMING: usize = 3;
/// Batches of advances under way at a time.
const STEPPING: usize = 2;
/// Batches of adds under way at a time.
const ADDING: usize = 3;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
/// A wish and who waits for it.
type Waiting = (Wish, Reply<Option<Claim>>);

/// Somebody wants a job.
pub(super) struct ClaimOrder {
    offer: Offer,
    wish: Wish,
    reply: Reply<Option<Claim>>,
}

/// Somebody moves a job along.
pub(super) struct StepOrder {
    step: Step,
    reply: Reply<Stepped>,
}

/// Somebody adds jobs that wait for nobody.
pub(super) struct AddOrder {
    drafts: Vec<Draft>,
    reply: Reply<Vec<Added>>,
}

/// The lane of claims.
pub(super) fn claiming(pool: &Arc<Pool>) -> Lane<ClaimOrder> {
    let pool = Arc::clone(pool);
    Lane::new(CLAIMING, move |orders| {
        let pool = Arc::clone(&pool);
        async move {
            let mut by_offer: HashMap<Offer, Vec<Waiting>> = HashMap::new();
            for ClaimOrder { offer, wish, reply } in orders {
                by_offer.entry(offer).or_default().push((wish, reply));
            }
            for (offer, wishes) in by_offer {
                claim(&pool, &offer, wishes).await;
            }
        }
    })
}

/// Claims for all that have the same offer. Those whose answer was lost are looked for before the statement is run again.
async fn claim(pool: &Pool, offer: &Offer, mut wishes: Vec<Waiting>) {
    let mut trial = Trial::new(pool);
    while !wishes.is_empty() {
        let which = trial.which();
        let result = match trial.link().await {
            Ok(link) => {
                let taken = async {
                    if which == Try::Again {
                        find_lost(&link, &mut wishes).await?;
                    }
                    let all: Vec<Wish> = wishes.iter().map(|(wish, _)| wish.clone()).collect();
                    claims::take(&link, offer, &all).await
                };
                taken.await
            }
            Err(error) => Err(error.into()),
        };
        match trial.judge(result).await {
            Verdict::Over(Ok(taken)) => {
                let given = taken.claims.len();
                for (claim, (_, reply)) in taken.claims.into_iter().zip(wishes.drain(..given)) {
                    let _ = reply.send(Ok(Some(claim)));
                }
                if !taken.look_again {
                    wishes.drain(..).for_each(|(_, reply)| drop(reply.send(Ok(None))));
                }
            }
            Verdict::Over(Err(error)) => {
                wishes.drain(..).for_each(|(_, reply)| drop(reply.send(Err(error.clone()))));
            }
            Verdict::Repeat => {}
        }
    }
}

async fn find_lost(link: &super::link::Link, wishes: &mut Vec<Waiting>) -> Result<(), Stop> {
    let mut rest = Vec::with_capacity(wishes.len());
    while let Some((wish, _)) = wishes.last() {
        let found = claims::found_again(link, wish).await?;
        match (wishes.pop(), found) {
            (Some((_, reply)), Some(claim)) => drop(reply.send(Ok(Some(claim)))),
            (Some(pair), None) => rest.push(pair),
            (None, _) => {}
        }
    }
    rest.reverse();
    *wishes = rest;
    Ok(())
}

/// The lane of advances.
pub(super) fn stepping(pool: &Arc<Pool>, bell: &Arc<Bell>) -> Lane<StepOrder> {
    let (pool, bell) = (Arc::clone(pool), Arc::clone(bell));
    Lane::new(STEPPING, move |orders| {
        let (pool, bell) = (Arc::clone(&pool), Arc::clone(&bell));
        async move { step(&pool, &bell, orders).await }
    })
}

async fn step(pool: &Pool, bell: &Bell, orders: Vec<StepOrder>) {
    let (steps, mut replies): (Vec<Step>, Vec<_>) =
        orders.into_iter().map(|order| (order.step, order.reply)).unzip();
    let all: Vec<&Step> = steps.iter().collect();
    match carry_out(pool, &all).await {
        Ok(stepped) => {
            if stepped.iter().any(Option::is_some) {
                bell.ring();
            }
            for (answer, reply) in stepped.into_iter().zip(replies) {
                let _ = reply.send(answer.ok_or(StoreError::Fenced));
            }
        }
        // One of them cannot be written; the others are innocent.
        Err(StoreError::Failed(_)) if steps.len() > 1 => {
            for (step, reply) in steps.iter().zip(replies) {
                let answer = carry_out(pool, &[step]).await;
                let _ = reply.send(answer.and_then(|mut one| one.pop().flatten().ok_or(StoreError::Fenced)));
            }
            bell.ring();
        }
        Err(error) => replies.drain(..).for_each(|reply| drop(reply.send(Err(error.clone())))),
    }
}

async fn carry_out(pool: &Pool, steps: &[&Step]) -> Result<Vec<Option<Stepped>>, StoreError> {
    let mut trial = Trial::new(pool);
    if advances::are_plain(steps) {
        let link = trial.link().await?;
        let stepped = advances::take(&link, steps).await;
        drop(link);
        if let Verdict::Over(result) = trial.judge(stepped).await {
            return result;
        }
    }
    transact!(on &mut trial, Restartable, |tx, which| advances::take_carefully(&tx, steps, which))
}

/// The lane of adds.
pub(super) fn adding(pool: &Arc<Pool>, bell: &Arc<Bell>) -> Lane<AddOrder> {
    let (pool, bell) = (Arc::clone(pool), Arc::clone(bell));
    Lane::new(ADDING, move |orders| {
        let (pool, bell) = (Arc::clone(&pool), Arc::clone(&bell));
        async move { add(&pool, &bell, orders).await }
    })
}

async fn add(pool: &Pool, bell: &Bell, mut orders: Vec<AddOrder>) {
    let all: Vec<&Draft> = orders.iter().flat_map(|order| &order.drafts).collect();
    match write_down(pool, &all).await {
        Ok(added) => {
            bell.ring();
            let mut added = added.into_iter();
            for order in orders {
                let own = added.by_ref().take(order.drafts.len()).collect();
                let _ = order.reply.send(Ok(own));
            }
        }
        // One of them cannot be written; the others are innocent.
        Err(StoreError::Failed(_)) if orders.len() > 1 => {
            for order in orders {
                let own: Vec<&Draft> = order.drafts.iter().collect();
                let answer = write_down(pool, &own).await;
                let _ = order.reply.send(answer);
            }
            bell.ring();
        }
        Err(error) => orders.drain(..).for_each(|order| drop(order.reply.send(Err(error.clone())))),
    }
}

async fn write_down(pool: &Pool, drafts: &[&Draft]) -> Result<Vec<Added>, StoreError> {
    let mut trial = Trial::new(pool);
    if drafts.iter().all(|draft| draft.is_free()) {
        let link = trial.link().await?;
        let written = drafts::insert_free(&link, drafts).await;
        drop(link);
        if let Verdict::Over(result) = trial.judge(written).await {
            return Ok(result?.into_iter().map(Added::New).collect());
        }
    }
    transact!(on &mut trial, Acknowledged, |tx, which| adds::plain(&tx, drafts, which))
}

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
    ) -> Result<Option<Claim>, StoreError> {
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

    async fn echo(&self, job: JobId) -> Result<Option<EchoRecord>, StoreError> {
        read!(&self.0.pool, |db| echoes::of(db, job))
    }
}

//! What the lanes carry out: batches of claims, of advances, of adds. One order that cannot be written does not harm its neighbours.

use super::{
    changes::Bell,
    error::Stop,
    lane::Lane,
    link::{
        Durability::{Acknowledged, Restartable},
        Link,
    },
    pool::Pool,
    tables::{
        adds,
        advances::{self, Step, Stepped},
        claims::{self, Wish},
        drafts::{self, Draft},
    },
    trial::{Trial, Try, Verdict, transact},
};
use banksman_core::port::{Added, Claimed, Offer, StoreError};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::oneshot;

/// Batches of claims under way at a time, so that the next ones are prepared while the log of the first is flushed.
const CLAIMING: usize = 2;
/// Batches of advances under way at a time. They wait for no flush, so one at a time makes the largest and cheapest batches.
const STEPPING: usize = 1;
/// Batches of adds under way at a time.
const ADDING: usize = 3;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
/// A wish and who waits for it.
type Waiting = (Wish, Reply<Option<Claimed>>);

/// Somebody wants a job.
pub(super) struct ClaimOrder {
    pub(super) offer: Offer,
    pub(super) wish: Wish,
    pub(super) reply: Reply<Option<Claimed>>,
}

/// Somebody moves a job along.
pub(super) struct StepOrder {
    pub(super) step: Step,
    pub(super) reply: Reply<Stepped>,
}

/// Somebody adds jobs that wait for nobody.
pub(super) struct AddOrder {
    pub(super) drafts: Vec<Draft>,
    pub(super) reply: Reply<Vec<Added>>,
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

async fn find_lost(link: &Link, wishes: &mut Vec<Waiting>) -> Result<(), Stop> {
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

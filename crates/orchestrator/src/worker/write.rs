//! Writing what happened to a job, in spite of a store that is away for a while.

use super::{Worker, attempt::Attempt, course::Found, lease_ms, pause};
use banksman_core::{
    job::Why,
    port::{AttemptRecord, Clock, Offer, Queue, StoreError, Turned, World},
};
use std::mem;

/// Tries of a write that the database itself refuses; then the claim is left to run out.
const TRIES: u32 = 8;

/// Whether the same write was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Earlier {
    None,
    /// It was, and its answer was lost.
    Unsure,
}

/// A write was refused: the claim is not the current one, or its job was cancelled.
pub(super) struct Fenced;

impl<W: World> Worker<W> {
    /// Writes the events of an attempt; with `end` the attempt is over. While the store is away it is asked again, for the lease is
    /// renewed meanwhile if it can be.
    pub(super) async fn write(
        &self,
        attempt: &mut Attempt,
        end: Option<&AttemptRecord>,
    ) -> Result<(), Fenced> {
        self.write_after(attempt, end, Earlier::None).await
    }

    /// Writes the end of an attempt together with the claim of the next one. Trouble with either leaves the end to be written alone.
    pub(super) async fn write_and_find(
        &self,
        attempt: &mut Attempt,
        end: &AttemptRecord,
        offer: &Offer,
    ) -> (Result<(), Fenced>, Option<Result<Found, StoreError>>) {
        let (store, now) = (self.world.store(), self.now());
        let events = attempt.events.clone();
        match store.advance_and_claim(&attempt.claim, events, end, offer, now, lease_ms()).await {
            Ok(Turned { claim, next }) => {
                attempt.events.clear();
                attempt.claim = claim;
                let found = match next {
                    Ok(Some(claimed)) => Ok(Found::Job(Box::new(claimed))),
                    Ok(None) => self.nothing_at(now).await,
                    Err(error) => Err(error),
                };
                (Ok(()), Some(found))
            }
            Err(StoreError::Fenced | StoreError::Missing(_)) => (self.write(attempt, Some(end)).await, None),
            // Both may have been written: the claim is then found by the next look at the claims.
            Err(error) => (self.write_after(attempt, Some(end), Earlier::Unsure).await, Some(Err(error))),
        }
    }

    async fn write_after(
        &self,
        attempt: &mut Attempt,
        end: Option<&AttemptRecord>,
        earlier: Earlier,
    ) -> Result<(), Fenced> {
        let events = mem::take(&mut attempt.events);
        let (mut tries, mut unsure) = (0, earlier == Earlier::Unsure);
        loop {
            match self.world.store().advance(&attempt.claim, events.clone(), end, self.now()).await {
                Ok(claim) => {
                    attempt.claim = claim;
                    return Ok(());
                }
                // The answer to an earlier try may have been lost after it was written.
                Err(StoreError::Fenced | StoreError::Missing(_)) if unsure => {
                    match self.written(attempt, end).await {
                        Ok(written) => return written,
                        Err(error) => self.wait_for_store(attempt, &error, &mut tries).await?,
                    }
                }
                Err(StoreError::Fenced | StoreError::Missing(_)) => return Err(Fenced),
                Err(error) => {
                    unsure = true;
                    self.wait_for_store(attempt, &error, &mut tries).await?;
                }
            }
        }
    }

    /// Whether a write whose answer was lost happened.
    async fn written(
        &self,
        attempt: &mut Attempt,
        end: Option<&AttemptRecord>,
    ) -> Result<Result<(), Fenced>, StoreError> {
        let (store, claim) = (self.world.store(), &mut attempt.claim);
        let job = store.job(claim.job.id).await?.ok_or(StoreError::Fenced)?;
        let happened = match end {
            None => job.state.held().is_some_and(|held| held.token == claim.token),
            Some(_) => {
                let attempts = store.attempts(claim.job.id).await?;
                attempts.iter().any(|a| a.attempt == claim.attempt && a.ended_at.is_some())
            }
        };
        claim.job = job;
        Ok(if happened { Ok(()) } else { Err(Fenced) })
    }

    /// Says for an attempt whose claim is lost, or whose job was cancelled, that its processes are gone.
    pub(super) async fn let_go(&self, attempt: &mut Attempt) {
        let record = self.record(attempt);
        let mut tries = 0;
        loop {
            match self.world.store().let_go(&attempt.claim, Some(&record), self.now()).await {
                Ok(()) | Err(StoreError::Fenced | StoreError::Missing(_)) => break,
                Err(error) => {
                    if self.wait_for_store(attempt, &error, &mut tries).await.is_err() {
                        return;
                    }
                }
            }
        }
        self.untroubled(attempt.claim.job.id);
        if attempt.claim.job.work.spec().is_some()
            && let Ok(Some(job)) = self.world.store().job(attempt.claim.job.id).await
        {
            let stage = job.state.stage();
            let why = if stage == banksman_core::job::Stage::Cancelled { Why::Cancelled } else { Why::Lost };
            self.show_move(&job, Some(&attempt.claim), stage, why);
        }
    }

    /// Cancels a job about which nothing is left to be done, and lets it go.
    pub(super) async fn drop_pointless(&self, attempt: &mut Attempt) {
        let (job, mut tries) = (attempt.claim.job.id, 0);
        while let Err(error) = self.world.store().cancel(job, &self.setup.holder, self.now()).await {
            if self.wait_for_store(attempt, &error, &mut tries).await.is_err() {
                return;
            }
        }
        self.let_go(attempt).await;
    }

    /// Waits before the store is asked again, or gives up: the claim then runs out and another attempt follows.
    async fn wait_for_store(
        &self,
        attempt: &Attempt,
        error: &StoreError,
        tries: &mut u32,
    ) -> Result<(), Fenced> {
        *tries += 1;
        let waits = matches!(error, StoreError::Away | StoreError::Full);
        let over = self.board.over(attempt.claim.attempt, self.now());
        if over || (!waits && *tries > TRIES) {
            tracing::error!(job.id = %attempt.claim.job.id, attempt.id = %attempt.claim.attempt, %error,
                "what an attempt came to could not be written; its claim runs out");
            return Err(Fenced);
        }
        tracing::warn!(job.id = %attempt.claim.job.id, %error, "what an attempt came to is written later");
        self.world.clock().sleep_until(self.now() + pause::after_store(*tries)).await;
        Ok(())
    }
}

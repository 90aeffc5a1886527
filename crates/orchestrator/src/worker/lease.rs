//! Leases of what runs: one loop renews them all, and an attempt whose lease cannot be renewed is ended before it runs out.

use super::{Worker, board::Ending, lease_ms};
use banksman_core::{
    id::AttemptId,
    port::{Engine, Queue, StoreError, World},
};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

/// How often leases are renewed (Q12).
pub(super) const RENEW: SignedDuration = SignedDuration::from_secs(15);
/// How soon a renewal that failed is repeated.
const AGAIN: SignedDuration = SignedDuration::from_secs(2);
/// Renewals at the same time, so that the store can group their commits.
const AT_ONCE: usize = 8;

/// What a renewal of one claim came to.
pub(super) type Renewed = (AttemptId, Result<Timestamp, StoreError>);

impl<W: World> Worker<W> {
    /// Renews the leases of all that runs.
    pub(super) async fn renew(&self) -> Vec<Renewed> {
        let mut claims = Vec::new();
        for entry in self.board.all() {
            match entry.ending {
                // It has not noticed yet: it may have been between two steps when it was told.
                Some(Ending::Lost) => self.world.engine().end(entry.claim.attempt),
                Some(Ending::Unrenewed | Ending::Stopping) => {
                    self.world.engine().end(entry.claim.attempt);
                    claims.push(entry.claim);
                }
                None => claims.push(entry.claim),
            }
        }
        stream::iter(claims)
            .map(|claim| async move {
                (claim.attempt, self.world.store().renew(&claim, self.now(), lease_ms()).await)
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// Takes in what renewals came to. Comes back with the time at which those that failed are to be repeated.
    pub(super) fn renewed(&self, renewed: Vec<Renewed>) -> Option<Timestamp> {
        let mut again = None;
        for (attempt, result) in renewed {
            match result {
                Ok(until) => self.board.renewed(attempt, until),
                Err(StoreError::Fenced | StoreError::Missing(_)) => self.end(attempt, Ending::Lost),
                Err(error) => {
                    tracing::warn!(attempt.id = %attempt, %error, "a lease could not be renewed yet");
                    again = Some(self.now() + AGAIN);
                }
            }
        }
        again
    }

    /// Ends what could not be renewed in time.
    pub(super) fn end_unrenewed(&self) {
        let now = self.now();
        for entry in self.board.all() {
            if entry.ending.is_none() && entry.claim.until <= now + self.setup.margin() {
                tracing::warn!(attempt.id = %entry.claim.attempt, "an attempt is ended: its lease runs out");
                self.end(entry.claim.attempt, Ending::Unrenewed);
            }
        }
    }

    /// Ends an attempt, unless it is being ended already.
    pub(super) fn end(&self, attempt: AttemptId, why: Ending) {
        if self.board.end(attempt, why) {
            self.world.engine().end(attempt);
        }
    }
}

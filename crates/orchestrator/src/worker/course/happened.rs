//! What has happened, taken in: it changes what is due next.

use super::{Course, Found, Goal, Happened};
use crate::{
    bug,
    stop::Level,
    worker::{
        Ran,
        board::Ending,
        lease::RENEW,
        pause,
        watch::{Due, Look, due},
    },
};
use banksman_core::port::{Claimed, StoreError, World};
use futures_util::FutureExt;
use jiff::Timestamp;

/// Failures of the database in a row until the worker gives up.
const FAILURES: u32 = 6;

impl<'w, W: World> Course<'w, W> {
    pub(super) fn take_in(&mut self, happened: Happened) {
        let now = self.worker.now();
        match happened {
            Happened::Woken => {
                self.listening = false;
                self.hungry = true;
                self.suspicious = true;
                let soon = self.looked_at + self.worker.setup.watch;
                self.look_at = Some(self.look_at.map_or(soon, |at| at.min(soon)));
            }
            Happened::Time(at) => drop(self.timers.remove(&at)),
            Happened::Stop => {
                if self.stop.level() != Level::Drop {
                    let stop = self.stop;
                    self.going_on.push(stop.more_than(Level::Drain).map(|()| Happened::Stop).boxed());
                }
            }
            Happened::Claimed(found) => self.claimed(found, now),
            Happened::Ran(done) => {
                let (worker, next) = (self.worker, self.offer_after(&done));
                self.going_on.push(worker.write_end(*done, next).map(Happened::Closed).boxed());
            }
            Happened::Closed(mut closed) => {
                let (worker, found) = (self.worker, closed.found.take());
                self.going_on.push(worker.leave(closed).map(Happened::Over).boxed());
                if let Some(found) = found {
                    self.claimed(found, now);
                }
            }
            Happened::Over(over) => {
                self.hungry = true;
                self.jobs_due.extend(over.again);
                self.carry_what_is_free();
            }
            Happened::Renewed(renewed) => {
                self.renewing = false;
                self.renew_at = self.worker.renewed(renewed).unwrap_or(self.renew_at);
            }
            Happened::Looked(look) => self.looked(look, now),
            Happened::Freed(attempt) => {
                self.freeing.remove(&attempt);
                self.hungry = true;
            }
        }
    }

    fn claimed(&mut self, found: Result<Found, StoreError>, now: Timestamp) {
        self.claiming = false;
        self.empty = false;
        match found {
            Ok(Found::Job(claimed)) => {
                self.store_failures = 0;
                self.hungry = true;
                self.ran = Ran::Attempt;
                if self.worker.board.is_empty() {
                    self.renew_at = now + RENEW;
                }
                self.worker.board.enter(claimed.claim.clone());
                if self.stopping() {
                    // It came after the wish to stop: it goes back without having run.
                    self.worker.end(claimed.claim.attempt, Ending::Stopping);
                }
                self.behind.push(*claimed);
                self.carry_what_is_free();
            }
            Ok(Found::Nothing { due, empty }) => {
                self.store_failures = 0;
                self.jobs_due.extend(due);
                self.empty = empty;
            }
            Err(error) => {
                self.store_failures += 1;
                self.hungry = true;
                // A claim whose answer was lost is found by the next look.
                self.look_at = Some(now);
                tracing::warn!(%error, "nothing can be claimed just now");
                let failed = matches!(error, StoreError::Failed(_)) && self.store_failures >= FAILURES;
                if failed || self.goal == Goal::One {
                    self.trouble = Some(error.into());
                }
                self.claim_at = Some(now + pause::after_store(self.store_failures));
            }
        }
    }

    /// Begins what is claimed and has no older attempt of the same job or lock beside it.
    fn carry_what_is_free(&mut self) {
        let worker = self.worker;
        let waits = |claimed: &Claimed| worker.board.is_behind(&claimed.claim) && !bug!(BeganBeside);
        let (behind, free): (Vec<Claimed>, Vec<Claimed>) = self.behind.drain(..).partition(waits);
        self.behind = behind;
        for claimed in free {
            self.going_on.push(worker.carry(claimed).map(Box::new).map(Happened::Ran).boxed());
        }
    }

    fn looked(&mut self, look: Look, now: Timestamp) {
        let worker = self.worker;
        self.looking = false;
        self.looked_at = now;
        let seen = match look.seen {
            Ok(seen) => seen,
            Err(error) => {
                tracing::info!(%error, "the claims cannot be looked at just now");
                self.look_at = Some(now + pause::after_store(3));
                return;
            }
        };
        worker.end_what_is_not_ours(&look.began_with, &seen);
        let settled = !self.claiming && look.claims_begun == Some(self.claims_begun);
        let mut next: Option<Timestamp> = None;
        for claim in seen {
            let attempt = claim.attempt;
            if worker.board.has(attempt) || self.freeing.contains(&attempt) {
                continue;
            }
            let orphan = settled && !look.began_with.contains(&attempt);
            let life = worker.setup.hosts.life(&claim.holder);
            let at = match due(&claim, &worker.setup.holder, orphan, life, now) {
                Due::Nothing(at) => at,
                Due::LookAgain => now + worker.setup.watch,
                what @ (Due::Lose | Due::Reap) => {
                    self.freeing.insert(attempt);
                    self.going_on.push(
                        async move {
                            worker.free(claim, what).await;
                            Happened::Freed(attempt)
                        }
                        .boxed(),
                    );
                    // It is looked at again whether that worked.
                    now + worker.setup.watch
                }
            };
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        let next = next.map(|at| at.max(now + worker.setup.watch));
        self.look_at = [self.look_at, next].into_iter().flatten().min();
    }
}

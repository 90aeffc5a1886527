//! What is due: claims while there is room, renewals, looks at the claims, and the timers that wake the loop for them.

use super::{Course, Goal, Happened};
use crate::worker::{attempt::Done, lease::RENEW};
use banksman_core::port::{Clock, Offer, World};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};

/// Longest wait for a change; the slow poll as a safety net (Q16).
const IDLE: SignedDuration = SignedDuration::from_secs(30);
/// How soon after a change, and after its own beginning, an attempt is looked at whether it is still ours.
const SUSPICION: SignedDuration = SignedDuration::from_millis(100);

impl<'w, W: World> Course<'w, W> {
    /// Claims while there is room, and listens for changes.
    pub(super) fn tend_claims(&mut self, now: Timestamp) {
        let worker = self.worker;
        if !self.listening && !self.stopping() {
            self.listening = true;
            self.going_on.push(worker.world.clock().changed(now + IDLE).map(|()| Happened::Woken).boxed());
        }
        if self.jobs_due.first().is_some_and(|due| *due <= now) {
            self.jobs_due = self.jobs_due.split_off(&now);
            self.jobs_due.remove(&now);
            self.hungry = true;
        }
        self.claim_at.take_if(|at| *at <= now);
        let one = self.goal == Goal::One && self.claims_begun > 0;
        if !self.hungry || self.claiming || self.claim_at.is_some() || self.stopping() || one {
            return;
        }
        let Some(offer) = worker.board.offer(&worker.setup) else { return };
        (self.hungry, self.claiming) = (false, true);
        self.claims_begun += 1;
        let counts = self.goal == Goal::Empty && worker.board.is_empty();
        self.going_on.push(async move { Happened::Claimed(worker.find(&offer, counts).await) }.boxed());
    }

    /// What may be claimed in the same write that ends an attempt.
    pub(super) fn offer_after(&mut self, done: &Done) -> Option<Offer> {
        let waits = self.claiming || self.claim_at.is_some() || self.stopping();
        if !done.went_well() || waits || self.goal == Goal::One {
            return None;
        }
        self.worker.board.make_room(done.id());
        let offer = self.worker.board.offer(&self.worker.setup)?;
        (self.hungry, self.claiming) = (false, true);
        self.claims_begun += 1;
        Some(offer)
    }

    pub(super) fn tend_leases(&mut self, now: Timestamp) {
        let worker = self.worker;
        worker.end_unrenewed();
        if !worker.board.is_empty() && self.renew_at <= now && !self.renewing {
            self.renewing = true;
            // From its beginning, as the leases themselves: a slow answer must not put the next one off.
            self.renew_at = now + RENEW;
            self.going_on.push(worker.renew().map(Happened::Renewed).boxed());
        }
    }

    pub(super) fn tend_watch(&mut self, now: Timestamp) {
        let worker = self.worker;
        let suspected = self.suspected_at().is_some_and(|at| at <= now);
        let due = self.look_at.is_some_and(|at| at <= now) && !self.stopping();
        if self.looking || !(suspected || due) {
            return;
        }
        (self.looking, self.suspicious, self.look_at) = (true, false, None);
        let running = worker.board.all().into_iter().map(|entry| entry.claim.attempt).collect();
        let begun = (!self.claiming).then_some(self.claims_begun);
        self.going_on.push(worker.look(running, begun).map(Happened::Looked).boxed());
    }

    /// When what runs here is looked at after a change. Attempts that are over sooner than that are never looked at.
    fn suspected_at(&self) -> Option<Timestamp> {
        let oldest = self.worker.board.oldest().filter(|_| self.suspicious)?;
        Some((self.looked_at + SUSPICION).max(oldest + SUSPICION))
    }

    /// Sees to it that something happens when the next thing is due.
    pub(super) fn tend_timers(&mut self, now: Timestamp) {
        let worker = self.worker;
        let busy = !worker.board.is_empty();
        let next = [
            (busy && !self.renewing).then_some(self.renew_at),
            worker.board.first_end().map(|end| end - worker.setup.margin()),
            self.look_at.filter(|_| !self.looking && !self.stopping()),
            self.suspected_at().filter(|_| !self.looking),
            self.claim_at,
            self.jobs_due.first().copied(),
        ]
        .into_iter()
        .flatten()
        .min();
        let Some(next) = next else { return };
        if self.timers.first().is_none_or(|armed| next < *armed) {
            let at = next.max(now);
            self.timers.insert(at);
            self.going_on
                .push(worker.world.clock().sleep_until(at).map(move |()| Happened::Time(at)).boxed());
        }
    }
}

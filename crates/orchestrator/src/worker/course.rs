//! The course of a worker: one loop over everything that can happen to it. All that runs is a future in one set; the loop decides
//! what is due, adds it, and waits for the next thing to happen. Nothing else in the worker waits.

use super::{
    Ran, Worker,
    attempt::Over,
    board::Ending,
    lease::{MARGIN, RENEW, Renewed},
    pause,
    watch::{Due, Look, due},
};
use crate::{Stop, Trouble, stop::Level};
use banksman_core::{
    id::AttemptId,
    port::{Claim, Clock, Offer, Queue, StoreError, World},
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Longest wait for a change; the slow poll as a safety net (Q16).
const IDLE: SignedDuration = SignedDuration::from_secs(30);
/// How soon after a change, and after its own beginning, an attempt is looked at whether it is still ours.
const SUSPICION: SignedDuration = SignedDuration::from_millis(100);
/// Failures of the database in a row until the worker gives up.
const FAILURES: u32 = 6;

/// How far a worker goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Until stopped.
    Stopped,
    /// Until no job waits or runs.
    Empty,
    /// One attempt.
    One,
}

/// What a claim came to.
enum Found {
    Job(Box<Claim>),
    Nothing {
        /// When a waiting job's time comes.
        due: Option<Timestamp>,
        /// No job waits or runs; looked at for [`Goal::Empty`] only.
        empty: bool,
    },
}

/// Something happened.
enum Happened {
    /// Something may have changed in the store.
    Woken,
    /// It is that time.
    Time(Timestamp),
    /// Somebody wishes to stop, or more than before.
    Stop,
    Claimed(Result<Found, StoreError>),
    Over(Over),
    Renewed(Vec<Renewed>),
    Looked(Look),
    Freed(AttemptId),
}

/// A worker on its way.
pub(super) struct Course<'w, W: World> {
    worker: &'w Worker<W>,
    goal: Goal,
    stop: &'w Stop,
    /// How much of a wish to stop was taken in.
    level: Level,
    going_on: FuturesUnordered<BoxFuture<'w, Happened>>,
    /// Moments for which a timer runs.
    timers: BTreeSet<Timestamp>,
    listening: bool,
    /// There may be something to claim.
    hungry: bool,
    claiming: bool,
    claims_begun: u64,
    /// Claims of jobs that wait until an older attempt of this worker, which lost its claim, has let go of the same job or lock: its
    /// processes may still be ending (I2).
    behind: Vec<Claim>,
    /// Not before this time is anything claimed: the store is in trouble.
    claim_at: Option<Timestamp>,
    /// When waiting jobs are due.
    jobs_due: BTreeSet<Timestamp>,
    store_failures: u32,
    renewing: bool,
    renew_at: Timestamp,
    looking: bool,
    looked_at: Timestamp,
    /// When the claims are looked at next.
    look_at: Option<Timestamp>,
    /// Something changed since the last look: what runs here may not be ours any more.
    suspicious: bool,
    freeing: BTreeSet<AttemptId>,
    ran: Ran,
    trouble: Option<Trouble>,
    empty: bool,
}

impl<'w, W: World> Course<'w, W> {
    pub(super) fn new(worker: &'w Worker<W>, goal: Goal, stop: &'w Stop) -> Self {
        let now = worker.now();
        Self {
            worker,
            goal,
            stop,
            level: Level::GoOn,
            going_on: FuturesUnordered::new(),
            timers: BTreeSet::new(),
            listening: false,
            hungry: true,
            claiming: false,
            claims_begun: 0,
            behind: Vec::new(),
            claim_at: None,
            jobs_due: BTreeSet::new(),
            store_failures: 0,
            renewing: false,
            renew_at: now,
            looking: false,
            looked_at: now,
            look_at: Some(now),
            suspicious: false,
            freeing: BTreeSet::new(),
            ran: Ran::Nothing,
            trouble: None,
            empty: false,
        }
    }

    /// Goes on until the goal is reached.
    pub(super) async fn run(mut self) -> Result<Ran, Trouble> {
        self.wait_for_stop();
        loop {
            self.take_in_stop();
            if self.is_through() {
                return self.trouble.map_or(Ok(self.ran), Err);
            }
            let now = self.worker.now();
            self.tend_claims(now);
            self.tend_leases(now);
            self.tend_watch(now);
            self.tend_timers(now);
            match self.going_on.next().await {
                Some(happened) => self.take_in(happened),
                None => return self.trouble.map_or(Ok(self.ran), Err),
            }
            // What else has happened meanwhile is taken in before anything new is begun.
            while let Some(Some(happened)) = self.going_on.next().now_or_never() {
                self.take_in(happened);
            }
        }
    }

    fn stopping(&self) -> bool {
        self.level != Level::GoOn || self.trouble.is_some()
    }

    fn is_through(&self) -> bool {
        if self.level == Level::Drop {
            return true;
        }
        let idle = self.worker.board.is_empty() && !self.claiming;
        match self.goal {
            _ if self.stopping() => idle,
            Goal::Stopped => false,
            Goal::Empty => idle && self.empty,
            Goal::One => idle && self.claims_begun > 0,
        }
    }

    fn take_in_stop(&mut self) {
        let level = self.stop.level();
        let drains = level != Level::GoOn && self.level == Level::GoOn;
        self.level = level;
        if drains || self.trouble.is_some() {
            for entry in self.worker.board.all() {
                self.worker.end(entry.claim.attempt, Ending::Stopping);
            }
        }
    }

    fn wait_for_stop(&mut self) {
        let (stop, level) = (self.stop, self.level);
        self.going_on.push(stop.more_than(level).map(|()| Happened::Stop).boxed());
    }

    /// Claims while there is room, and listens for changes.
    fn tend_claims(&mut self, now: Timestamp) {
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

    fn tend_leases(&mut self, now: Timestamp) {
        let worker = self.worker;
        worker.end_unrenewed();
        if !worker.board.is_empty() && self.renew_at <= now && !self.renewing {
            self.renewing = true;
            self.going_on.push(worker.renew().map(Happened::Renewed).boxed());
        }
    }

    fn tend_watch(&mut self, now: Timestamp) {
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
    fn tend_timers(&mut self, now: Timestamp) {
        let worker = self.worker;
        let busy = !worker.board.is_empty();
        let next = [
            (busy && !self.renewing).then_some(self.renew_at),
            worker.board.first_end().map(|end| end - MARGIN),
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

    fn take_in(&mut self, happened: Happened) {
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
            Happened::Over(over) => {
                self.hungry = true;
                self.jobs_due.extend(over.again);
                self.carry_what_is_free();
            }
            Happened::Renewed(renewed) => {
                self.renewing = false;
                self.renew_at = self.worker.renewed(renewed);
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
            Ok(Found::Job(claim)) => {
                self.store_failures = 0;
                self.hungry = true;
                self.ran = Ran::Attempt;
                if self.worker.board.is_empty() {
                    self.renew_at = now + RENEW;
                }
                self.worker.board.enter((*claim).clone());
                if self.stopping() {
                    // It came after the wish to stop: it goes back without having run.
                    self.worker.end(claim.attempt, Ending::Stopping);
                }
                self.behind.push(*claim);
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
        let (waits, free) = self.behind.drain(..).partition(|claim| worker.board.is_behind(claim));
        self.behind = waits;
        let free: Vec<Claim> = free;
        for claim in free {
            self.going_on.push(worker.carry(claim).map(Happened::Over).boxed());
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

impl<W: World> Worker<W> {
    /// Claims the next job that fits; when there is none, finds out when there will be.
    async fn find(&self, offer: &Offer, counts: bool) -> Result<Found, StoreError> {
        let store = self.world.store();
        let lease = i64::try_from(super::LEASE.as_millis()).unwrap_or(i64::MAX);
        if let Some(claim) = store.claim(&self.setup.holder, offer, self.now(), lease).await? {
            return Ok(Found::Job(Box::new(claim)));
        }
        let due = store.next_due(self.now()).await?;
        let mut empty = false;
        if counts {
            let counts = store.counts().await?;
            empty = counts.inbox + counts.building + counts.review + counts.testing == 0;
        }
        Ok(Found::Nothing { due, empty })
    }
}

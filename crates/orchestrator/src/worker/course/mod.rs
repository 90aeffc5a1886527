//! The course of a worker: one loop over everything that can happen to it. All that runs is a future in one set; the loop begins what
//! is due (`due`), waits for the next thing to happen, and takes it in (`happened`). Nothing else in the worker waits.

mod due;
mod happened;

use super::{
    Ran, Worker,
    attempt::{Closed, Done, Over},
    board::Ending,
    lease::Renewed,
    lease_ms,
    watch::Look,
};
use crate::{Stop, Trouble, stop::Level};
use banksman_core::{
    id::AttemptId,
    port::{Claimed, Offer, Queue, StoreError, World},
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How far a worker goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::worker) enum Goal {
    /// Until stopped.
    Stopped,
    /// Until no job waits or runs.
    Empty,
    /// One attempt.
    One,
}

/// What a claim came to.
pub(in crate::worker) enum Found {
    Job(Box<Claimed>),
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
    /// The steps of an attempt are done.
    Ran(Box<Done>),
    /// How it went is written.
    Closed(Closed),
    /// Nothing is left of it.
    Over(Over),
    Renewed(Vec<Renewed>),
    Looked(Look),
    Freed(AttemptId),
}

/// A worker on its way.
pub(in crate::worker) struct Course<'w, W: World> {
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
    behind: Vec<Claimed>,
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
    pub(in crate::worker) fn new(worker: &'w Worker<W>, goal: Goal, stop: &'w Stop) -> Self {
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
    pub(in crate::worker) async fn run(mut self) -> Result<Ran, Trouble> {
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
}

impl<W: World> Worker<W> {
    /// Claims the next job that fits; when there is none, finds out when there will be.
    async fn find(&self, offer: &Offer, counts: bool) -> Result<Found, StoreError> {
        let store = self.world.store();
        // One moment for both: what becomes due between two would be missed by each.
        let now = self.now();
        if let Some(claimed) = store.claim(&self.setup.holder, offer, now, lease_ms()).await? {
            return Ok(Found::Job(Box::new(claimed)));
        }
        let due = store.next_due(now).await?;
        let mut empty = false;
        if counts {
            let counts = store.counts().await?;
            let running = counts.building + counts.review + counts.testing;
            // What waits, with nothing running and nothing that time will change, cannot run here.
            empty =
                running == 0 && (counts.inbox == 0 || (due.is_none() && store.claims().await?.is_empty()));
        }
        Ok(Found::Nothing { due, empty })
    }

    /// When there will be something to claim, where nothing was at that moment.
    pub(in crate::worker) async fn nothing_at(&self, now: Timestamp) -> Result<Found, StoreError> {
        let due = self.world.store().next_due(now).await?;
        Ok(Found::Nothing { due, empty: false })
    }
}

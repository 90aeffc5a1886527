//! A store in a temporary file, a clock moved by hand, and jobs brought to where a test wants them.

use crate::tracker::ScriptedTracker;
use banksman_core::{
    event::{Event, What},
    id::JobId,
    job::{Body, JobEvent, Outcome},
    manifest::{Defaults, Manifest},
    port::{Added, AttemptRecord, Claim, Clock, Measured, NewJob, Offer, Queue as _, Retried, Watcher},
    text::{ClassName, EngineName, Holder, ItemId, JobKey, JobName},
    work::{FailReason, Usage},
};
use banksman_orchestrator::Echo;
use banksman_store::SqliteStore;
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, pin::pin, sync::Mutex};
use tempfile::TempDir;
use tokio::{select, sync::watch, task::yield_now};

/// Whether every change of a job's stage is echoed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auto {
    On,
    Off,
}

pub(crate) fn run_test(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
}

/// The world of a test.
pub(crate) struct TestWorld {
    pub(crate) store: SqliteStore,
    pub(crate) tracker: ScriptedTracker,
    pub(crate) clock: HandClock,
    pub(crate) seen: Seen,
    _home: TempDir,
}

impl TestWorld {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&home.path().join("store.db")).unwrap();
        let clock = HandClock(watch::channel(Timestamp::from_second(1_800_000_000).unwrap()).0);
        Self { store, tracker: ScriptedTracker::default(), clock, seen: Seen::default(), _home: home }
    }

    pub(crate) fn echo(&self) -> Echo<'_, SqliteStore, ScriptedTracker, HandClock, Seen> {
        Echo { queue: &self.store, tracker: &self.tracker, clock: &self.clock, watcher: &self.seen }
    }

    /// A job of item `T-1`, whose every text is a canary.
    pub(crate) async fn add(&self, auto: Auto) -> JobId {
        self.add_of(Some("T-1"), auto).await
    }

    pub(crate) async fn add_without_item(&self) -> JobId {
        self.add_of(None, Auto::Off).await
    }

    async fn add_of(&self, item: Option<&str>, auto: Auto) -> JobId {
        let now = self.clock.now();
        let manifest = Manifest {
            tracker_item: item.map(|item| ItemId::new(item).unwrap()),
            branch: Some("canary".parse().unwrap()),
            retries: Some(0),
            ..Manifest::default()
        };
        let defaults = Defaults { auto_echo: auto == Auto::On, ..Defaults::default() };
        let spec = manifest.resolve(&BTreeMap::new(), &defaults, "/canary".as_ref(), now).unwrap();
        let job = NewJob {
            name: JobName::from_title("canary"),
            key: item.is_none().then(|| JobKey::new("canary").unwrap()),
            spec,
            body: Body::new("canary".to_owned()),
        };
        let added = self.store.add(vec![job], &who(), now).await.unwrap();
        added.first().copied().map(Added::id).unwrap()
    }

    /// Claims the next job.
    pub(crate) async fn claim(&self) -> Claim {
        let offer =
            Offer { engines: vec![(engine(), ClassName::new("agentic-coder").unwrap())], ..Offer::default() };
        self.store.claim(&who(), &offer, self.clock.now(), 3_600_000).await.unwrap().unwrap().claim
    }

    /// From building to review.
    pub(crate) async fn built(&self, claim: &Claim) -> Claim {
        self.store.advance(claim, vec![JobEvent::Built], None, self.clock.now()).await.unwrap()
    }

    /// From review to the end, 90 seconds after the claim.
    pub(crate) async fn ship(&self, claim: &Claim) {
        let at = claim.since + SignedDuration::from_secs(90);
        let events = vec![JobEvent::Approved, JobEvent::Proved { outcome: Outcome::Ran, at }];
        self.store.advance(claim, events, Some(&record(claim, at, None)), at).await.unwrap();
    }

    pub(crate) async fn shipped(&self, auto: Auto) -> JobId {
        let job = self.add(auto).await;
        let claim = self.claim().await;
        let claim = self.built(&claim).await;
        self.ship(&claim).await;
        job
    }

    /// The same for another item, echoed by itself.
    pub(crate) async fn shipped_of(&self, item: &str) {
        self.add_of(Some(item), Auto::On).await;
        let claim = self.claim().await;
        let claim = self.built(&claim).await;
        self.ship(&claim).await;
    }

    pub(crate) async fn failed(&self, auto: Auto, reason: FailReason) -> JobId {
        let job = self.add(auto).await;
        let claim = self.claim().await;
        let at = self.clock.now();
        let end = record(&claim, at, Some(reason));
        self.store.advance(&claim, vec![JobEvent::Failed { reason, at }], Some(&end), at).await.unwrap();
        job
    }

    pub(crate) async fn retry(&self, job: JobId) -> JobId {
        match self.store.retry(job, &who(), self.clock.now()).await.unwrap() {
            Retried::As(new) => new,
            other => panic!("{other:?}"),
        }
    }

    /// Lets time go on until that is there.
    pub(crate) async fn tick_until(&self, there: impl Future<Output = ()>) {
        let mut there = pin!(there);
        loop {
            select! {
                biased;
                () = &mut there => return,
                () = yield_now() => self.clock.advance(SignedDuration::from_millis(1)),
            }
        }
    }
}

fn record(claim: &Claim, at: Timestamp, failure: Option<FailReason>) -> AttemptRecord {
    let usage = Usage {
        tokens_in: Some(1200),
        tokens_out: Some(300),
        cost_usd: Some(0.25),
        model: Some("canary".parse().unwrap()),
        session: Some("canary".parse().unwrap()),
        ..Usage::default()
    };
    AttemptRecord {
        attempt: claim.attempt,
        job: claim.job.id,
        engine: claim.engine.clone(),
        holder: claim.holder.clone(),
        started_at: claim.since,
        ended_at: Some(at),
        failure,
        measured: Measured { usage, ..Measured::default() },
    }
}

fn engine() -> EngineName {
    EngineName::new("canary").unwrap()
}

fn who() -> Holder {
    Holder::new("canary/1/1").unwrap()
}

/// A clock moved by hand; every moment may be a change.
pub(crate) struct HandClock(watch::Sender<Timestamp>);

impl HandClock {
    pub(crate) fn advance(&self, by: SignedDuration) {
        self.0.send_modify(|now| *now += by);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, until: Timestamp) {
        self.0.subscribe().wait_for(|now| *now >= until).await.unwrap();
    }

    async fn changed(&self, until: Timestamp) {
        self.sleep_until(until).await;
    }
}

/// What was shown.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<What>>, watch::Sender<usize>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<What> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) async fn until(&self, times: usize) {
        self.1.subscribe().wait_for(|count| *count >= times).await.unwrap();
    }
}

impl Watcher for Seen {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.what.clone());
        self.1.send_modify(|count| *count += 1);
    }
}

//! The world of a test: a store in a temporary file, scripted engines, a forge that knows what a test tells it, a clock moved by hand.

use crate::{engine::ScriptedEngine, village::Village};
use banksman_core::{
    event::Event,
    id::JobId,
    job::{Body, Job, Stage, Why},
    manifest::{Choice, JobSpec, Priority},
    port::{Added, Clock, Hosts, Life, NewJob, Queue, Watcher, World},
    text::{ClassName, EngineName, Holder, JobName},
};
use banksman_orchestrator::{EngineRoom, Stop, Worker, WorkerSetup};
use banksman_store::{SqliteStore, sqlite::Changes};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::{
    select,
    sync::{Mutex as AsyncMutex, watch},
};

/// The world of a test.
pub(crate) struct TestWorld {
    pub(crate) store: SqliteStore,
    pub(crate) engine: ScriptedEngine,
    pub(crate) clock: HandClock,
    pub(crate) seen: Seen,
    pub(crate) forge: Village,
    _home: TempDir,
}

impl TestWorld {
    /// An empty world.
    pub(crate) fn new() -> Arc<Self> {
        let home = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&home.path().join("store.db")).unwrap();
        let clock = HandClock { now: watch::channel(begin()).0, changes: AsyncMutex::new(store.changes()) };
        let (engine, seen) = (ScriptedEngine::new(), Seen::default());
        Arc::new(Self { store, engine, clock, seen, forge: Village::default(), _home: home })
    }

    /// A worker with one engine, `sh` of class `shell`, and room for four attempts.
    pub(crate) fn worker(self: &Arc<Self>, change: impl FnOnce(&mut WorkerSetup)) -> Worker<Arc<Self>> {
        let mut setup = WorkerSetup::new(holder("here/1/worker"), Arc::new(Dead("here/dead")));
        setup.engines = vec![EngineRoom { name: sh(), class: ClassName::new("shell").unwrap(), parallel: 4 }];
        setup.at_once = 4;
        change(&mut setup);
        Worker::new(Arc::clone(self), setup)
    }

    /// Adds a job.
    pub(crate) async fn add(&self, change: impl FnOnce(&mut JobSpec)) -> JobId {
        self.add_by("here/adder", change).await
    }

    /// Adds a job as that holder.
    pub(crate) async fn add_by(&self, who: &str, change: impl FnOnce(&mut JobSpec)) -> JobId {
        let mut spec = spec();
        change(&mut spec);
        let name = JobName::new("job").unwrap();
        let job = NewJob { name, key: None, spec, body: Body::new("true".to_owned()) };
        let added = self.store.add(vec![job], &holder(who), self.clock.now()).await.unwrap();
        added.first().copied().map(Added::id).unwrap()
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        self.store.job(id).await.unwrap().unwrap()
    }

    pub(crate) async fn stage(&self, id: JobId) -> Stage {
        self.job(id).await.state.stage()
    }

    /// The stages that a job went through and why.
    pub(crate) async fn way(&self, id: JobId) -> Vec<(Stage, Why)> {
        self.store.moves(id).await.unwrap().into_iter().map(|m| (m.to, m.why)).collect()
    }
}

/// Runs a worker beside what the test does, until the test is through.
pub(crate) async fn beside(worker: Worker<Arc<TestWorld>>, test: impl Future<Output = ()>) {
    let stop = Stop::default();
    select! {
        ended = worker.run(&stop) => panic!("the worker ended: {ended:?}"),
        () = test => {}
    }
}

/// What a plain job is.
fn spec() -> JobSpec {
    JobSpec {
        engine: Choice::Class(ClassName::new("shell").unwrap()),
        profile: None,
        cwd: "/".into(),
        worktree: false,
        yolo: false,
        lock: None,
        timeout: SignedDuration::from_hours(1),
        priority: Priority::Normal,
        capabilities: Vec::new(),
        depends_on: Vec::new(),
        tracker_item: None,
        auto_echo: false,
        retries: 1,
        not_before: None,
        review: None,
        verify: Vec::new(),
        fix_rounds: 2,
        base: None,
        branch: None,
        max_cost: None,
        max_tokens: None,
        env: Vec::new(),
        preamble: None,
        extra: BTreeMap::new(),
    }
}

pub(crate) fn sh() -> EngineName {
    EngineName::new("sh").unwrap()
}

pub(crate) fn holder(text: &str) -> Holder {
    Holder::new(text).unwrap()
}

fn begin() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// Holders whose text begins like that are gone, others that begin with `here/` live, the rest is elsewhere.
pub(crate) struct Dead(pub &'static str);

impl Hosts for Dead {
    fn life(&self, holder: &Holder) -> Life {
        match holder.as_str() {
            text if text.starts_with(self.0) => Life::Gone,
            text if text.starts_with("here/") => Life::Alive,
            _ => Life::Elsewhere,
        }
    }
}

/// A clock moved by hand.
pub(crate) struct HandClock {
    now: watch::Sender<Timestamp>,
    changes: AsyncMutex<Changes>,
}

impl HandClock {
    /// Time goes on.
    pub(crate) fn advance(&self, by: SignedDuration) {
        self.now.send_modify(|now| *now += by);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, until: Timestamp) {
        self.now.subscribe().wait_for(|now| *now >= until).await.unwrap();
    }

    async fn changed(&self, until: Timestamp) {
        let mut changes = self.changes.lock().await;
        select! {
            () = changes.next() => {}
            () = self.sleep_until(until) => {}
        }
    }
}

/// The events that were shown.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<Event>>, watch::Sender<usize>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until such an event was shown so often.
    pub(crate) async fn until(&self, times: usize, is: impl Fn(&Event) -> bool) {
        let enough = |_: &usize| self.0.lock().unwrap().iter().filter(|event| is(event)).count() >= times;
        self.1.subscribe().wait_for(enough).await.unwrap();
    }
}

impl Watcher for Seen {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
        self.1.send_modify(|count| *count += 1);
    }
}

impl World for TestWorld {
    type Store = SqliteStore;
    type Forge = Village;
    type Engine = ScriptedEngine;
    type Clock = HandClock;
    type Watcher = Seen;

    fn store(&self) -> &SqliteStore {
        &self.store
    }
    fn forge(&self) -> &Village {
        &self.forge
    }
    fn engine(&self) -> &ScriptedEngine {
        &self.engine
    }
    fn clock(&self) -> &HandClock {
        &self.clock
    }
    fn watcher(&self) -> &Seen {
        &self.seen
    }
}

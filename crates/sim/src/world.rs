//! One simulated world, and how a process sees it through the ports: clock, wake-ups, watcher.

use crate::{
    engine::SimEngine,
    executor::{Kernel, MINUTE, Micros, Process, SECOND, Sleep, held, micros, stamp},
    forge::SimForge,
    github::{Client, TownForge},
    plan::{Plan, Wired},
    process::Life,
    store::SimStore,
    trace::Record,
    universe::Universe,
};
use banksman_core::{
    event::Event,
    port::{Clock, Watcher, World},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

/// What all processes of a world share.
pub(crate) struct Shared {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) plan: Plan,
    universe: Mutex<Universe>,
    record: Mutex<Record>,
    ears: Mutex<Vec<Ear>>,
    /// Every life of every process, by number.
    pub(crate) lives: Mutex<Vec<Option<Life>>>,
    last_change: Mutex<Micros>,
    /// How far the clock of each host is off.
    pub(crate) skews: Mutex<BTreeMap<u32, Micros>>,
}

/// One loop that waits for changes.
struct Ear {
    process: Process,
    wake_at: Option<Micros>,
    waker: Option<Waker>,
}

/// One process's view of the world.
#[derive(Clone)]
pub(crate) struct Me {
    pub(crate) shared: Arc<Shared>,
    pub(crate) process: Process,
    ear: usize,
}

impl Shared {
    pub(crate) fn new(kernel: Arc<Kernel>, plan: Plan, universe: Universe, record: Record) -> Arc<Self> {
        Arc::new(Self {
            kernel,
            plan,
            universe: Mutex::new(universe),
            record: Mutex::new(record),
            ears: Mutex::default(),
            lives: Mutex::new(vec![None]),
            last_change: Mutex::new(0),
            skews: Mutex::default(),
        })
    }

    /// Works on what is there. Never across an await.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Universe) -> T) -> T {
        let mut universe = held(&self.universe);
        universe.now = self.kernel.now();
        let answer = work(&mut universe);
        let violated = universe.take_new_violations();
        drop(universe);
        for violation in violated {
            self.note(crate::executor::NATURE, "violation", 0, || violation.clone());
            self.kernel.stop();
        }
        answer
    }

    /// Notes an event in the trace.
    pub(crate) fn note(
        &self,
        process: Process,
        what: &'static str,
        number: u64,
        detail: impl FnOnce() -> String,
    ) {
        let at = self.kernel.now();
        held(&self.record).note(at, process, what, number, detail);
    }

    /// Takes the trace at the end.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        held(&self.record)
    }

    /// Something changed: everybody who listens is told, sooner, later or (in some worlds) not at all.
    pub(crate) fn changed(&self, by: Option<usize>) {
        let now = self.kernel.now();
        *held(&self.last_change) = now;
        let deaf = if now < self.plan.faults.until { self.plan.faults.deaf } else { 0 };
        for (n, ear) in held(&self.ears).iter_mut().enumerate() {
            if Some(n) == by || ear.wake_at.is_some_and(|at| at <= now) || !self.kernel.alive(ear.process) {
                continue;
            }
            let (lost, delay) = self.kernel.draw(|c| {
                let late = if c.below(20) == 0 { 20 * SECOND } else { SECOND };
                (c.of_thousand(deaf), c.time(1_000, late))
            });
            let at = now + delay;
            if !lost && ear.wake_at.is_none_or(|old| at < old) {
                ear.wake_at = Some(at);
                if let Some(waker) = ear.waker.take() {
                    waker.wake();
                }
            }
        }
    }

    /// When something last changed.
    pub(crate) fn last_change(&self) -> Micros {
        *held(&self.last_change)
    }

    /// Works on the life of a process.
    pub(crate) fn life<T>(&self, process: Process, work: impl FnOnce(&mut Life) -> T) -> Option<T> {
        held(&self.lives).get_mut(process.0 as usize).and_then(Option::as_mut).map(work)
    }
}

impl Me {
    /// A view for one loop of a process.
    pub(crate) fn new(shared: &Arc<Shared>, process: Process) -> Self {
        let mut ears = held(&shared.ears);
        ears.push(Ear { process, wake_at: None, waker: None });
        Self { shared: Arc::clone(shared), process, ear: ears.len() - 1 }
    }

    /// This process changed something.
    pub(crate) fn changed(&self) {
        self.shared.changed(Some(self.ear));
    }

    fn heard(&self) -> Option<Micros> {
        held(&self.shared.ears)[self.ear].wake_at
    }
}

/// The world of one loop.
#[derive(Clone)]
pub(crate) struct SimWorld {
    me: Me,
    store: SimStore,
    forge: TownForge,
    engine: SimEngine,
    clock: SimClock,
}

impl SimWorld {
    pub(crate) fn new(shared: &Arc<Shared>, process: Process) -> Self {
        let me = Me::new(shared, process);
        let clock = SimClock { me: me.clone(), patience: Arc::new(Mutex::new(SHORT)) };
        let forge = match shared.plan.wire {
            Wired::Port => TownForge::Port(SimForge(me.clone())),
            Wired::Github => TownForge::Github(Arc::new(Client::new(&me, &clock))),
        };
        Self { store: SimStore(me.clone()), forge, engine: SimEngine(me.clone()), clock, me }
    }
}

impl World for SimWorld {
    type Store = SimStore;
    type Forge = TownForge;
    type Engine = SimEngine;
    type Clock = SimClock;
    type Watcher = Me;

    fn store(&self) -> &SimStore {
        &self.store
    }
    fn forge(&self) -> &TownForge {
        &self.forge
    }
    fn engine(&self) -> &SimEngine {
        &self.engine
    }
    fn clock(&self) -> &SimClock {
        &self.clock
    }
    fn watcher(&self) -> &Me {
        &self.me
    }
}

impl Watcher for Me {
    fn event(&self, event: &Event) {
        self.shared.with(|u| u.check_text("event", event));
        self.shared.note(self.process, "event", 0, || {
            format!("{:?} {:?}", event.repo.as_ref().map(|r| r.as_str()), event.what)
        });
    }
}

/// How late a timer may come at first, while nothing happens; it doubles each time up to [`LONG`]. An overloaded host does the same, and
/// it keeps a quiet world from being looked at every few seconds.
const SHORT: Micros = 15 * SECOND;
/// See [`SHORT`].
const LONG: Micros = 8 * MINUTE;

/// Virtual time and wake-ups.
#[derive(Clone)]
pub(crate) struct SimClock {
    me: Me,
    patience: Arc<Mutex<Micros>>,
}

impl SimClock {
    /// How far the clock of this host is off now.
    fn skew(&self) -> Micros {
        let (shared, process) = (&self.me.shared, self.me.process);
        let skews = held(&shared.skews);
        if skews.is_empty() {
            return 0;
        }
        let host = shared.life(process, |life| life.host).unwrap_or_default();
        skews.get(&host).copied().unwrap_or_default()
    }
}

/// A host measures how long it sleeps by another clock than the one that jumps.
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        stamp(self.me.shared.kernel.now() + self.skew())
    }

    async fn sleep_until(&self, until: Timestamp) {
        let until = micros(until) - self.skew();
        self.me.shared.kernel.sleep_until(until).await;
    }

    async fn changed(&self, until: Timestamp) {
        let kernel = &self.me.shared.kernel;
        let patience = *held(&self.patience);
        let until = (micros(until) - self.skew()).max(kernel.now() + patience);
        let woken = Changed { me: &self.me, sleep: kernel.sleep_until(until) }.await;
        *held(&self.patience) = match woken {
            Woken::Change => SHORT,
            Woken::Time => (patience * 2).min(LONG),
        };
    }
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Change,
    Time,
}

struct Changed<'a> {
    me: &'a Me,
    sleep: Sleep,
}

impl Future for Changed<'_> {
    type Output = Woken;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Woken> {
        if let Some(at) = self.me.heard() {
            self.sleep.hasten(at);
        }
        let slept = Pin::new(&mut self.sleep).poll(cx);
        let now = self.me.shared.kernel.now();
        let ear = &mut held(&self.me.shared.ears)[self.me.ear];
        if slept.is_ready() {
            ear.waker = None;
            return Poll::Ready(match ear.wake_at.take_if(|at| *at <= now) {
                Some(_) => Woken::Change,
                None => Woken::Time,
            });
        }
        ear.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

//! The executor: one thread, virtual time, tasks grouped into processes that can die. The next ready task is chosen by the seed;
//! when none is ready, time jumps to the next timer. No real sleep, no other source of order: a seed replays exactly.

use crate::chance::Chance;
use jiff::Timestamp;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::Future,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Virtual time in microseconds since the beginning of the simulation.
pub(crate) type Micros = i64;

/// One second.
pub(crate) const SECOND: Micros = 1_000_000;
/// One minute.
pub(crate) const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub(crate) const HOUR: Micros = 60 * MINUTE;

/// The moment at which every simulation begins: 2026-01-01T00:00:00Z, in microseconds since 1970.
const BEGIN: Micros = 1_767_225_600 * SECOND;

/// A virtual moment as the ports speak of it.
pub(crate) fn stamp(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(BEGIN + at).unwrap_or(Timestamp::MAX)
}

/// The virtual moment of a timestamp.
pub(crate) fn micros(at: Timestamp) -> Micros {
    at.as_microsecond() - BEGIN
}

/// One life of one process. A restarted process is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process(pub(crate) u32);

/// The world itself: people, checks, restarts. It never dies.
pub(crate) const NATURE: Process = Process(0);

/// A task.
pub(crate) type Job = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// Tasks that were spawned and not taken over yet. A world never leaves its thread, and this way its tasks need not be able to,
    /// while the kernel, which the ports hold, is.
    static SPAWNED: RefCell<Vec<(Process, Job)>> = const { RefCell::new(Vec::new()) };
}

/// Time, timers, chance and who is alive.
pub(crate) struct Kernel {
    inner: Mutex<Inner>,
    ready: Arc<Ready>,
}

struct Inner {
    now: Micros,
    chance: Chance,
    timers: BTreeMap<(Micros, u64), Waker>,
    sequence: u64,
    dying: Vec<Process>,
    alive: Vec<bool>,
    /// Processes that stand still, and until when: none of their tasks goes on.
    frozen: BTreeMap<Process, Micros>,
    stopped: bool,
}

#[derive(Default)]
struct Ready(Mutex<Vec<usize>>);

/// Wakes one task.
struct Bell {
    task: usize,
    rung: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            held(&self.ready.0).push(self.task);
        }
    }
}

/// A lock that is never poisoned for long: the world is thrown away with the panic.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Kernel {
    /// Time zero, nobody but nature alive.
    pub(crate) fn new(chance: Chance) -> Self {
        Self {
            inner: Mutex::new(Inner {
                now: 0,
                chance,
                timers: BTreeMap::new(),
                sequence: 0,
                dying: Vec::new(),
                alive: vec![true],
                frozen: BTreeMap::new(),
                stopped: false,
            }),
            ready: Arc::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        held(&self.inner)
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Micros {
        self.inner().now
    }

    /// Draws from the world's one source of chance.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Chance) -> T) -> T {
        draw(&mut self.inner().chance)
    }

    /// A new process.
    pub(crate) fn bear(&self) -> Process {
        let mut inner = self.inner();
        inner.alive.push(true);
        Process(inner.alive.len() as u32 - 1)
    }

    /// Starts a task of a process.
    pub(crate) fn spawn(&self, process: Process, job: impl Future<Output = ()> + 'static) {
        SPAWNED.with_borrow_mut(|spawned| spawned.push((process, Box::pin(job))));
    }

    /// Ends a process: all its tasks are dropped where they are before anything else runs.
    pub(crate) fn kill(&self, process: Process) {
        let mut inner = self.inner();
        if mem::replace(&mut inner.alive[process.0 as usize], false) {
            inner.dying.push(process);
        }
    }

    /// Whether a process is alive.
    pub(crate) fn alive(&self, process: Process) -> bool {
        self.inner().alive.get(process.0 as usize).copied().unwrap_or_default()
    }

    /// Lets a process stand still until then.
    pub(crate) fn freeze(&self, process: Process, until: Micros) {
        let mut inner = self.inner();
        let end = inner.frozen.entry(process).or_insert(until);
        *end = until.max(*end);
    }

    /// Puts a task of a process that stands still off; `false` when it does not.
    fn put_off(&self, process: Process, waker: &Waker) -> bool {
        let mut inner = self.inner();
        let Some(until) = inner.frozen.get(&process).copied() else { return false };
        if until <= inner.now {
            inner.frozen.remove(&process);
            return false;
        }
        inner.sequence += 1;
        let key = (until, inner.sequence);
        inner.timers.insert(key, waker.clone());
        true
    }

    /// Ends the simulation.
    pub(crate) fn stop(&self) {
        self.inner().stopped = true;
    }

    /// Sleeps until a moment.
    pub(crate) fn sleep_until(self: &Arc<Self>, until: Micros) -> Sleep {
        Sleep { kernel: Arc::clone(self), until, key: None }
    }

    /// Sleeps for a while.
    pub(crate) fn sleep(self: &Arc<Self>, time: Micros) -> Sleep {
        let until = self.now() + time;
        self.sleep_until(until)
    }
}

/// A timer; dropped, it is gone.
pub(crate) struct Sleep {
    kernel: Arc<Kernel>,
    until: Micros,
    key: Option<(Micros, u64)>,
}

impl Sleep {
    /// Moves the timer to an earlier moment.
    pub(crate) fn hasten(&mut self, until: Micros) {
        if until < self.until {
            self.until = until;
            self.cancel();
        }
    }

    fn cancel(&mut self) {
        if let Some(key) = self.key.take() {
            self.kernel.inner().timers.remove(&key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let kernel = Arc::clone(&self.kernel);
        let mut inner = kernel.inner();
        if inner.now >= self.until {
            if let Some(key) = self.key.take() {
                inner.timers.remove(&key);
            }
            return Poll::Ready(());
        }
        let key = match self.key {
            Some(key) => key,
            None => {
                inner.sequence += 1;
                (self.until, inner.sequence)
            }
        };
        inner.timers.insert(key, cx.waker().clone());
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.tasks.clear();
        SPAWNED.take();
    }
}

struct Task {
    process: Process,
    job: Job,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Runs the tasks of one world.
pub(crate) struct Executor {
    kernel: Arc<Kernel>,
    tasks: Vec<Option<Task>>,
}

/// Why the executor came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Somebody stopped the simulation.
    Stopped,
    /// Nobody waits for anything any more.
    Idle,
    /// The limit of steps was reached.
    Steps,
}

impl Executor {
    /// An executor for what is spawned on this thread from the making of the kernel on.
    pub(crate) fn new(kernel: Arc<Kernel>) -> Self {
        Self { kernel, tasks: Vec::new() }
    }

    /// Runs until stopped, at most `steps` polls.
    pub(crate) fn run(&mut self, steps: u64) -> Ended {
        for _ in 0..steps {
            self.adopt();
            self.bury();
            let next = {
                let mut inner = self.kernel.inner();
                if inner.stopped {
                    return Ended::Stopped;
                }
                let mut ready = held(&self.kernel.ready.0);
                match ready.len() {
                    0 => None,
                    1 => ready.pop(),
                    n => Some(ready.swap_remove(inner.chance.below(n as u64) as usize)),
                }
            };
            match next {
                Some(task) => self.poll(task),
                None => {
                    let mut inner = self.kernel.inner();
                    let Some(((at, _), waker)) = inner.timers.pop_first() else { return Ended::Idle };
                    inner.now = inner.now.max(at);
                    drop(inner);
                    waker.wake();
                }
            }
        }
        Ended::Steps
    }

    fn poll(&mut self, id: usize) {
        let Some(mut task) = self.tasks.get_mut(id).and_then(Option::take) else { return };
        task.bell.rung.store(false, Ordering::Relaxed);
        let waker = task.waker.clone();
        if self.kernel.put_off(task.process, &waker) {
            self.tasks[id] = Some(task);
            return;
        }
        if task.job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks[id] = Some(task);
        }
    }

    /// Takes over tasks that were spawned.
    fn adopt(&mut self) {
        let spawned = SPAWNED.take();
        for (process, job) in spawned {
            if !self.kernel.alive(process) {
                continue;
            }
            let task = self.tasks.len();
            let bell =
                Arc::new(Bell { task, rung: AtomicBool::new(false), ready: Arc::clone(&self.kernel.ready) });
            bell.wake_by_ref();
            let waker = Waker::from(Arc::clone(&bell));
            self.tasks.push(Some(Task { process, job, bell, waker }));
        }
    }

    /// Drops the tasks of processes that died.
    fn bury(&mut self) {
        let dying = mem::take(&mut self.kernel.inner().dying);
        if dying.is_empty() {
            return;
        }
        for slot in &mut self.tasks {
            if slot.as_ref().is_some_and(|t| dying.contains(&t.process)) {
                drop(slot.take());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(seed: u64) -> Arc<Kernel> {
        Arc::new(Kernel::new(Chance::new(seed)))
    }

    #[test]
    fn time_jumps_to_the_next_timer() {
        let kernel = kernel(1);
        let inside = Arc::clone(&kernel);
        kernel.spawn(NATURE, async move {
            inside.sleep(5 * HOUR).await;
            inside.stop();
        });
        let ended = Executor::new(Arc::clone(&kernel)).run(100);
        assert_eq!((ended, kernel.now()), (Ended::Stopped, 5 * HOUR));
    }

    #[test]
    fn a_killed_process_does_nothing_any_more() {
        let kernel = kernel(1);
        let process = kernel.bear();
        let inside = Arc::clone(&kernel);
        kernel.spawn(process, async move {
            inside.sleep(10).await;
            inside.sleep(1000).await;
            unreachable!("it was killed before");
        });
        let inside = Arc::clone(&kernel);
        kernel.spawn(NATURE, async move {
            inside.sleep(20).await;
            inside.kill(process);
        });
        let ended = Executor::new(Arc::clone(&kernel)).run(100);
        assert_eq!((ended, kernel.now()), (Ended::Idle, 20));
    }

    #[test]
    fn the_order_of_ready_tasks_comes_from_the_seed() {
        let order = |seed| {
            let kernel = kernel(seed);
            let seen: Arc<Mutex<Vec<u32>>> = Arc::default();
            for n in 0..20 {
                let seen = Arc::clone(&seen);
                kernel.spawn(NATURE, async move { held(&seen).push(n) });
            }
            Executor::new(kernel).run(1000);
            held(&seen).clone()
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
    }
}

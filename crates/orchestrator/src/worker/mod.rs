//! The worker: one a process, with many attempts at once. It claims jobs, carries each through its stages by the engine port while
//! the lease is renewed, and writes down how it went. It makes no effect on the forge but a review, which is unique per reviewer and
//! head.

mod attempt;
mod board;
mod course;
mod lease;
mod manifest;
mod pause;
mod setup;
mod task;
mod watch;
mod write;

pub use setup::{EngineRoom, WorkerSetup};

use crate::{Stop, Trouble};
use banksman_core::{
    event::{Event, What},
    id::JobId,
    job::{Job, Stage, Why},
    port::{Clock, Watcher, World},
    text::RepoName,
};
use board::Board;
use course::{Course, Goal};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How long a claim lasts unless renewed (Q12).
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// The same in milliseconds.
fn lease_ms() -> i64 {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}

/// Runs attempts.
pub struct Worker<W: World> {
    world: W,
    setup: WorkerSetup,
    /// What runs now.
    board: Board,
    /// Troubles in a row of the host or the forge with a job: they are waited out and not counted as its failures.
    troubles: Mutex<BTreeMap<JobId, u32>>,
}

/// What one round of a worker came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// A job was claimed and brought to the end of one attempt.
    Attempt,
    /// Nothing was ready.
    Nothing,
}

impl<W: World> Worker<W> {
    /// A worker in this world.
    pub fn new(world: W, setup: WorkerSetup) -> Self {
        Self { world, setup, board: Board::default(), troubles: Mutex::default() }
    }

    /// Claims and runs until stopped: at the first wish nothing more is claimed and what runs is asked to end (Q17), at the second it
    /// is dropped. A store that is away is waited for; one that keeps failing ends the worker.
    pub async fn run(&self, stop: &Stop) -> Result<(), Trouble> {
        Course::new(self, Goal::Stopped, stop).run().await.map(drop)
    }

    /// Claims and runs until no job runs anywhere and none waits that could run here, or until stopped.
    pub async fn run_until_empty(&self, stop: &Stop) -> Result<(), Trouble> {
        Course::new(self, Goal::Empty, stop).run().await.map(drop)
    }

    /// Claims one job, if one is ready, and brings it to the end of one attempt.
    pub async fn run_one(&self) -> Result<Ran, Trouble> {
        Course::new(self, Goal::One, &Stop::default()).run().await
    }

    fn now(&self) -> Timestamp {
        self.world.clock().now()
    }

    fn show(&self, repo: Option<&RepoName>, what: What) {
        self.world.watcher().event(&Event { at: self.now(), repo: repo.cloned(), what });
    }

    /// Shows where a job of a manifest is now; those of the pipeline have events of their own.
    fn show_move(&self, job: &Job, running: Option<&banksman_core::port::Claim>, to: Stage, why: Why) {
        if job.work.spec().is_none() {
            return;
        }
        let what = What::JobMoved {
            job: job.id,
            name: job.name.clone(),
            engine: running.map(|claim| claim.engine.clone()),
            attempt: running.map(|claim| claim.attempt),
            to,
            why,
        };
        self.show(None, what);
    }

    /// Counts one more trouble in a row with a job.
    fn troubled(&self, job: JobId) -> u32 {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let count = troubles.entry(job).or_default();
        *count += 1;
        *count
    }

    /// The job got further than its troubles.
    fn untroubled(&self, job: JobId) {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
    }
}

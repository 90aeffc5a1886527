//! Port to the engines: one call runs one attempt at a task of the pipeline from its private clone to a published branch or a verdict, or
//! one step of an attempt at the job of a manifest.

use super::Measured;
use crate::{
    id::{AttemptId, JobId},
    job::{Body, Outcome},
    manifest::JobSpec,
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::{FailReason, Task, Verdict},
};
use jiff::Timestamp;
use std::future::Future;

/// What one attempt is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The attempt; names its workspace and log.
    pub attempt: AttemptId,
    /// The repository.
    pub repo: RepoName,
    /// What to do.
    pub task: Task,
    /// Who does it.
    pub engine: EngineName,
    /// Branch that is cloned and worked on. For [`Task::Implement`] it is made from `base`.
    pub branch: BranchName,
    /// The branch that the work goes into.
    pub base: BranchName,
    /// Where `branch` is on the forge now, and where it has to be still when the work is published; `None`: it does not exist.
    pub head: Option<Sha>,
}

/// How an attempt went.
pub struct Report {
    /// What came of it.
    pub result: ReportResult,
    /// What was measured.
    pub measured: Measured,
}

/// What came of an attempt.
pub enum ReportResult {
    /// Its work is on `branch` of the forge; the push named this sha and the head it replaced.
    Published {
        /// The new head.
        sha: Sha,
    },
    /// A review's verdict with the threads to open.
    Reviewed {
        /// The verdict.
        verdict: Verdict,
        /// Threads; empty for an approval.
        threads: Vec<ThreadDraft>,
    },
    /// Nothing that can be used.
    Failed {
        /// Why.
        reason: FailReason,
    },
    /// The engine's quota is used up (Q21); not counted.
    Limited {
        /// When it resets, where the engine says so.
        until: Option<Timestamp>,
    },
}

/// A review thread to be opened. Its words go to the forge and nowhere else.
pub struct ThreadDraft {
    /// File it is about, as the reviewer wrote it.
    pub path: Tainted,
    /// Line in that file, from 1.
    pub line: u32,
    /// What it says.
    pub body: Tainted,
}

/// An attempt that could not be made at all; nothing was published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The host is shutting down; not counted.
    #[error("the attempt was interrupted")]
    Interrupted,
    /// Something of the host failed; the chain is in the log. Counted as [`FailReason::Workspace`].
    #[error("the attempt could not be made: {0}")]
    Host(&'static str),
}

/// What one attempt at the job of a manifest works on.
#[derive(Debug, Clone, PartialEq)]
pub struct JobOrder {
    /// The attempt; names its workspace and log.
    pub attempt: AttemptId,
    /// The job.
    pub job: JobId,
    /// Who builds.
    pub engine: EngineName,
    /// What its manifest says.
    pub spec: JobSpec,
    /// Where the work lands.
    pub branch: BranchName,
}

/// One step of an attempt at the job of a manifest. The steps of one attempt share its workspace and run one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The engine works: at the job itself, or, in a later round, at what review or tests found.
    Build {
        /// 0, then one more for each time that it was sent back.
        round: u32,
    },
    /// The second engine looks at the diff.
    Review,
    /// The commands of `verify` run in the workspace.
    Verify,
    /// The work goes to its branch.
    Land,
}

/// How a step went.
#[derive(Debug)]
pub struct StepReport {
    /// What came of it.
    pub result: StepResult,
    /// What was measured in all steps of the attempt so far.
    pub measured: Measured,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// The engine ended well and left something that can be used.
    Built,
    /// The reviewer's verdict; what it said lies in the workspace for the next round.
    Reviewed(Verdict),
    /// All commands ended with 0.
    Verified,
    /// A command failed; the end of its output lies in the workspace for the next round.
    Refuted,
    /// The work is where it belongs.
    Landed(Outcome),
    /// The attempt failed.
    Failed(FailReason),
    /// The quota of the engine that ran is used up (Q21); not counted.
    Limited {
        /// Which: the builder or the reviewer.
        engine: EngineName,
        /// When it resets, where the engine says so.
        until: Option<Timestamp>,
    },
    /// It was told to end; not counted.
    Interrupted,
}

/// Runs engines.
pub trait Engine: Send + Sync {
    /// Runs one attempt at a task of the pipeline. `brief` is written to a file in the task folder by a step that decides nothing (S8). When
    /// the future is dropped the attempt's processes are ended.
    fn run(&self, order: &Order, brief: Tainted) -> impl Future<Output = Result<Report, EngineError>> + Send;

    /// Runs one step of an attempt at the job of a manifest; `body` is the job's instructions. When the future is dropped the step's
    /// processes are ended.
    fn step(
        &self,
        order: &JobOrder,
        step: Step,
        body: &Body,
    ) -> impl Future<Output = Result<StepReport, EngineError>> + Send;

    /// Asks the processes of an attempt to end: TERM, grace, KILL (Q14). Its call returns [`EngineError::Interrupted`], that of a step
    /// [`StepResult::Interrupted`].
    fn end(&self, attempt: AttemptId);

    /// Removes what an attempt at the job of a manifest left in the workspace. Its log stays.
    fn leave(&self, attempt: AttemptId) -> impl Future<Output = ()> + Send;

    /// Ends what is left of an attempt of a process of this host that is gone: its process group by pid and start time, so that a
    /// reused pid is never hit (Q13), and its workspace. Returns when no process of it is left.
    fn reap(&self, attempt: AttemptId) -> impl Future<Output = ()> + Send;
}

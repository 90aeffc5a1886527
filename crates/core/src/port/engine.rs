//! Port to the engines: one call runs one attempt from its private clone to a published branch or a verdict.

use crate::{
    id::AttemptId,
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::{FailReason, SandboxLevel, Task, Usage, Verdict},
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
    /// How it was kept in its place; `None` when no process was started.
    pub sandbox: Option<SandboxLevel>,
    /// What it used.
    pub usage: Usage,
    /// Exit code, where the process ended by itself.
    pub exit_code: Option<i32>,
    /// When its process started and ended.
    pub ran: Option<(Timestamp, Timestamp)>,
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

/// Runs engines.
pub trait Engine: Send + Sync {
    /// Runs one attempt. `brief` is written to a file in the task folder by a step that decides nothing (S8). When the future is
    /// dropped the attempt's processes are ended.
    fn run(&self, order: &Order, brief: Tainted) -> impl Future<Output = Result<Report, EngineError>> + Send;
}

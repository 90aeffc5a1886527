//! Work for engines: what an engine is to do, the life of a work item, and how an attempt ends.

use crate::{
    id::{AttemptId, Number, Token, WorkId},
    say::Instruction,
    text::{BranchName, EngineName, Holder, RepoName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an engine is to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "task")]
pub enum Task {
    /// Make the change that a child asks for, on a branch of its own from `base`.
    Implement {
        /// The child.
        child: Number,
        /// Where the work starts and where its pull request goes.
        base: BranchName,
    },
    /// Answer the review threads of a pull request.
    FixReviews {
        /// The pull request.
        pull: Number,
        /// Which request this answers, from 1.
        round: u32,
    },
    /// Remove the conflict of a pull request with its base.
    FixConflict {
        /// The pull request.
        pull: Number,
        /// Which request this answers, from 1.
        round: u32,
    },
    /// Make the checks of a head commit green.
    FixChecks {
        /// The pull request.
        pull: Number,
        /// The red head.
        head: Sha,
        /// Fix round, from 1.
        round: u32,
    },
    /// Banksman's own attempt at a conflict (X7).
    ResolveConflict {
        /// The pull request.
        pull: Number,
    },
    /// Review a head commit.
    Review {
        /// The pull request.
        pull: Number,
        /// The commit to look at.
        head: Sha,
    },
}

impl Task {
    /// What the engine is told.
    pub fn instruction(&self) -> Instruction {
        match self {
            Self::Implement { .. } => Instruction::Implement,
            Self::FixReviews { .. } => Instruction::FixReviews,
            Self::FixConflict { .. } => Instruction::FixConflict,
            Self::FixChecks { .. } => Instruction::FixChecks,
            Self::ResolveConflict { .. } => Instruction::ResolveConflict,
            Self::Review { .. } => Instruction::Review,
        }
    }

    /// The issue or pull request it is about.
    pub fn subject(&self) -> Number {
        match self {
            Self::Implement { child, .. } => *child,
            Self::FixReviews { pull, .. }
            | Self::FixConflict { pull, .. }
            | Self::FixChecks { pull, .. }
            | Self::ResolveConflict { pull }
            | Self::Review { pull, .. } => *pull,
        }
    }

    /// Unique key of the task inside its repository and engine: the same task is enqueued once.
    pub fn key(&self) -> String {
        match self {
            Self::Implement { child, .. } => format!("implement:{child}"),
            Self::FixReviews { pull, round } => format!("fix-reviews:{pull}:{round}"),
            Self::FixConflict { pull, round } => format!("fix-conflict:{pull}:{round}"),
            Self::FixChecks { pull, head, .. } => format!("fix-checks:{pull}:{head}"),
            Self::ResolveConflict { pull } => format!("resolve-conflict:{pull}"),
            Self::Review { pull, head } => format!("review:{pull}:{head}"),
        }
    }
}

/// One unit of work for an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    /// Its id in the store.
    pub id: WorkId,
    /// The repository.
    pub repo: RepoName,
    /// What to do.
    pub task: Task,
    /// Who does it.
    pub engine: EngineName,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Attempts that ended in failure.
    pub failures: u32,
    /// Attempts that were lost with their host; they are not counted as failures.
    pub losses: u32,
    /// Where it is.
    pub state: WorkState,
}

/// Where a work item is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum WorkState {
    /// Waits for a free slot of its engine. A worker claims it.
    Queued {
        /// Not before this time (backoff after a failed attempt).
        not_before: Timestamp,
    },
    /// A worker runs an attempt. If the worker dies, the lease runs out (or the next start on the same host ends it) and the
    /// item is queued again.
    Running {
        /// The attempt.
        attempt: AttemptId,
        /// Who runs it.
        holder: Holder,
        /// Fencing token of the claim.
        token: Token,
        /// End of the lease.
        until: Timestamp,
    },
    /// Final.
    Done {
        /// How it ended.
        outcome: WorkOutcome,
        /// When.
        at: Timestamp,
    },
}

/// How a work item ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum WorkOutcome {
    /// The work is on the forge's branch.
    Published {
        /// The branch.
        branch: BranchName,
        /// Its new head.
        sha: Sha,
    },
    /// A review was written.
    Reviewed {
        /// The verdict.
        verdict: Verdict,
    },
    /// All attempts failed; the last reason.
    Failed {
        /// Why.
        reason: FailReason,
    },
    /// What it was about ended meanwhile.
    Cancelled,
}

/// A review's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good as it is.
    Approve,
    /// Threads were opened.
    Changes,
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// The engine's program is not there.
    EngineMissing,
    /// The host cannot sandbox it and the configuration does not allow it without.
    NoSandbox,
    /// It ended with an error.
    ExitCode,
    /// It was ended by a signal that was not ours.
    Signal,
    /// It ran into its time limit and was ended.
    TimedOut,
    /// It left no commit and no change.
    NoCommit,
    /// Its history does not contain the commit it started from.
    RewroteHistory,
    /// Conflict markers are left in what it changed.
    ConflictMarkers,
    /// Its branch could not be read as git objects.
    BadObjects,
    /// The merge it was to make is not in its history, or its verification failed.
    NotResolved,
    /// The verdict was missing or not of the documented shape.
    BadVerdict,
    /// The branch moved on while it worked; what it made no longer fits.
    Stale,
    /// The disk is full.
    DiskFull,
    /// The workspace could not be made.
    Workspace,
}

impl FailReason {
    /// The reason in a few words for people, with what to do where there is something.
    pub fn describe(self) -> &'static str {
        match self {
            Self::EngineMissing => "the engine's program is not installed (see `banksman doctor`)",
            Self::NoSandbox => {
                "no sandbox on this host (install bubblewrap, or set sandbox = \"off\" in the host configuration)"
            }
            Self::ExitCode => "the engine ended with an error (see its log)",
            Self::Signal => "the engine was killed (see its log)",
            Self::TimedOut => "the engine ran into its time limit",
            Self::NoCommit => "the engine changed nothing",
            Self::RewroteHistory => "the engine rewrote history",
            Self::ConflictMarkers => "conflict markers were left",
            Self::BadObjects => "the engine's branch could not be read",
            Self::NotResolved => "the conflict is not resolved",
            Self::BadVerdict => "the review gave no usable verdict",
            Self::Stale => "the branch moved on meanwhile",
            Self::DiskFull => "the disk is full",
            Self::Workspace => "the workspace could not be made",
        }
    }

    /// Whether another attempt may help. What the host lacks does not change by trying again.
    pub fn worth_retrying(self) -> bool {
        !matches!(self, Self::EngineMissing | Self::NoSandbox)
    }
}

/// How strongly an attempt was kept in its place (S12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxLevel {
    /// None: by explicit host configuration only.
    Off,
    /// Landlock and seccomp.
    Landlock,
    /// bubblewrap: namespaces, read-only system.
    Bubblewrap,
}

/// What an engine used, as far as its own output tells (Q19).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens.
    pub tokens_in: Option<u64>,
    /// Output tokens.
    pub tokens_out: Option<u64>,
    /// Cached input tokens.
    pub tokens_cached: Option<u64>,
    /// Cost in US dollars.
    pub cost_usd: Option<f64>,
    /// Model id, printable ASCII.
    pub model: Option<crate::text::Login>,
    /// Turns.
    pub turns: Option<u64>,
    /// Session id, printable ASCII.
    pub session: Option<crate::text::Login>,
}

/// What happens to a work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkEvent {
    /// A worker took it.
    Claimed {
        /// The new attempt.
        attempt: AttemptId,
        /// Who.
        holder: Holder,
        /// Token of the claim.
        token: Token,
        /// End of the lease.
        until: Timestamp,
    },
    /// Its worker is alive.
    Renewed {
        /// New end of the lease.
        until: Timestamp,
    },
    /// Its worker is gone.
    Lost {
        /// When that was noticed.
        at: Timestamp,
    },
    /// An attempt failed and another one follows.
    Retried {
        /// Not before.
        not_before: Timestamp,
    },
    /// It ended.
    Finished {
        /// How.
        outcome: WorkOutcome,
        /// When.
        at: Timestamp,
    },
}

/// A transition that the graph does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a work item that is {state} cannot take the event {event}")]
pub struct IllegalWork {
    /// Name of the state.
    pub state: &'static str,
    /// Name of the event.
    pub event: &'static str,
}

impl WorkState {
    /// Name of the state.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Running { .. } => "running",
            Self::Done { .. } => "done",
        }
    }

    /// The one function that owns every transition (I6).
    pub fn next(&self, event: WorkEvent) -> Result<Self, IllegalWork> {
        use {WorkEvent as E, WorkState as S};
        match (self, event) {
            (S::Queued { .. }, E::Claimed { attempt, holder, token, until }) => {
                Ok(S::Running { attempt, holder, token, until })
            }
            (S::Running { attempt, holder, token, .. }, E::Renewed { until }) => {
                Ok(S::Running { attempt: *attempt, holder: holder.clone(), token: *token, until })
            }
            (S::Running { .. }, E::Lost { at }) => Ok(S::Queued { not_before: at }),
            (S::Running { .. }, E::Retried { not_before }) => Ok(S::Queued { not_before }),
            (S::Queued { .. } | S::Running { .. }, E::Finished { outcome, at }) => {
                Ok(S::Done { outcome, at })
            }
            (state, event) => Err(IllegalWork { state: state.name(), event: event.name() }),
        }
    }
}

impl WorkEvent {
    /// Name of the event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "claimed",
            Self::Renewed { .. } => "renewed",
            Self::Lost { .. } => "lost",
            Self::Retried { .. } => "retried",
            Self::Finished { .. } => "finished",
        }
    }
}

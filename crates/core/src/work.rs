//! Work for engines: the tasks of the pipeline, and how an attempt ends. Jobs are in [`crate::job`].

use crate::{
    id::Number,
    say::Instruction,
    text::{BranchName, JobName, Sha},
};
use serde::{Deserialize, Serialize};

/// What the pipeline wants an engine to do.
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

impl Task {
    /// The name of its job: the key, with dashes for colons, cut off where it is too long for a name.
    pub fn name(&self) -> JobName {
        let mut name = self.key().replace(':', "-");
        name.truncate(60);
        #[expect(clippy::expect_used, reason = "a key is lower-case ASCII words, numbers and object ids")]
        JobName::new(&name).expect("the name of a task is valid")
    }
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
    /// The reviewer wanted changes more often than there are fix rounds.
    ChangesWanted,
    /// A command of `verify` failed more often than there are fix rounds.
    VerifyFailed,
    /// A job that it depends on failed or was cancelled.
    Dependency,
    /// The folder it is to run in is not there.
    NoFolder,
    /// The folder it is to run in has the home of Banksman or of the user in it, which no sandbox gets.
    HomeInFolder,
    /// Its base is not in the repository.
    NoBase,
    /// The branch it is to land on exists with other work, or is checked out.
    BranchTaken,
    /// It asks for `yolo` outside a sandbox, which the configuration does not allow.
    YoloRefused,
    /// It used more than its `max-cost` or `max-tokens`.
    OverBudget,
    /// Too many workers ended while they had it.
    LostTooOften,
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
            Self::ChangesWanted => "the reviewer still wants changes after the last fix round",
            Self::VerifyFailed => "verify still fails after the last fix round (see its log)",
            Self::Dependency => "a job it depends on failed or was cancelled",
            Self::NoFolder => "the folder of its `cwd` is not on this host, or may not be entered",
            Self::HomeInFolder => {
                "the folder of its `cwd` has the home of the user or of Banksman in it, which no sandbox gets (name a folder below)"
            }
            Self::NoBase => "its `base` is no revision of the repository",
            Self::BranchTaken => "the branch it is to land on has other work or is checked out",
            Self::YoloRefused => {
                "`yolo` outside a sandbox is refused (install bubblewrap, or set unattended = \"always\" for the engine)"
            }
            Self::OverBudget => "it used more than its max-cost or max-tokens",
            Self::LostTooOften => {
                "worker after worker ended while it ran: it may be what ends them (see its log, then `banksman retry`)"
            }
        }
    }

    /// Whether it says something about the host and nothing about the job: another host may do better.
    pub fn is_of_the_host(self) -> bool {
        matches!(self, Self::EngineMissing | Self::NoSandbox | Self::NoFolder | Self::HomeInFolder)
    }

    /// Whether another attempt may help. What the host lacks does not change by trying again.
    pub fn worth_retrying(self) -> bool {
        !matches!(
            self,
            Self::EngineMissing
                | Self::NoSandbox
                | Self::ChangesWanted
                | Self::VerifyFailed
                | Self::Dependency
                | Self::NoFolder
                | Self::HomeInFolder
                | Self::NoBase
                | Self::BranchTaken
                | Self::YoloRefused
                | Self::OverBudget
                | Self::LostTooOften
        )
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

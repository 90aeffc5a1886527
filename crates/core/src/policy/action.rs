//! The closed lists: what may be done next, why nothing is done, why a person is called.

use crate::{id::ThreadId, text::Sha};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What to do next with a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// It ended: write the outcome (row 1).
    Resolve,
    /// Nothing now.
    Wait {
        /// Why.
        reason: WaitReason,
    },
    /// Ask the implementer to answer the reviews.
    RequestReviewFix,
    /// Ask the implementer to remove the conflict.
    RequestConflictFix,
    /// Resolve the threads that a newer commit answers.
    ResolveThreads {
        /// Those.
        threads: Vec<ThreadId>,
    },
    /// Merge the base into the head branch on the forge.
    UpdateBranch {
        /// The evaluated head.
        head: Sha,
    },
    /// Let the forge merge once it can.
    EnableAutoMerge {
        /// The evaluated head.
        head: Sha,
    },
    /// Merge now.
    Merge {
        /// The evaluated head: the forge refuses any other (S10).
        head: Sha,
    },
    /// Remove the conflict here: git first, then an engine (X7).
    ResolveConflict,
    /// Call a person and skip the child (X8).
    Escalate {
        /// Why.
        reason: EscalateReason,
    },
}

/// The names of all actions, those around a pull request included; what is recorded for learning (70-training.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the closed list of 50-execute.md in its own words")]
pub enum ActionKind {
    Resolve,
    Wait,
    RequestReviewFix,
    RequestConflictFix,
    ResolveThreads,
    UpdateBranch,
    EnableAutoMerge,
    Merge,
    ResolveConflict,
    Escalate,
    Dispatch,
    TickParent,
    CloseChild,
    MergeEpic,
}

impl ActionKind {
    /// The word of the closed list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Wait => "wait",
            Self::RequestReviewFix => "request_review_fix",
            Self::RequestConflictFix => "request_conflict_fix",
            Self::ResolveThreads => "resolve_threads",
            Self::UpdateBranch => "update_branch",
            Self::EnableAutoMerge => "enable_auto_merge",
            Self::Merge => "merge",
            Self::ResolveConflict => "resolve_conflict",
            Self::Escalate => "escalate",
            Self::Dispatch => "dispatch",
            Self::TickParent => "tick_parent",
            Self::CloseChild => "close_child",
            Self::MergeEpic => "merge_epic",
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Action {
    /// Its name.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Resolve => ActionKind::Resolve,
            Self::Wait { .. } => ActionKind::Wait,
            Self::RequestReviewFix => ActionKind::RequestReviewFix,
            Self::RequestConflictFix => ActionKind::RequestConflictFix,
            Self::ResolveThreads { .. } => ActionKind::ResolveThreads,
            Self::UpdateBranch { .. } => ActionKind::UpdateBranch,
            Self::EnableAutoMerge { .. } => ActionKind::EnableAutoMerge,
            Self::Merge { .. } => ActionKind::Merge,
            Self::ResolveConflict => ActionKind::ResolveConflict,
            Self::Escalate { .. } => ActionKind::Escalate,
        }
    }
}

/// Why nothing is done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// The author has not finished it.
    Draft,
    /// The forge has not computed yet whether it merges.
    MergeabilityUnknown,
    /// A person was called and nothing changed since.
    Escalated,
    /// The implementer was asked about the reviews.
    ReviewFixAsked,
    /// The implementer was asked about the conflict.
    ConflictFixAsked,
    /// Banksman is resolving the conflict itself.
    ResolvingConflict,
    /// Checks have not ended.
    ChecksPending,
    /// A check is red; the implementer sees it too.
    ChecksFailing,
    /// There is no check at all, which is not green (S10).
    NoChecks,
    /// Approval is missing or changes are asked for.
    ReviewRequired,
    /// The forge merges by itself.
    AutoMergeArmed,
    /// The forge blocks it for a reason that the signals do not name.
    Blocked,
}

impl WaitReason {
    /// The reason in a few words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::MergeabilityUnknown => "mergeability not computed yet",
            Self::Escalated => "needs a person",
            Self::ReviewFixAsked => "asked to fix the reviews",
            Self::ConflictFixAsked => "asked to fix the conflict",
            Self::ResolvingConflict => "resolving the conflict",
            Self::ChecksPending => "checks pending",
            Self::ChecksFailing => "checks failing",
            Self::NoChecks => "no checks at all",
            Self::ReviewRequired => "review required",
            Self::AutoMergeArmed => "merges by itself",
            Self::Blocked => "blocked by the forge",
        }
    }
}

/// Why a person is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalateReason {
    /// Review requests are used up.
    ReviewLimit,
    /// The conflict outlived the requests and Banksman's own attempt.
    ConflictUnresolved,
    /// Checks stayed red or undecided too long without a new commit.
    ChecksRed,
    /// The implementer's attempts ended without a pull request.
    AttemptsFailed,
    /// The hosted agent that was handed the issue opened no pull request.
    NoPull,
    /// The pull request was closed without a merge.
    PullClosed,
    /// The forge keeps refusing a step.
    Refused,
}

impl EscalateReason {
    /// The reason in a few words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::ReviewLimit => "reviews still open after the last request",
            Self::ConflictUnresolved => "merge conflict not resolved",
            Self::ChecksRed => "checks stayed red",
            Self::AttemptsFailed => "no attempt gave a pull request",
            Self::NoPull => "the hosted agent opened no pull request",
            Self::PullClosed => "the pull request was closed",
            Self::Refused => "the forge keeps refusing a step",
        }
    }
}

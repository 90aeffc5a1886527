//! Why an action was taken: one closed list for waiting, escalating and all rows of the table.

use crate::policy::{Action, Decision, EscalateReason, WaitReason};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Makes the enum with its words.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $word:literal,)+) => {
        /// Why an action was taken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// The closed list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }

        impl FromStr for Reason {
            type Err = UnknownReason;
            fn from_str(word: &str) -> Result<Self, UnknownReason> {
                match word { $($word => Ok(Self::$name),)+ _ => Err(UnknownReason) }
            }
        }
    };
}

reasons! {
    /// The author has not finished it.
    Draft "draft",
    /// The forge has not computed yet whether it merges.
    MergeabilityUnknown "mergeability_unknown",
    /// A person was called and nothing changed since.
    Escalated "escalated",
    /// The implementer was asked about the reviews.
    ReviewFixAsked "review_fix_asked",
    /// The implementer was asked about the conflict.
    ConflictFixAsked "conflict_fix_asked",
    /// Banksman is resolving the conflict itself.
    ResolvingConflict "resolving_conflict",
    /// Checks have not ended.
    ChecksPending "checks_pending",
    /// A check is red.
    ChecksFailing "checks_failing",
    /// There is no check at all.
    NoChecks "no_checks",
    /// Approval is missing or changes are asked for.
    ReviewRequired "review_required",
    /// The forge merges by itself.
    AutoMergeArmed "auto_merge_armed",
    /// The forge blocks it for a reason that the signals do not name.
    Blocked "blocked",
    /// Review requests are used up.
    ReviewLimit "review_limit",
    /// The conflict outlived the requests and Banksman's own attempt.
    ConflictUnresolved "conflict_unresolved",
    /// Checks stayed red or undecided too long.
    ChecksRed "checks_red",
    /// The implementer's attempts ended without a pull request.
    AttemptsFailed "attempts_failed",
    /// The hosted agent that was handed the issue opened no pull request.
    NoPull "no_pull",
    /// The pull request was closed without a merge.
    PullClosed "pull_closed",
    /// The forge keeps refusing a step.
    Refused "refused",
    /// It was merged or closed.
    Ended "ended",
    /// A newer commit answers the threads.
    ThreadsAnswered "threads_answered",
    /// Threads are open and nobody was asked.
    ThreadsOpen "threads_open",
    /// Threads are open and the time to answer is over.
    ReviewResponseOver "review_response_over",
    /// It conflicts with its base.
    Conflict "conflict",
    /// It conflicts, and the requests are used up.
    ConflictLimit "conflict_limit",
    /// It is behind its base.
    Behind "behind",
    /// The forge offers to merge it by itself.
    AutoMergeOffered "auto_merge_offered",
    /// All green, reviewed and up to date.
    Ready "ready",
    /// A person or a script did it.
    Manual "manual",
}

/// A word that is none of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason of the closed list")]
pub struct UnknownReason;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Reason {
    /// Why the policy decided so.
    pub fn of(decision: &Decision) -> Self {
        match &decision.action {
            Action::Wait { reason } => (*reason).into(),
            Action::Escalate { reason } => (*reason).into(),
            Action::Resolve => Self::Ended,
            Action::RequestReviewFix if decision.row == 7 => Self::ReviewResponseOver,
            Action::RequestReviewFix => Self::ThreadsOpen,
            Action::RequestConflictFix => Self::Conflict,
            Action::ResolveThreads { .. } => Self::ThreadsAnswered,
            Action::UpdateBranch { .. } => Self::Behind,
            Action::EnableAutoMerge { .. } => Self::AutoMergeOffered,
            Action::Merge { .. } => Self::Ready,
            Action::ResolveConflict => Self::ConflictLimit,
        }
    }
}

impl From<WaitReason> for Reason {
    fn from(reason: WaitReason) -> Self {
        match reason {
            WaitReason::Draft => Self::Draft,
            WaitReason::MergeabilityUnknown => Self::MergeabilityUnknown,
            WaitReason::Escalated => Self::Escalated,
            WaitReason::ReviewFixAsked => Self::ReviewFixAsked,
            WaitReason::ConflictFixAsked => Self::ConflictFixAsked,
            WaitReason::ResolvingConflict => Self::ResolvingConflict,
            WaitReason::ChecksPending => Self::ChecksPending,
            WaitReason::ChecksFailing => Self::ChecksFailing,
            WaitReason::NoChecks => Self::NoChecks,
            WaitReason::ReviewRequired => Self::ReviewRequired,
            WaitReason::AutoMergeArmed => Self::AutoMergeArmed,
            WaitReason::Blocked => Self::Blocked,
        }
    }
}

impl From<EscalateReason> for Reason {
    fn from(reason: EscalateReason) -> Self {
        match reason {
            EscalateReason::ReviewLimit => Self::ReviewLimit,
            EscalateReason::ConflictUnresolved => Self::ConflictUnresolved,
            EscalateReason::ChecksRed => Self::ChecksRed,
            EscalateReason::AttemptsFailed => Self::AttemptsFailed,
            EscalateReason::NoPull => Self::NoPull,
            EscalateReason::PullClosed => Self::PullClosed,
            EscalateReason::Refused => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert!("because".parse::<Reason>().is_err());
    }
}

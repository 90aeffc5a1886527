//! Where a job is, and the one function that moves it (Q6).
//!
//! ```text
//! inbox -> building -> review -> testing -> shipped
//!             ^  \        |  \      |  \--> failed
//!             |   \       |   \-----|-----> failed
//!             |    \------|---------|-----> failed
//!             \-----------/---------/          (changes, a failed verify, another attempt)
//! any stage that is not final -> cancelled;  inbox -> failed (a dependency failed)
//! ```

use super::Why;
use crate::{
    id::{AttemptId, Token},
    text::{BranchName, Holder, Sha},
    work::{FailReason, Verdict},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a job is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of 00-overview.md")]
pub enum Stage {
    Inbox,
    Building,
    Review,
    Testing,
    Shipped,
    Failed,
    Cancelled,
}

impl Stage {
    /// All stages, in the order of the way.
    pub const ALL: [Self; 7] = [
        Self::Inbox,
        Self::Building,
        Self::Review,
        Self::Testing,
        Self::Shipped,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Building => "building",
            Self::Review => "review",
            Self::Testing => "testing",
            Self::Shipped => "shipped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing leads out of it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Shipped | Self::Failed | Self::Cancelled)
    }
}

/// A worker's hold on a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The attempt.
    pub attempt: AttemptId,
    /// Who runs it.
    pub holder: Holder,
    /// Fencing token of the claim.
    pub token: Token,
    /// End of the lease.
    pub until: Timestamp,
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum JobState {
    /// Never claimed. A worker claims it when everything it waits for is there; nothing runs.
    Inbox {
        /// Earliest start.
        not_before: Timestamp,
    },
    /// In stage `building`, between two attempts. A worker claims it; nothing runs.
    Waiting {
        /// Not before this time (backoff, or the end of a quota's window).
        not_before: Timestamp,
    },
    /// The engine works. If its worker dies, the attempt is lost and the job waits for another one; so in the two stages below.
    Building(Held),
    /// A second engine looks at what was built.
    Review(Held),
    /// The commands of `verify` run.
    Testing(Held),
    /// Final: the work is where it belongs.
    Shipped {
        /// When.
        at: Timestamp,
        /// What came of it.
        outcome: Outcome,
    },
    /// Final: no attempt is left.
    Failed {
        /// When.
        at: Timestamp,
        /// Why the last one failed.
        reason: FailReason,
    },
    /// Final: somebody ended it, or what it was about has ended.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// What came of a shipped job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The work is on a branch.
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
    /// It ran in its folder; there is no branch.
    Ran,
}

/// What happens to a job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobEvent {
    /// A worker took it.
    Claimed(Held),
    /// The engine is through with building.
    Built,
    /// The review is passed, or there is none (Q7).
    Approved,
    /// The tests are passed, or there are none (Q7): it ships.
    Proved {
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// Review or tests send it back to building, in the same attempt (Q8).
    SentBack {
        /// [`Why::Changes`] or [`Why::Refuted`].
        why: Why,
    },
    /// The attempt is over and another one follows.
    Again {
        /// Not before.
        not_before: Timestamp,
        /// [`Why::Retried`], [`Why::Limited`], [`Why::Lost`] or [`Why::Interrupted`].
        why: Why,
    },
    /// It failed for good.
    Failed {
        /// Why.
        reason: FailReason,
        /// When.
        at: Timestamp,
    },
    /// Somebody ended it.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// A transition that the graph does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job in stage {} cannot take the event {event}", stage.as_str())]
pub struct IllegalMove {
    /// Where the job is.
    pub stage: Stage,
    /// Name of the event.
    pub event: &'static str,
}

impl JobState {
    /// The stage.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Inbox { .. } => Stage::Inbox,
            Self::Waiting { .. } | Self::Building(_) => Stage::Building,
            Self::Review(_) => Stage::Review,
            Self::Testing(_) => Stage::Testing,
            Self::Shipped { .. } => Stage::Shipped,
            Self::Failed { .. } => Stage::Failed,
            Self::Cancelled { .. } => Stage::Cancelled,
        }
    }

    /// The hold of the worker that runs it, if one does.
    pub fn held(&self) -> Option<&Held> {
        match self {
            Self::Building(held) | Self::Review(held) | Self::Testing(held) => Some(held),
            _ => None,
        }
    }

    /// Whether no worker holds it and it is not final.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Inbox { .. } | Self::Waiting { .. })
    }

    /// Whether nothing leads out of it.
    pub fn is_final(&self) -> bool {
        self.stage().is_final()
    }

    /// The one function that owns every transition (Q6, I6).
    pub fn next(&self, event: JobEvent) -> Result<Self, IllegalMove> {
        use {JobEvent as E, JobState as S};
        let illegal = IllegalMove { stage: self.stage(), event: event.name() };
        match (self, event) {
            (S::Inbox { .. } | S::Waiting { .. }, E::Claimed(held)) => Ok(S::Building(held)),
            (S::Building(held), E::Built) => Ok(S::Review(held.clone())),
            (S::Review(held), E::Approved) => Ok(S::Testing(held.clone())),
            (S::Testing(_), E::Proved { outcome, at }) => Ok(S::Shipped { at, outcome }),
            (S::Review(held) | S::Testing(held), E::SentBack { .. }) => Ok(S::Building(held.clone())),
            (S::Building(_) | S::Review(_) | S::Testing(_), E::Again { not_before, .. }) => {
                Ok(S::Waiting { not_before })
            }
            (S::Building(_) | S::Review(_) | S::Testing(_), E::Failed { reason, at }) => {
                Ok(S::Failed { at, reason })
            }
            // A job that waits can only fail because of another one.
            (
                S::Inbox { .. } | S::Waiting { .. },
                E::Failed { reason: reason @ FailReason::Dependency, at },
            ) => Ok(S::Failed { at, reason }),
            (
                S::Inbox { .. } | S::Waiting { .. } | S::Building(_) | S::Review(_) | S::Testing(_),
                E::Cancelled { at },
            ) => Ok(S::Cancelled { at }),
            _ => Err(illegal),
        }
    }
}

impl JobEvent {
    /// Name of the event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claimed(_) => "claimed",
            Self::Built => "built",
            Self::Approved => "approved",
            Self::Proved { .. } => "proved",
            Self::SentBack { .. } => "sent_back",
            Self::Again { .. } => "again",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Why the job moves, as it is recorded (Q9).
    pub fn why(&self) -> Why {
        match self {
            Self::Claimed(_) => Why::Claimed,
            Self::Built | Self::Approved | Self::Proved { .. } => Why::Passed,
            Self::SentBack { why } | Self::Again { why, .. } => *why,
            Self::Failed { reason, .. } => Why::Failed(*reason),
            Self::Cancelled { .. } => Why::Cancelled,
        }
    }
}

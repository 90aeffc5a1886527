//! The record of a job's way through the stages (Q9).

use super::Stage;
use crate::{id::AttemptId, text::Holder, work::FailReason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One transition, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The stage it left; `None`: it was added.
    pub from: Option<Stage>,
    /// The stage it entered; the same one when a failed or lost attempt is to be repeated.
    pub to: Stage,
    /// When.
    pub at: Timestamp,
    /// Which process moved it.
    pub who: Holder,
    /// Why.
    pub why: Why,
    /// The attempt during which it moved.
    pub attempt: Option<AttemptId>,
}

/// Why a job moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "reason")]
pub enum Why {
    /// It was added.
    Added,
    /// A worker took it.
    Claimed,
    /// The stage was passed, or there is nothing to do in it (Q7).
    Passed,
    /// The reviewer wants changes (Q8).
    Changes,
    /// A command of `verify` failed (Q8).
    Refuted,
    /// An attempt failed and another one follows.
    Retried(FailReason),
    /// The engine's quota is used up; not counted (Q21).
    Limited,
    /// Its worker is gone.
    Lost,
    /// Its worker is shutting down.
    Interrupted,
    /// It failed for good.
    Failed(FailReason),
    /// Somebody cancelled it.
    Cancelled,
}

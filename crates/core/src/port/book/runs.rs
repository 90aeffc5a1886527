//! Records of check runs.

use crate::{
    signals::CheckState,
    tainted::Tainted,
    text::{CheckName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The checks of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The commit.
    pub sha: Sha,
    /// Where the run is.
    pub state: RunState,
    /// Results; complete when the run is done.
    pub results: Vec<(CheckName, CheckState)>,
}

/// Where a check run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for a runner.
    Queued,
    /// A runner has it. After a crash the next start queues it again.
    Running,
    /// Final, unless somebody asks for another run.
    Done,
}

/// A check run that a runner has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunClaim {
    /// Unique per claim: a result of an earlier claim of the same run is refused.
    pub claim: u64,
    /// The commit.
    pub sha: Sha,
    /// How often it was taken, this time included.
    pub tries: u32,
}

/// The result of one check with the end of its output.
pub struct CheckLog {
    /// Which check.
    pub name: CheckName,
    /// How it ended.
    pub state: CheckState,
    /// The end of its output.
    pub log: Tainted,
    /// When it ended.
    pub at: Timestamp,
}

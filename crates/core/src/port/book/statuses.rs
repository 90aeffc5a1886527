//! Records of commit statuses: what accounts say of a commit. They are kept and shown; the embedded forge decides nothing by them.

use super::Account;
use crate::{
    id::ActorId,
    tainted::Tainted,
    text::{CheckName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    /// It could not be found out.
    Error,
    /// Not good.
    Failure,
    /// Not known yet.
    Pending,
    /// Good.
    Success,
}

/// A status to be written.
pub struct NewStatus {
    /// Of which commit.
    pub sha: Sha,
    /// Who says it.
    pub creator: ActorId,
    /// What it is about; the last one about it counts.
    pub context: CheckName,
    /// What it says.
    pub state: StatusWord,
    /// In words.
    pub description: Tainted,
    /// Where there is more about it.
    pub target: Tainted,
    /// Now.
    pub at: Timestamp,
}

/// A status.
pub struct StatusRecord {
    /// Its id.
    pub id: u64,
    /// Who says it.
    pub creator: Account,
    /// What it is about.
    pub context: CheckName,
    /// What it says.
    pub state: StatusWord,
    /// In words.
    pub description: Tainted,
    /// Where there is more about it.
    pub target: Tainted,
    /// When.
    pub at: Timestamp,
}

//! Accounts, failures and selections: what every part of the book uses.

use crate::{
    id::{ActorId, Number},
    port::Refusal,
    text::{EngineName, Login},
};
use serde::{Deserialize, Serialize};

/// Banksman's own account, the first in every book.
pub const BANKSMAN: ActorId = ActorId(1);

/// The book could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// For good; nothing was written.
    #[error("refused: {}", .0.describe())]
    Refused(Refusal),
    /// The disk is full; nothing was written.
    #[error("the disk is full")]
    Full,
    /// The database failed; the chain is in the log.
    #[error("the forge's book failed: {0}")]
    Failed(String),
}

/// Somebody with an account. Names of engines end in `[bot]` and persons cannot have such a name, so that nobody looks like
/// an engine (S10).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Banksman itself.
    Banksman,
    /// An engine: author of the pull requests of its work and of its reviews.
    Engine(EngineName),
    /// A person.
    Person(Login),
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What decisions use.
    pub id: ActorId,
    /// What people read.
    pub login: Login,
}

/// Whether something that has no state of its own is to be there: a label, a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is to be there.
    Present,
    /// It is not.
    Absent,
}

/// Which records to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// All open ones.
    Open,
    /// All of them.
    All,
    /// These.
    Numbers(Vec<Number>),
}

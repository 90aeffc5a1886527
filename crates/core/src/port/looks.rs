//! Port to what was seen of pull requests over time: the signals of every look that showed something new. The journal is told from it.

use super::StoreError;
use crate::{id::Number, signals::Signals, text::RepoName};
use jiff::Timestamp;
use std::future::Future;

/// What one look saw that the look before had not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When it was first seen like that.
    pub at: Timestamp,
    /// What was seen.
    pub signals: Signals,
}

/// What was seen over time.
pub trait Looks: Send + Sync {
    /// The looks at a pull request that showed something new, oldest first.
    fn looks(
        &self,
        repo: &RepoName,
        pull: Number,
    ) -> impl Future<Output = Result<Vec<Look>, StoreError>> + Send;
}

//! What can go wrong on the embedded forge, for people and for the port.

use crate::git::GitError;
use banksman_core::{
    port::{BookError, ForgeError, Refusal},
    text::{BranchName, RepoName},
};
use std::path::PathBuf;

/// The embedded forge could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// For good, until something changes.
    #[error("refused: {}", .0.describe())]
    Refused(Refusal),
    /// No such repository is configured.
    #[error("there is no repository {0} here (see `banksman repos`)")]
    UnknownRepo(RepoName),
    /// The repository has no such branch, or no commit at all.
    #[error("{} has no branch {branch}: commit something to it first, or name the default branch", folder.display())]
    NoDefaultBranch {
        /// The repository.
        folder: PathBuf,
        /// The branch that was named.
        branch: BranchName,
    },
    /// A text is longer than the forge takes, or a title is empty.
    #[error("the {0} is empty or too long")]
    BadLength(&'static str),
    /// The book failed.
    #[error(transparent)]
    Book(BookError),
    /// Git failed.
    #[error("{0}")]
    Git(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<GitError> for LocalError {
    fn from(error: GitError) -> Self {
        Self::Git(Box::new(error))
    }
}

impl From<BookError> for LocalError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Refused(why) => Self::Refused(why),
            error => Self::Book(error),
        }
    }
}

impl From<Refusal> for LocalError {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

impl From<LocalError> for ForgeError {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Refused(why) => Self::Refused(why),
            LocalError::UnknownRepo(_) => Self::Refused(Refusal::NotFound),
            LocalError::NoDefaultBranch { .. } => Self::Refused(Refusal::NotFound),
            LocalError::BadLength(_) => Self::Refused(Refusal::NotAllowed),
            LocalError::Book(BookError::Full) => Self::Unclear("the disk is full"),
            LocalError::Book(_) => Self::Unclear("the forge's book failed"),
            LocalError::Git(error) => {
                tracing::warn!(%error, source = ?error.source(), "git failed");
                Self::Unclear("git failed")
            }
        }
    }
}

//! What can keep a look at a repository from being finished.

use banksman_core::port::{ForgeError, StoreError};

/// A look or an attempt ended early. Nothing is lost: the next one goes on from the store and the forge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Another process holds the repository's lease.
    #[error("another process works on this repository")]
    Elsewhere,
    /// The store failed.
    #[error("the store could not be used")]
    Store(#[from] StoreError),
    /// The forge gave no clear answer, or refused what has to be there.
    #[error("the forge could not be used")]
    Forge(#[from] ForgeError),
}

impl Trouble {
    /// Whether looking again later may help without anybody doing anything.
    pub fn passes(&self) -> bool {
        match self {
            Self::Elsewhere
            | Self::Forge(ForgeError::Unclear(_) | ForgeError::Later(_))
            | Self::Store(StoreError::Fenced | StoreError::Away) => true,
            Self::Store(StoreError::Failed(_) | StoreError::Full | StoreError::Missing(_))
            | Self::Forge(ForgeError::Refused(_)) => false,
        }
    }
}

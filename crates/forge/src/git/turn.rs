//! The right to change branches and work trees: one effect at a time, whichever process makes it.

use super::{Git, GitError};
use rustix::{fs::FlockOperation, io::Errno};
use std::fs::File;

/// Held by the process that changes branches, in the repository's shared folder.
const LOCK: &str = "banksman.lock";

/// The right to change branches, until it is dropped. A process that dies drops it too, but a git that it left behind holds
/// it to its end: each changing call has the lock for its standard input.
pub(crate) struct Turn(File);

impl Turn {
    /// The lock, for a call to hold.
    pub(super) fn share(&self) -> Result<File, GitError> {
        self.0.try_clone().map_err(GitError::File)
    }
}

impl Git {
    /// Waits for the turn.
    pub(crate) async fn take_turn(&self) -> Result<Turn, GitError> {
        let path = self.folder().join(LOCK);
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::options().create(true).append(true).read(true).open(path)?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            Ok::<_, std::io::Error>(file)
        });
        locked.await.map_err(|e| GitError::File(e.into()))?.map(Turn).map_err(GitError::File)
    }

    /// Takes the turn if nobody has it.
    pub(crate) fn try_turn(&self) -> Result<Option<Turn>, GitError> {
        let path = self.folder().join(LOCK);
        let file = File::options().create(true).append(true).read(true).open(path).map_err(GitError::File)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Turn(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(GitError::File(e.into())),
        }
    }
}

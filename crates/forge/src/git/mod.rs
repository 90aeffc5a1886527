//! The user's git repository, reached through the git program and, for reading branches, through its files. Knows branches,
//! commits and work trees, and nothing of pull requests.

mod branches;
mod command;
mod commits;
mod place;
mod relation;
mod turn;
mod work_tree;

pub(crate) use branches::Heads;
pub(crate) use command::GitError;
pub(crate) use commits::Message;
pub use commits::{CommitView, FileChange, FileFate, Signature};
pub(crate) use relation::{Merged, Relation};
pub(crate) use turn::Turn;

use command::Call;
use place::Place;
use relation::Known;
use std::path::Path;

/// One repository: the folder that holds its objects and branches, shared by all its work trees.
#[derive(Debug)]
pub(crate) struct Git {
    place: Place,
    known: Known,
}

/// What became of a wish to move a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It is there now.
    Yes,
    /// It was not where it had to be; nothing changed.
    Elsewhere,
    /// A work tree that has it checked out has changes of its own, which were left alone.
    Dirty,
}

impl Git {
    /// Finds the repository of a folder: a work tree, a folder inside one, or a bare repository.
    pub(crate) fn find(folder: &Path) -> Result<Self, GitError> {
        Ok(Self { place: Place::find(folder)?, known: Known::default() })
    }

    /// Whether the git program is there and new enough (2.38: `merge-tree --write-tree`).
    pub(crate) async fn check_program(&self) -> Result<(), GitError> {
        let version = self.call(["version"]).text().await?;
        let mut parts = version.trim().trim_start_matches("git version ").split('.');
        let mut part = || parts.next().and_then(|p| p.parse::<u32>().ok()).unwrap_or(0);
        let (major, minor) = (part(), part());
        if (major, minor) >= (2, 38) { Ok(()) } else { Err(GitError::TooOld) }
    }

    /// A call of git on the shared folder, without a work tree.
    fn call<const N: usize>(&self, args: [&str; N]) -> Call {
        Call::new(&self.place.common, args)
    }

    /// The folder that holds objects and branches: what others clone and fetch from.
    pub(crate) fn folder(&self) -> &Path {
        &self.place.common
    }
}

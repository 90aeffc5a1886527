//! The embedded forge: a small GitHub over the user's own repository and a book of its own. Branches and commits are git's,
//! everything else is the book's; effects on both are ordered so that the next look heals whatever a crash left between them.

mod armed;
mod branches;
mod brief;
mod checks;
mod desk;
mod epics;
mod error;
mod find;
mod home;
mod judge;
mod look;
mod merge;
mod moves;
mod port;
mod steps;

pub use crate::git::{CommitView, FileChange, FileFate, Signature};
pub use checks::{Checked, cores_to_spare};
pub use desk::{Desk, IssueView, Leap, PullDraft, PullSummary, PullView};
pub use error::LocalError;
pub use home::{Freshness, LocalRepo};
pub use moves::Moves;

use banksman_core::{
    id::ActorId,
    port::{Book, Checker, book::Who},
    text::RepoName,
};
use home::Home;
use jiff::Timestamp;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tokio::sync::Notify;

/// Tells the time; the forge's is the server time of everything it writes.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The embedded forge over some repositories.
pub struct LocalForge<B, C> {
    book: B,
    checker: C,
    now: Now,
    homes: BTreeMap<RepoName, Home>,
    /// A check run was queued.
    queued: Notify,
}

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Opens the repositories: each folder has to be a git repository with its default branch, and git has to be there.
    pub async fn open(repos: Vec<LocalRepo>, book: B, checker: C, now: Now) -> Result<Self, LocalError> {
        let mut homes = BTreeMap::new();
        for repo in repos {
            homes.insert(repo.name.clone(), Home::open(repo).await?);
        }
        Ok(Self { book, checker, now, homes, queued: Notify::new() })
    }

    /// The repositories, ascending by name.
    pub fn repos(&self) -> impl Iterator<Item = &LocalRepo> {
        self.homes.values().map(|home| &home.rules)
    }

    /// The folder that holds the objects and branches of a repository: where engines and checks fetch from.
    pub fn git_dir(&self, repo: &RepoName) -> Result<&Path, LocalError> {
        Ok(self.home(repo)?.git.folder())
    }

    /// The book: its implementation tells when something in it changed.
    pub fn book(&self) -> &B {
        &self.book
    }

    fn home(&self, repo: &RepoName) -> Result<&Home, LocalError> {
        self.homes.get(repo).ok_or_else(|| LocalError::UnknownRepo(repo.clone()))
    }

    async fn account(&self, who: Who) -> Result<ActorId, LocalError> {
        Ok(self.book.account(&who).await?.id)
    }

    fn now(&self) -> Timestamp {
        (self.now)()
    }
}

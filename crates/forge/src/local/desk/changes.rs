//! What a pull request changes: commits and files, as people see them.

use super::{Desk, LocalError};
use crate::{
    git::{CommitView, FileChange},
    local::look::Seen,
};
use banksman_core::{
    id::Number,
    port::{
        Book, Checker, Refusal,
        book::{NewStatus, StatusRecord, StatusWord},
    },
    signals::PullState,
    tainted::Tainted,
    text::{CheckName, Sha},
};

/// Most commits of a pull request that are shown, as on GitHub.
const COMMITS: u32 = 250;
/// Most files of a change that are shown.
const FILES: usize = 300;

impl<B: Book, C: Checker> Desk<'_, B, C> {
    /// A commit.
    pub async fn commit(&self, sha: &Sha) -> Result<CommitView, LocalError> {
        Ok(self.home.git.show(sha).await?.ok_or(Refusal::NotFound)?)
    }

    /// Says something of a commit.
    pub async fn add_status(
        &self,
        sha: Sha,
        context: CheckName,
        state: StatusWord,
        description: Tainted,
        target: Tainted,
    ) -> Result<u64, LocalError> {
        self.commit(&sha).await?;
        let (creator, at) = (self.person.id, self.forge.now());
        let status = NewStatus { sha, creator, context, state, description, target, at };
        Ok(self.book().add_status(self.repo(), status).await?)
    }

    /// What accounts say of a commit, newest first.
    pub async fn statuses(&self, sha: &Sha) -> Result<Vec<StatusRecord>, LocalError> {
        Ok(self.book().statuses(self.repo(), sha).await?)
    }

    /// The commits that lead to one, newest first.
    pub async fn history(&self, head: &Sha, most: u32) -> Result<Vec<CommitView>, LocalError> {
        Ok(self.home.git.history(head, most).await?)
    }

    /// The commits of a pull request, oldest first, at most 250.
    pub async fn commits(&self, pull: Number) -> Result<Vec<CommitView>, LocalError> {
        let seen = self.forge.look_at(self.home, pull).await?;
        match self.span(&seen).await? {
            Some((fork, head)) => Ok(self.home.git.between(&fork, &head, COMMITS).await?),
            None => Ok(Vec::new()),
        }
    }

    /// The files of a pull request, at most 300.
    pub async fn files(&self, pull: Number) -> Result<Vec<FileChange>, LocalError> {
        let seen = self.forge.look_at(self.home, pull).await?;
        match self.span(&seen).await? {
            Some((fork, head)) => {
                let mut files = self.home.git.files(&fork, &head).await?;
                files.truncate(FILES);
                Ok(files)
            }
            None => Ok(Vec::new()),
        }
    }

    /// The patch of one file of a pull request.
    pub async fn file_patch(&self, pull: Number, path: &Tainted) -> Result<Tainted, LocalError> {
        let seen = self.forge.look_at(self.home, pull).await?;
        let (fork, head) = self.span(&seen).await?.ok_or(Refusal::Nothing)?;
        Ok(self.home.git.file_patch(&fork, &head, path).await?)
    }

    /// From where to where the change of a pull request goes; `None`: the two have nothing in common.
    async fn span(&self, seen: &Seen) -> Result<Option<(Sha, Sha)>, LocalError> {
        let head = seen.record.head.sha.clone();
        let fork = match (&seen.record.state, &seen.now) {
            (PullState::Open, Some(now)) => now.relation.fork.clone(),
            // What it was merged onto is the first parent of what the merge made.
            (PullState::Merged { commit, .. }, _) => {
                let made = self.home.git.show(commit).await?.ok_or(Refusal::NotFound)?;
                match made.parents.first() {
                    Some(base) => self.home.git.relate(&head, base).await?.fork,
                    None => None,
                }
            }
            (PullState::Open | PullState::Closed { .. }, _) => {
                match self.home.git.head(&seen.record.base).await? {
                    Some(base) => self.home.git.relate(&head, &base).await?.fork,
                    None => None,
                }
            }
        };
        Ok(fork.map(|fork| (fork, head)))
    }
}

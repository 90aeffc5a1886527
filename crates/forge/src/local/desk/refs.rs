//! Branches as a person moves them from outside, without git.

use super::{Desk, LocalError};
use crate::git::Moved;
use banksman_core::{
    port::{Book, Checker, Refusal},
    text::{BranchName, Sha},
};

/// Whether a branch may be set to a commit that does not contain where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leap {
    /// Only forward.
    Forward,
    /// Anywhere.
    Anywhere,
}

impl<B: Book, C: Checker> Desk<'_, B, C> {
    /// The head of a branch.
    pub async fn head(&self, branch: &BranchName) -> Result<Option<Sha>, LocalError> {
        Ok(self.home.git.head(branch).await?)
    }

    /// Makes a branch at a commit; one that is there is refused.
    pub async fn create_branch_at(&self, branch: &BranchName, at: &Sha) -> Result<(), LocalError> {
        let turn = self.home.take_turn().await?;
        if self.home.git.show(at).await?.is_none() {
            return Err(Refusal::Nothing.into());
        }
        if self.home.git.head(branch).await?.is_some() {
            return Err(Refusal::NotAllowed.into());
        }
        match self.home.git.create(&turn, branch, at).await? {
            Moved::Yes => Ok(()),
            Moved::Elsewhere | Moved::Dirty => Err(Refusal::NotAllowed.into()),
        }
    }

    /// Sets a branch to a commit. The default branch is moved by merges alone.
    pub async fn move_branch(&self, branch: &BranchName, to: &Sha, leap: Leap) -> Result<(), LocalError> {
        if *branch == self.home.rules.default_branch {
            return Err(Refusal::NotAllowed.into());
        }
        {
            let turn = self.home.take_turn().await?;
            let from = self.home.git.head(branch).await?.ok_or(Refusal::NotFound)?;
            if self.home.git.show(to).await?.is_none() {
                return Err(Refusal::Nothing.into());
            }
            if leap == Leap::Forward && !self.home.git.contains(to, &from).await? {
                return Err(Refusal::HeadMoved.into());
            }
            match self.home.git.advance(&turn, branch, &from, to).await? {
                Moved::Yes => {}
                Moved::Elsewhere => return Err(Refusal::HeadMoved.into()),
                Moved::Dirty => return Err(Refusal::WorkTreeDirty.into()),
            }
        }
        self.forge.pushed(self.repo()).await
    }
}

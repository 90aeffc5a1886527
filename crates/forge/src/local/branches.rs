//! Branches: made, deleted, and put in order after a merge.

use super::{LocalError, LocalForge, home::Home};
use crate::git::{Moved, Turn};
use banksman_core::{
    port::{Book, Checker, Refusal},
    text::{BranchName, Sha},
};

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Makes a branch at the head of the default branch; one that is there stays where it is.
    pub(super) async fn create_branch(
        &self,
        home: &Home,
        turn: &Turn,
        branch: &BranchName,
    ) -> Result<Sha, LocalError> {
        let heads = home.git.heads().await?;
        if let Some(there) = heads.get(branch) {
            return Ok(there.clone());
        }
        let at = heads.get(&home.rules.default_branch).ok_or(Refusal::NotFound)?;
        match home.git.create(turn, branch, at).await? {
            Moved::Yes => Ok(at.clone()),
            Moved::Elsewhere | Moved::Dirty => {
                home.git.head(branch).await?.ok_or(LocalError::Refused(Refusal::NotFound))
            }
        }
    }

    /// Deletes a branch that is at that commit, or, with `None`, has nothing that the default branch lacks. One that moved on or
    /// is checked out somewhere is kept. Open pull requests into it move to the default branch first.
    pub(super) async fn delete_branch(
        &self,
        home: &Home,
        turn: &Turn,
        branch: &BranchName,
        at: Option<&Sha>,
    ) -> Result<Gone, LocalError> {
        let default = &home.rules.default_branch;
        if branch == default {
            return Err(Refusal::NotAllowed.into());
        }
        let heads = home.git.heads().await?;
        if let Some(now) = heads.get(branch) {
            let wanted = match at {
                Some(at) => at == now,
                None => match heads.get(default) {
                    Some(main) => home.git.contains(main, now).await?,
                    None => false,
                },
            };
            if !wanted || home.git.is_checked_out(branch).await? {
                return Ok(Gone::Kept);
            }
        }
        self.book.retarget(&home.rules.name, branch, default, self.now()).await?;
        let Some(now) = heads.get(branch) else { return Ok(Gone::Yes) };
        Ok(match home.git.delete(turn, branch, now).await? {
            Moved::Yes => Gone::Yes,
            Moved::Elsewhere | Moved::Dirty => Gone::Kept,
        })
    }

    /// Deletes head branches of merged pull requests. Somebody else's turn is not waited for: whoever has it, or the next look,
    /// does it.
    pub(super) async fn tidy(&self, home: &Home) -> Result<(), LocalError> {
        if self.book.untidy(&home.rules.name).await?.is_empty() {
            return Ok(());
        }
        match home.try_turn()? {
            Some(turn) => self.tidy_in(home, &turn).await,
            None => Ok(()),
        }
    }

    /// Deletes head branches of merged pull requests in one's own turn.
    pub(super) async fn tidy_in(&self, home: &Home, turn: &Turn) -> Result<(), LocalError> {
        for (pull, branch, merged) in self.book.untidy(&home.rules.name).await? {
            self.delete_branch(home, turn, &branch, Some(&merged)).await?;
            self.book.tidied(&home.rules.name, pull).await?;
        }
        Ok(())
    }
}

/// Whether a branch is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is.
    Yes,
    /// It was left alone.
    Kept,
}

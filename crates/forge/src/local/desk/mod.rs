//! What a person does on the embedded forge: everything that a small GitHub offers, in the name of one actor.

mod changes;
mod issues;
mod labels;
mod pulls;
mod refs;

pub use issues::IssueView;
pub use pulls::{PullDraft, PullSummary, PullView};
pub use refs::Leap;

use super::{LocalError, LocalForge, home::Home};
use banksman_core::{
    id::Number,
    port::{
        Book, Checker,
        book::{Account, Presence, Select, Who},
    },
    tainted::Tainted,
    text::{BranchName, Label, Login, RepoName, Sha},
};

/// Most bytes of a title.
const TITLE: usize = 1024;
/// Most bytes of a body or comment.
const BODY: usize = 4 << 20;

/// One person at one repository.
pub struct Desk<'f, B, C> {
    forge: &'f LocalForge<B, C>,
    home: &'f Home,
    person: Account,
}

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// The desk of a person at a repository; an account is made at the first time. Names of bots are refused.
    pub async fn desk(&self, repo: &RepoName, person: Login) -> Result<Desk<'_, B, C>, LocalError> {
        self.desk_of(repo, &Who::Person(person)).await
    }

    /// The desk of any account: Banksman's own and those of engines too, for whoever can prove to be them.
    pub async fn desk_of(&self, repo: &RepoName, who: &Who) -> Result<Desk<'_, B, C>, LocalError> {
        let home = self.home(repo)?;
        let person = self.book.account(who).await?;
        Ok(Desk { forge: self, home, person })
    }

    /// The account behind a name, made at the first time.
    pub async fn account_of(&self, who: &Who) -> Result<Account, LocalError> {
        Ok(self.book.account(who).await?)
    }

    /// A number for a repository that never changes and that no other one has.
    pub async fn repo_number(&self, repo: &RepoName) -> Result<u64, LocalError> {
        Ok(self.book.repo_number(repo).await?)
    }

    /// Somebody moved branches just now: heads are recorded and their checks queued without waiting for the next look.
    pub async fn pushed(&self, repo: &RepoName) -> Result<(), LocalError> {
        self.look(self.home(repo)?, &Select::Open).await.map(drop)
    }
}

impl<B: Book, C: Checker> Desk<'_, B, C> {
    /// Who sits at it.
    pub fn person(&self) -> &Account {
        &self.person
    }

    /// Labels in use with the number of open things that carry them.
    pub async fn labels(&self) -> Result<Vec<(Label, u64)>, LocalError> {
        Ok(self.book().labels(self.repo()).await?)
    }

    /// Adds or removes a label of an issue or pull request.
    pub async fn label(&self, on: Number, label: &Label, presence: Presence) -> Result<(), LocalError> {
        Ok(self.book().set_label(self.repo(), on, label, presence, self.forge.now()).await?)
    }

    /// Branches with their heads, ascending. Names that are not of Banksman's shape are left out.
    pub async fn branches(&self) -> Result<Vec<(BranchName, Sha)>, LocalError> {
        Ok(self.home.git.heads().await?.into_iter().collect())
    }

    /// Makes a branch at the head of the default branch.
    pub async fn create_branch(&self, branch: &BranchName) -> Result<Sha, LocalError> {
        let turn = self.home.take_turn().await?;
        self.forge.create_branch(self.home, &turn, branch).await
    }

    /// Deletes a branch that is at that commit. The default branch is refused, one that is checked out or moved on as well.
    pub async fn delete_branch(&self, branch: &BranchName, at: &Sha) -> Result<(), LocalError> {
        use super::branches::Gone;
        use banksman_core::port::Refusal;
        let turn = self.home.take_turn().await?;
        if self.home.git.head(branch).await?.is_none() {
            return Err(Refusal::NotFound.into());
        }
        match self.forge.delete_branch(self.home, &turn, branch, Some(at)).await? {
            Gone::Yes => Ok(()),
            Gone::Kept if self.home.git.head(branch).await?.as_ref() != Some(at) => {
                Err(Refusal::HeadMoved.into())
            }
            Gone::Kept => Err(Refusal::NotAllowed.into()),
        }
    }

    fn book(&self) -> &B {
        &self.forge.book
    }

    fn repo(&self) -> &RepoName {
        &self.home.rules.name
    }
}

fn title(text: Tainted) -> Result<Tainted, LocalError> {
    let good = text.structure(|t| !t.trim().is_empty() && t.len() <= TITLE);
    if good { Ok(text) } else { Err(LocalError::BadLength("title")) }
}

fn body(text: Tainted) -> Result<Tainted, LocalError> {
    let good = text.structure(|t| t.len() <= BODY);
    if good { Ok(text) } else { Err(LocalError::BadLength("text")) }
}

fn words(text: Tainted) -> Result<Tainted, LocalError> {
    let good = text.structure(|t| !t.trim().is_empty() && t.len() <= BODY);
    if good { Ok(text) } else { Err(LocalError::BadLength("comment")) }
}

//! The forges of this host as one: repositories of the owner `local` are the embedded forge's, all others are GitHub's. It also remembers
//! which repositories GitHub keeps waiting or refuses, and why, for `status`.

use super::{
    books::Books,
    github::Wire,
    troubles::{Call, Troubles},
};
use banksman_core::{
    epic::Checklist,
    id::Number,
    intent::{Receipt, Step},
    port::{
        Accounted, BriefFor, Forge, ForgeError, IssueQuery, IssueText, PullQuery, Refusal, RepoFacts,
        ReviewDraft,
    },
    signals::{IssueFacts, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::Verdict,
};
use banksman_engine::EngineHost;
use banksman_forge::{github::GithubForge, local::LocalForge};
use banksman_store::book::SqliteBook;
use jiff::Timestamp;
use std::sync::Arc;

/// The embedded forge on this host.
pub(crate) type EmbeddedForge = LocalForge<SqliteBook, Arc<EngineHost>>;

/// GitHub as this host reaches it.
pub(crate) type Github = GithubForge<Wire>;

/// All forges of this host.
pub(crate) struct HostForge {
    embedded: EmbeddedForge,
    /// `None`: no repository is there.
    github: Option<Arc<Github>>,
    /// What was written there.
    books: Option<Books>,
    troubles: Troubles,
}

/// Which forge a repository belongs to.
enum Owner<'a> {
    Embedded(&'a EmbeddedForge),
    Github(&'a Github),
}

/// Whether a repository belongs to the embedded forge.
pub(crate) fn is_embedded(repo: &RepoName) -> bool {
    repo.as_str().starts_with("local/")
}

impl HostForge {
    pub(super) fn new(
        embedded: EmbeddedForge,
        github: Option<Arc<Github>>,
        books: Option<Books>,
        troubles: Troubles,
    ) -> Self {
        Self { embedded, github, books, troubles }
    }

    /// Notes how a call to GitHub ended.
    fn note(&self, repo: &RepoName, call: Call, github: &Github, error: Option<&ForgeError>) {
        self.troubles.note(repo, call, error);
        if let (Call::Effect, Some(books)) = (call, &self.books) {
            books.keep(github);
        }
    }

    /// The embedded one.
    pub(crate) fn embedded(&self) -> &EmbeddedForge {
        &self.embedded
    }

    /// GitHub, where a repository is there.
    pub(crate) fn github(&self) -> Option<&Arc<Github>> {
        self.github.as_ref()
    }

    fn owner(&self, repo: &RepoName) -> Result<Owner<'_>, ForgeError> {
        match &self.github {
            _ if is_embedded(repo) => Ok(Owner::Embedded(&self.embedded)),
            Some(github) => Ok(Owner::Github(github)),
            None => Err(ForgeError::Refused(Refusal::NotFound)),
        }
    }
}

/// Sends a call to the forge of its repository, and notes what GitHub refuses.
macro_rules! route {
    ($self:ident, $repo:ident, $kind:ident, $forge:ident => $call:expr) => {
        match $self.owner($repo)? {
            Owner::Embedded($forge) => $call.await,
            Owner::Github($forge) => {
                let answer = $call.await;
                $self.note($repo, Call::$kind, $forge, answer.as_ref().err());
                answer
            }
        }
    };
}

impl Forge for HostForge {
    async fn repo(&self, repo: &RepoName) -> Result<RepoFacts, ForgeError> {
        route!(self, repo, Repository, forge => forge.repo(repo))
    }

    async fn issues(&self, repo: &RepoName, query: &IssueQuery) -> Result<Vec<IssueFacts>, ForgeError> {
        route!(self, repo, Look, forge => forge.issues(repo, query))
    }

    async fn checklist(&self, repo: &RepoName, epic: Number) -> Result<Checklist, ForgeError> {
        route!(self, repo, Look, forge => forge.checklist(repo, epic))
    }

    async fn pulls(&self, repo: &RepoName, query: &PullQuery) -> Result<Vec<Signals>, ForgeError> {
        route!(self, repo, Look, forge => forge.pulls(repo, query))
    }

    async fn branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Option<Sha>, ForgeError> {
        route!(self, repo, Look, forge => forge.branch(repo, branch))
    }

    async fn brief(&self, repo: &RepoName, about: &BriefFor) -> Result<Tainted, ForgeError> {
        route!(self, repo, Look, forge => forge.brief(repo, about))
    }

    async fn audit(&self, repo: &RepoName, issue: Number) -> Result<Tainted, ForgeError> {
        route!(self, repo, Look, forge => forge.audit(repo, issue))
    }

    async fn reviewed(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        reviewer: &EngineName,
    ) -> Result<Option<Verdict>, ForgeError> {
        route!(self, repo, Look, forge => forge.reviewed(repo, pull, head, reviewer))
    }

    async fn review(&self, repo: &RepoName, draft: ReviewDraft) -> Result<(), ForgeError> {
        route!(self, repo, Effect, forge => forge.review(repo, draft))
    }

    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        route!(self, repo, Effect, forge => forge.perform(repo, step, text))
    }

    async fn find(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, ForgeError> {
        route!(self, repo, Look, forge => forge.find(repo, step, since, accounted))
    }
}

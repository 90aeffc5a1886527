//! The port: what the orchestrator sees of GitHub.

use super::{
    GithubForge,
    fault::{Fault, No},
    governor::Effect,
    transport::Transport,
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
use jiff::Timestamp;

impl<T: Transport> GithubForge<T> {
    /// What a refused change means for the repository as a whole: GitHub says only "no" about one that was archived meanwhile.
    async fn weigh<D>(&self, repo: &RepoName, end: Result<D, Fault>) -> Result<D, ForgeError> {
        if let Err(Fault::No(No::Forbidden)) = &end
            && let Err(Fault::Refused(reason)) = self.fresh_facts(repo).await
        {
            return Err(ForgeError::Refused(reason));
        }
        Ok(end?)
    }
}

impl<T: Transport> Forge for GithubForge<T> {
    async fn repo(&self, repo: &RepoName) -> Result<RepoFacts, ForgeError> {
        Ok(self.glance(repo).await?)
    }

    async fn issues(&self, repo: &RepoName, query: &IssueQuery) -> Result<Vec<IssueFacts>, ForgeError> {
        Ok(self.read_issues(repo, query).await?)
    }

    async fn checklist(&self, repo: &RepoName, epic: Number) -> Result<Checklist, ForgeError> {
        match self.seen_checklist(repo, epic) {
            Some(list) => Ok(list),
            None => Ok(self.read_checklist(repo, epic, Effect::Read).await?),
        }
    }

    async fn pulls(&self, repo: &RepoName, query: &PullQuery) -> Result<Vec<Signals>, ForgeError> {
        Ok(self.look(repo, query).await?)
    }

    async fn branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Option<Sha>, ForgeError> {
        match self.seen_branch(repo, branch) {
            Some(head) => Ok(head),
            None => Ok(self.head_of(repo, branch, Effect::Read).await?),
        }
    }

    async fn brief(&self, repo: &RepoName, about: &BriefFor) -> Result<Tainted, ForgeError> {
        let BriefFor::Task(task) = about;
        Ok(self.material(repo, task).await?)
    }

    async fn audit(&self, repo: &RepoName, issue: Number) -> Result<Tainted, ForgeError> {
        Ok(self.audit_text(repo, issue).await?)
    }

    async fn reviewed(
        &self,
        repo: &RepoName,
        _: Number,
        head: &Sha,
        reviewer: &EngineName,
    ) -> Result<Option<Verdict>, ForgeError> {
        Ok(self.verdict(repo, head, reviewer).await?)
    }

    async fn review(&self, repo: &RepoName, draft: ReviewDraft) -> Result<(), ForgeError> {
        let end = self.write_review(repo, draft).await;
        self.weigh(repo, end).await
    }

    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        let end = self.step(repo, step, text).await;
        self.weigh(repo, end).await
    }

    async fn find(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, ForgeError> {
        match self.find_step(repo, step, since, accounted).await {
            // Nobody may be there to be asked any more, but nothing was refused that could be settled.
            Err(Fault::No(No::Forbidden)) => Err(ForgeError::Refused(Refusal::NotAllowed)),
            end => Ok(end?),
        }
    }
}

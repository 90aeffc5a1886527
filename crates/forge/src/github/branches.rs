//! Branches and the opening of pull requests.

use super::{
    GithubForge,
    documents::{BranchHead, BranchToDelete, Titles, UpdateRefs, by_number},
    fault::{Fault, No},
    governor::Effect,
    issues::TWELVE,
    look::parts,
    rest::{Ignored, PullRest, RefRest, encoded},
    transport::{Transport, Verb},
    wire::{IssueLife, NodeId, NumberIn},
};
use banksman_core::{
    id::Number,
    intent::{Made, Receipt},
    port::Refusal,
    text::{BranchName, RepoName, Sha},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What stands for "no commit" where a reference is deleted.
const NONE: &str = "0000000000000000000000000000000000000000";

#[derive(Serialize)]
struct BranchVars<'a> {
    owner: &'a str,
    name: &'a str,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
}

#[derive(Serialize)]
struct NewRef<'a> {
    #[serde(rename = "ref")]
    reference: String,
    sha: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefUpdates<'a> {
    repository_id: &'a NodeId,
    ref_updates: [RefUpdate<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefUpdate<'a> {
    name: String,
    before_oid: &'a str,
    after_oid: &'a str,
}

#[derive(Serialize)]
struct NewPull<'a> {
    title: String,
    head: &'a str,
    base: &'a str,
    body: String,
}

#[derive(Serialize)]
struct NewBase<'a> {
    base: &'a str,
}

fn full(branch: &BranchName) -> String {
    format!("refs/heads/{branch}")
}

impl<T: Transport> GithubForge<T> {
    /// The head of a branch.
    pub(super) async fn head_of(
        &self,
        repo: &RepoName,
        branch: &BranchName,
        effect: Effect,
    ) -> Result<Option<Sha>, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = BranchVars { owner, name, reference: full(branch), branch: None };
        let data = self.caller.query(BranchHead, Some(repo), effect, &vars).await?;
        let found = data.repository.ok_or(Fault::No(No::Missing))?;
        Ok(found.reference.and_then(|reference| reference.target).and_then(|target| target.oid))
    }

    /// Makes a branch at the head of the default branch; one that is there stays where it is.
    pub(super) async fn create_branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Receipt, Fault> {
        let made = |sha| Ok(Receipt { at: self.caller.server_now(), made: Made::Commit { sha } });
        if let Some(there) = self.head_of(repo, branch, Effect::Settle).await? {
            return made(there);
        }
        let head = self.fresh_facts(repo).await?.default_head;
        let new = NewRef { reference: full(branch), sha: head.as_str() };
        let answer: Result<RefRest, Fault> =
            self.send(repo, Verb::Post, "git/refs", Effect::Write, "create_branch", &new).await;
        match answer {
            Ok(reference) => made(reference.object.sha.unwrap_or(head)),
            // Somebody was faster, or it may not be made.
            Err(Fault::No(No::Invalid | No::Conflict)) => {
                match self.head_of(repo, branch, Effect::Settle).await? {
                    Some(there) => made(there),
                    None => Err(Refusal::NotAllowed.into()),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Deletes a branch that is at that commit, or, with `None`, has nothing that the default branch lacks; one that moved on is kept. Open
    /// pull requests into it move to the default branch first.
    pub(super) async fn delete_branch(
        &self,
        repo: &RepoName,
        branch: &BranchName,
        at: Option<&Sha>,
    ) -> Result<Receipt, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = BranchVars { owner, name, reference: full(branch), branch: Some(branch.as_str()) };
        let data = self.caller.query(BranchToDelete, Some(repo), Effect::Settle, &vars).await?;
        let found = data.repository.ok_or(Fault::No(No::Missing))?;
        let default = found.default_branch_ref.ok_or(Fault::No(No::Missing))?;
        let default_name = default.name.ok_or(Fault::No(No::Missing))?;
        if default_name == *branch {
            return Err(Refusal::NotAllowed.into());
        }
        let head = found.reference.and_then(|reference| reference.target).and_then(|target| target.oid);
        if let Some(head) = &head {
            let wanted = match at {
                Some(at) => at == head,
                None => default.compare.is_some_and(|compared| compared.ahead_by == 0),
            };
            if !wanted {
                return Ok(self.change());
            }
        }
        for pull in found.pull_requests.nodes {
            self.retarget(repo, &pull, &default_name).await?;
        }
        if found.pull_requests.page_info.has_next_page {
            // The next try takes the next hundred.
            return Err(Fault::Later(self.caller.now()));
        }
        let Some(head) = head else { return Ok(self.change()) };
        self.remove(repo, &found.id, branch, &head).await?;
        Ok(self.change())
    }

    async fn retarget(&self, repo: &RepoName, pull: &NumberIn, base: &BranchName) -> Result<(), Fault> {
        let Some(number) = pull.number else { return Ok(()) };
        let new = NewBase { base: base.as_str() };
        let path = format!("pulls/{number}");
        let moved: Result<Ignored, Fault> =
            self.send(repo, Verb::Patch, &path, Effect::Write, "retarget", &new).await;
        match moved {
            // One that cannot go there (another one goes there from the same branch) is left to GitHub, which closes it.
            Ok(_) | Err(Fault::No(No::Invalid)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Deletes a branch that is at that commit; whatever happened to it meanwhile, it is left alone then.
    pub(super) async fn remove(
        &self,
        repo: &RepoName,
        node: &NodeId,
        branch: &BranchName,
        at: &Sha,
    ) -> Result<(), Fault> {
        let update = RefUpdate { name: full(branch), before_oid: at.as_str(), after_oid: NONE };
        let input = RefUpdates { repository_id: node, ref_updates: [update] };
        let removed = self.caller.mutate(UpdateRefs, repo, Effect::Write, &input).await;
        match self.changed(repo, removed) {
            Ok(_) | Err(Fault::No(No::Invalid | No::Conflict | No::Missing)) => Ok(()),
            // Older hosts move references one by one and without a look at where they are.
            Err(Fault::No(No::Gone)) => {
                let path = format!("git/refs/heads/{branch}");
                let gone: Result<Ignored, Fault> =
                    self.send(repo, Verb::Delete, &path, Effect::Write, "delete_branch", &()).await;
                match gone {
                    Ok(_) | Err(Fault::No(No::Invalid | No::Missing)) => Ok(()),
                    Err(fault) => Err(fault),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Titles of issues for the forge slots where they go, on one line each.
    pub(super) async fn titles(
        &self,
        repo: &RepoName,
        numbers: &[Number],
    ) -> Result<BTreeMap<Number, String>, Fault> {
        let canonical = self.canonical(repo);
        let mut titles = BTreeMap::new();
        for some in numbers.chunks(TWELVE) {
            let vars = by_number::<TWELVE>(&canonical, some);
            let data = self.caller.query(Titles, Some(repo), Effect::Settle, &vars).await?;
            let found = data.repository.ok_or(Fault::No(No::Missing))?;
            for issue in found.first(some.len()) {
                let line = |title: &str| title.split_whitespace().collect::<Vec<_>>().join(" ");
                titles.insert(Number(issue.number), issue.title.structure(line));
            }
        }
        Ok(titles)
    }

    /// Opens the pull request of an issue's branch.
    pub(super) async fn open_pull(
        &self,
        repo: &RepoName,
        closes: Number,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Receipt, Fault> {
        let mut titles = self.titles(repo, &[closes]).await?;
        let title = titles.remove(&closes).ok_or(Fault::No(No::Missing))?;
        let body = format!("Closes #{closes}");
        let new = NewPull { title, head: head.as_str(), base: base.as_str(), body };
        let made: Result<PullRest, Fault> =
            self.send(repo, Verb::Post, "pulls", Effect::Content, "open_pull", &new).await;
        match made {
            Ok(pull) => Ok(opened(&pull)),
            Err(Fault::No(No::Invalid | No::Missing)) => self.why_no_pull(repo, head, base).await,
            Err(fault) => Err(fault),
        }
    }

    /// Why GitHub took no pull request: there is one already, a branch is missing, or there is nothing to merge.
    async fn why_no_pull(
        &self,
        repo: &RepoName,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Receipt, Fault> {
        let open = self.pulls_between(repo, head, base).await?;
        if let Some(there) = open.iter().find(|pull| pull.state == Some(IssueLife::Open)) {
            return Ok(opened(there));
        }
        for branch in [head, base] {
            if self.head_of(repo, branch, Effect::Settle).await?.is_none() {
                return Err(Refusal::NotFound.into());
            }
        }
        Err(Refusal::Nothing.into())
    }

    /// Pull requests from a branch of the repository into another one, newest first, open or not.
    pub(super) async fn pulls_between(
        &self,
        repo: &RepoName,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<PullRest>, Fault> {
        let canonical = self.canonical(repo);
        let from = encoded(&format!("{}:{head}", parts(&canonical).0));
        let query =
            format!("state=all&sort=created&direction=desc&head={from}&base={}", encoded(base.as_str()));
        self.list(repo, "pulls", &query, "pulls_between").await
    }
}

/// The receipt of a pull request.
pub(super) fn opened(pull: &PullRest) -> Receipt {
    Receipt { at: pull.created_at, made: Made::Pull { number: Number(pull.number) } }
}

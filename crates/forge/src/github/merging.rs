//! What moves commits: updates from the base, auto-merge, the merge queue, merges. Each names the evaluated head; when GitHub refuses, where
//! the pull request stands tells why.

use super::{
    GithubForge,
    caller::lock,
    documents::{EnableAutoMerge, Enqueue, PullStateOf, UpdateBranch},
    fault::{Fault, No},
    governor::Effect,
    look::{OneVars, parts},
    transport::{Transport, Verb},
    wire::{Life, NodeId, StateWire, actor_of, lenient},
};
use banksman_core::{
    id::{ActorId, Number},
    intent::{Made, MergeMethod, Receipt},
    port::{Offered, Refusal},
    signals::{MergeState, Mergeable},
    text::{BranchName, RepoName, Sha},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Pauses before it is looked whether an update of a branch has arrived.
const ARRIVES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updating<'a> {
    pull_request_id: &'a NodeId,
    expected_head_oid: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Arming<'a> {
    pull_request_id: &'a NodeId,
    expected_head_oid: &'a str,
    merge_method: &'static str,
}

#[derive(Serialize)]
struct Merging<'a> {
    sha: &'a str,
    merge_method: &'static str,
}

#[derive(Deserialize)]
struct MergedRest {
    #[serde(default, deserialize_with = "lenient")]
    sha: Option<Sha>,
}

/// Whether a pull request can still be worked on.
fn still_at(state: &StateWire, head: &Sha) -> Result<(), Fault> {
    match state.state {
        Life::Merged | Life::Closed => Err(Refusal::Ended.into()),
        Life::Open if state.head_ref_oid.as_ref() != Some(head) => Err(Refusal::HeadMoved.into()),
        Life::Open => Ok(()),
    }
}

impl<T: Transport> GithubForge<T> {
    /// Where a pull request stands.
    pub(super) async fn state_of(&self, repo: &RepoName, pull: Number) -> Result<StateWire, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = OneVars { owner, name, number: pull.0, after: None };
        let data = self.caller.query(PullStateOf, Some(repo), Effect::Settle, &vars).await?;
        let state = data.repository.and_then(|repository| repository.pull_request);
        state.ok_or(Fault::No(No::Missing))
    }

    /// What a refusal means, by where the pull request stands now.
    async fn why_not(&self, repo: &RepoName, pull: Number, head: &Sha) -> Fault {
        match self.state_of(repo, pull).await {
            Ok(state) => match still_at(&state, head) {
                Err(fault) => fault,
                Ok(())
                    if state.mergeable == Mergeable::Conflicting
                        || state.merge_state_status == MergeState::Dirty =>
                {
                    Refusal::Conflict.into()
                }
                Ok(()) => Refusal::NotAllowed.into(),
            },
            Err(fault) => fault,
        }
    }

    /// Merges the base into the head branch of a pull request whose head is that commit.
    pub(super) async fn update_branch(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
    ) -> Result<Receipt, Fault> {
        let me = self.me(repo).await?;
        let state = self.state_of(repo, pull).await?;
        still_at(&state, head)?;
        let input = Updating { pull_request_id: &state.id, expected_head_oid: head.as_str() };
        let updated = self.caller.mutate(UpdateBranch, repo, Effect::Write, &input).await;
        let updated = match self.changed(repo, updated) {
            Ok(updated) => updated,
            Err(Fault::No(_)) => {
                return Err(match self.why_not(repo, pull, head).await {
                    Fault::Refused(Refusal::NotAllowed) if state.merge_state_status != MergeState::Behind => {
                        Refusal::Nothing.into()
                    }
                    fault => fault,
                });
            }
            Err(fault) => return Err(fault),
        };
        let new = updated.update_pull_request_branch.and_then(|update| update.pull_request);
        let new = new.and_then(|pull| pull.head_ref_oid).filter(|new| new != head);
        if let Some(sha) = new {
            return Ok(Receipt { at: self.caller.server_now(), made: Made::Commit { sha } });
        }
        for pause in ARRIVES {
            self.caller.pause(pause).await;
            if let Some(receipt) = self.find_update(repo, pull, head, me).await? {
                return Ok(receipt);
            }
        }
        self.changed(repo, Err(Fault::Unclear("an updated branch did not arrive yet")))
    }

    /// The merge of the base that Banksman made on that head, if it is among the commits of the pull request.
    pub(super) async fn find_update(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        me: ActorId,
    ) -> Result<Option<Receipt>, Fault> {
        let commits = self.lineage(repo, pull, Effect::Settle).await?;
        let own = commits.into_iter().find(|commit| {
            commit.by == me && commit.parents.len() == 2 && commit.parents.first() == Some(head)
        });
        Ok(own.map(|commit| Receipt { at: commit.at, made: Made::Commit { sha: commit.sha } }))
    }

    /// The method that the repository allows, the wanted one if possible.
    async fn method(&self, repo: &RepoName, wanted: MergeMethod) -> Result<MergeMethod, Fault> {
        let offers = self.facts(repo).await?.offers;
        match (wanted, offers.squash, offers.merge_commit) {
            (MergeMethod::Squash, Offered::Yes, _) | (MergeMethod::Merge, Offered::Yes, Offered::No) => {
                Ok(MergeMethod::Squash)
            }
            (MergeMethod::Merge, _, Offered::Yes) | (MergeMethod::Squash, Offered::No, Offered::Yes) => {
                Ok(MergeMethod::Merge)
            }
            (_, Offered::No, Offered::No) => Err(Refusal::NotAllowed.into()),
        }
    }

    /// Switches auto-merge on. An epic's branch keeps its commits, a child's becomes one.
    pub(super) async fn enable_auto_merge(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
    ) -> Result<Receipt, Fault> {
        let state = self.state_of(repo, pull).await?;
        still_at(&state, head)?;
        let since = state.auto_merge_request.as_ref().map(|armed| armed.enabled_at);
        if let Some(since) = since {
            return Ok(Receipt { at: since.unwrap_or(state.updated_at), made: Made::Change });
        }
        let epic = |name: &BranchName| super::judge::epic_of_branch(name.as_str()).is_some();
        let wanted = match &state.head_ref_name {
            Some(name) if epic(name) => MergeMethod::Merge,
            Some(_) | None => MergeMethod::Squash,
        };
        let merge_method = match self.method(repo, wanted).await? {
            MergeMethod::Squash => "SQUASH",
            MergeMethod::Merge => "MERGE",
        };
        let input = Arming { pull_request_id: &state.id, expected_head_oid: head.as_str(), merge_method };
        let armed = self.caller.mutate(EnableAutoMerge, repo, Effect::Write, &input).await;
        match self.changed(repo, armed) {
            Ok(_) => Ok(self.change()),
            Err(Fault::No(_)) => Err(self.why_not(repo, pull, head).await),
            Err(fault) => Err(fault),
        }
    }

    /// Merges a pull request whose head is that commit, or puts it into the queue where its base has one.
    pub(super) async fn merge(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        wanted: MergeMethod,
    ) -> Result<Receipt, Fault> {
        let state = self.state_of(repo, pull).await?;
        still_at(&state, head)?;
        if let Some(entry) = &state.merge_queue_entry {
            return Ok(Receipt { at: entry.enqueued_at, made: Made::Change });
        }
        if state.is_merge_queue_enabled {
            return self.enqueue(repo, pull, head, &state.id).await;
        }
        let merge_method = match self.method(repo, wanted).await? {
            MergeMethod::Squash => "squash",
            MergeMethod::Merge => "merge",
        };
        let path = format!("pulls/{pull}/merge");
        let body = Merging { sha: head.as_str(), merge_method };
        let merged: Result<MergedRest, Fault> =
            self.send(repo, Verb::Put, &path, Effect::Write, "merge", &body).await;
        let at = self.caller.server_now();
        match merged {
            Ok(merged) => {
                self.tidy(repo, &state, head).await;
                let sha = merged.sha.ok_or(Fault::Unclear("a merge has no commit"));
                Ok(Receipt { at, made: Made::Commit { sha: self.changed(repo, sha)? } })
            }
            Err(Fault::No(_)) => Err(self.why_not(repo, pull, head).await),
            Err(fault) => Err(fault),
        }
    }

    async fn enqueue(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        id: &NodeId,
    ) -> Result<Receipt, Fault> {
        let input = Updating { pull_request_id: id, expected_head_oid: head.as_str() };
        let queued = self.caller.mutate(Enqueue, repo, Effect::Write, &input).await;
        match self.changed(repo, queued) {
            Ok(queued) => {
                let entry = queued.enqueue_pull_request.and_then(|queued| queued.merge_queue_entry);
                let at = entry.map_or_else(|| self.caller.server_now(), |entry| entry.enqueued_at);
                Ok(Receipt { at, made: Made::Change })
            }
            Err(Fault::No(_)) => Err(self.why_not(repo, pull, head).await),
            Err(fault) => Err(fault),
        }
    }

    /// Deletes the head branch of a merged pull request of our own, where GitHub does not: it is of no further use, and one that stays harms
    /// nobody.
    async fn tidy(&self, repo: &RepoName, state: &StateWire, head: &Sha) {
        let (me, deletes, node) = {
            let mut memory = lock(&self.memory);
            let known = memory.repo(repo);
            let me = known.facts.as_ref().map(|(_, facts)| facts.me);
            (me, known.deletes_heads, known.node.clone())
        };
        let own = me.is_some_and(|me| actor_of(state.author.as_ref()) == me) && !state.is_cross_repository;
        let branch = state.head_ref_name.as_ref().filter(|name| name.as_str().starts_with("agent/"));
        if let (Some(branch), Some(node), true, Some(Offered::No)) = (branch, node, own, deletes)
            && self.remove(repo, &node, branch, head).await.is_err()
        {
            tracing::debug!(%repo, "the branch of a merged pull request stays");
        }
    }
}

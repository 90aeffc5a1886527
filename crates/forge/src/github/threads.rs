//! Review threads: resolved by their node, known by the number of their first comment.

use super::{
    GithubForge,
    caller::lock,
    documents::{PullThreads, ResolveThread, ThreadOrigins, ThreadState},
    fault::{Fault, No},
    governor::Effect,
    judge::Origin,
    look::{NodeVars, OneVars, next, parts},
    transport::Transport,
    wire::{NOBODY, NodeId, actor_of},
};
use banksman_core::{
    id::{Number, ThreadId},
    intent::{Made, Receipt},
    text::RepoName,
};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resolving<'a> {
    thread_id: &'a NodeId,
}

#[derive(Serialize)]
struct IdVars<'a> {
    id: &'a NodeId,
}

impl<T: Transport> GithubForge<T> {
    /// These threads were resolved by Banksman, at some time. GitHub does not say so where it works as an app, and the client forgets it with
    /// its process: an approval that waits for them would wait for nothing.
    pub fn remember_resolved(&self, threads: impl IntoIterator<Item = ThreadId>) {
        lock(&self.memory).resolved.extend(threads);
    }

    /// Resolves a thread.
    pub(super) async fn resolve_thread(
        &self,
        repo: &RepoName,
        pull: Number,
        thread: ThreadId,
    ) -> Result<Receipt, Fault> {
        let node = self.thread_node(repo, pull, thread).await?.ok_or(Fault::No(No::Missing))?;
        let input = Resolving { thread_id: &node };
        let resolved = self.caller.mutate(ResolveThread, repo, Effect::Write, &input).await;
        self.changed(repo, resolved)?;
        lock(&self.memory).resolved.insert(thread);
        Ok(self.change())
    }

    /// Whether Banksman resolved a thread: by its account, or, as GitHub names no bot there, by none that has a name.
    pub(super) async fn find_resolved(
        &self,
        repo: &RepoName,
        pull: Number,
        thread: ThreadId,
    ) -> Result<Option<Receipt>, Fault> {
        let me = self.me(repo).await?;
        let Some(node) = self.thread_node(repo, pull, thread).await? else { return Ok(None) };
        let data = self.caller.query(ThreadState, Some(repo), Effect::Settle, &IdVars { id: &node }).await?;
        Ok(data.node.filter(|thread| thread.is_resolved).and_then(|thread| {
            let by = actor_of(thread.resolved_by.as_ref());
            (by == me || by == NOBODY)
                .then_some(Receipt { at: thread.pull_request.updated_at, made: Made::Change })
        }))
    }

    /// The node of a thread, looked up among those of its pull request when it is not remembered.
    async fn thread_node(
        &self,
        repo: &RepoName,
        pull: Number,
        thread: ThreadId,
    ) -> Result<Option<NodeId>, Fault> {
        let known = lock(&self.memory).thread_node(thread);
        if known.is_some() {
            return Ok(known);
        }
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let mut after = None;
        loop {
            let vars = OneVars { owner, name, number: pull.0, after };
            let data = self.caller.query(PullThreads, Some(repo), Effect::Settle, &vars).await?;
            let found = data.repository.and_then(|repository| repository.pull_request);
            let threads = found.ok_or(Fault::No(No::Missing))?.review_threads;
            let ids: Vec<NodeId> = threads.nodes.into_iter().map(|thread| thread.id).collect();
            after = next(&threads.page_info);
            if !ids.is_empty() {
                self.learn_threads(repo, ids, Effect::Settle).await?;
            }
            let known = lock(&self.memory).thread_node(thread);
            if known.is_some() || after.is_none() {
                return Ok(known);
            }
        }
    }

    /// Asks who threads are; at most a hundred.
    pub(super) async fn learn_threads(
        &self,
        repo: &RepoName,
        ids: Vec<NodeId>,
        effect: Effect,
    ) -> Result<(), Fault> {
        let data = self.caller.query(ThreadOrigins, Some(repo), effect, &NodeVars { ids }).await?;
        let mut memory = lock(&self.memory);
        for node in data.nodes.into_iter().flatten() {
            let first = node.comments.and_then(|comments| comments.nodes.into_iter().next());
            if let (Some(id), Some(first)) = (node.id, first)
                && let Some(number) = first.full_database_id
            {
                memory.learn_thread(id, Origin { id: ThreadId(number), created_at: first.created_at });
            }
        }
        Ok(())
    }
}

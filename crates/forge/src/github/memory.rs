//! What the client remembers between calls. All of it can be had again from GitHub: forgetting costs requests, never correctness.

use super::{
    glance::{Closed, Seen},
    judge::Origin,
    wire::NodeId,
};
use banksman_core::{
    id::{ActorId, Number, ThreadId},
    port::{Offered, RepoFacts},
    text::{Login, RepoName, Sha},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Threads, and pull requests, that are remembered; beyond it everything is forgotten and read again.
const MOST: usize = 50_000;

/// Everything remembered with one credential.
#[derive(Default)]
pub(super) struct Memory {
    /// Who threads are; it never changes.
    pub(super) origins: BTreeMap<NodeId, Origin>,
    nodes: BTreeMap<ThreadId, NodeId>,
    /// Threads that Banksman resolved since the start: GitHub does not name a bot that did.
    pub(super) resolved: BTreeSet<ThreadId>,
    /// Configured accounts, and when they were asked for; `None`: there was no such account.
    pub(super) accounts: BTreeMap<Login, (Timestamp, Option<ActorId>)>,
    pulls: BTreeMap<(RepoName, Number), PullMemory>,
    repos: BTreeMap<RepoName, RepoMemory>,
}

/// One pull request.
#[derive(Clone)]
pub(super) struct PullMemory {
    /// The head seen last.
    pub(super) head: Sha,
    /// When it was seen first, at the latest (server time).
    pub(super) first_seen: Timestamp,
    /// Heads that differ from the last one by own updates only, it included; `None`: not looked up.
    pub(super) fresh: Option<Vec<Sha>>,
    /// Issues that it is about by cross-references, and how the pull request looked when they were read.
    pub(super) about: Option<(Timestamp, Vec<Number>)>,
}

/// One repository.
#[derive(Default)]
pub(super) struct RepoMemory {
    /// Its facts, and when they were read.
    pub(super) facts: Option<(Timestamp, RepoFacts)>,
    /// Its node.
    pub(super) node: Option<NodeId>,
    /// The name that it has now, if it has another one.
    pub(super) canonical: Option<RepoName>,
    /// Head branches are deleted by GitHub after a merge.
    pub(super) deletes_heads: Option<Offered>,
    /// The host was asked for sub-issues and does not have them.
    pub(super) no_sub_issues: bool,
    /// The host was asked for dependencies and does not have them.
    pub(super) no_dependencies: bool,
    /// Which issues are blocked, and by which.
    pub(super) blocked: Option<Blocked>,
    /// The issues that were open at the last look.
    pub(super) open: Option<BTreeSet<Number>>,
    /// What the last glance saw.
    pub(super) seen: Option<Seen>,
    /// Closed issues that were read.
    pub(super) closed: BTreeMap<Number, Closed>,
    /// The host did not answer a glance; until then it is asked piece by piece.
    pub(super) piecemeal_until: Option<Timestamp>,
    /// When a change last got no clear answer (server time): it may still be under way.
    pub(super) unclear_at: Option<Timestamp>,
}

/// Dependencies between issues, read now and then.
#[derive(Clone, Default)]
pub(super) struct Blocked {
    /// When they were read.
    pub(super) at: Timestamp,
    /// The newest issue that was open then; `None`: not known yet.
    pub(super) newest: Option<u64>,
    /// Tag of the first page.
    pub(super) tag: Option<String>,
    /// Blockers that are open, by the issue that waits.
    pub(super) by: BTreeMap<Number, Vec<Number>>,
}

impl Memory {
    /// Remembers who a thread is.
    pub(super) fn learn_thread(&mut self, node: NodeId, origin: Origin) {
        if self.origins.len() >= MOST {
            self.origins.clear();
            self.nodes.clear();
        }
        self.nodes.insert(origin.id, node.clone());
        self.origins.insert(node, origin);
    }

    /// The node of a thread.
    pub(super) fn thread_node(&self, id: ThreadId) -> Option<NodeId> {
        self.nodes.get(&id).cloned()
    }

    /// Notes which head a pull request has; comes back with what is remembered about it.
    pub(super) fn saw_head(
        &mut self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        at_latest: Timestamp,
    ) -> PullMemory {
        if self.pulls.len() >= MOST {
            self.pulls.clear();
        }
        let new = || PullMemory { head: head.clone(), first_seen: at_latest, fresh: None, about: None };
        let known = self.pulls.entry((repo.clone(), pull)).or_insert_with(new);
        if known.head != *head {
            let about = known.about.take();
            *known = PullMemory { about, ..new() };
        }
        known.clone()
    }

    /// What is remembered about a pull request, to be changed.
    pub(super) fn pull(&mut self, repo: &RepoName, pull: Number) -> Option<&mut PullMemory> {
        self.pulls.get_mut(&(repo.clone(), pull))
    }

    /// What is remembered about a repository.
    pub(super) fn repo(&mut self, repo: &RepoName) -> &mut RepoMemory {
        self.repos.entry(repo.clone()).or_default()
    }
}

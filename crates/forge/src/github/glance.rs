//! One glance at a repository serves a whole look: facts, issues, checklists, branches of epics and the first pull requests come with one
//! request and one point. It is good for a moment, and for nothing any more after a change.

use super::{
    GithubForge,
    caller::lock,
    documents::Glance,
    fault::{Fault, No},
    governor::Effect,
    look::{next, parts},
    transport::Transport,
    wire::{IssueWire, NodeId, PullWire},
};
use banksman_core::{
    epic::Checklist,
    id::Number,
    port::RepoFacts,
    signals::IssueFacts,
    text::{BranchName, RepoName, Sha},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// How long a glance is good for: one look.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(30);
/// How long a host that did not answer a glance is asked piece by piece.
const PIECEMEAL: SignedDuration = SignedDuration::from_mins(15);
/// Entries of the list of what changed last.
const RECENT: usize = 20;

/// The first page of a list, and where it goes on.
pub(super) type FirstPage<E> = (Vec<E>, Option<NodeId>);

/// What a glance saw.
pub(super) struct Seen {
    /// By this host's clock.
    at: Timestamp,
    /// The first open pull requests; taken by the look that judges them.
    pub(super) pulls: Option<FirstPage<PullWire>>,
    /// The first open issues; taken likewise.
    pub(super) issues: Option<FirstPage<IssueWire>>,
    /// The open issues once they were judged.
    pub(super) open: Option<Vec<IssueFacts>>,
    checklists: BTreeMap<Number, Checklist>,
    branches: BTreeMap<BranchName, Sha>,
    /// All branches of epics are among them.
    all_branches: bool,
}

/// A closed issue that was read, and when it was last known to be so (server time).
pub(super) struct Closed {
    updated_at: Timestamp,
    known_at: Timestamp,
    facts: IssueFacts,
}

#[derive(Serialize)]
struct Vars<'a> {
    owner: &'a str,
    name: &'a str,
}

impl<T: Transport> GithubForge<T> {
    /// Glances at a repository. A host that cannot answer so much at once is asked for the facts alone.
    pub(super) async fn glance(&self, repo: &RepoName) -> Result<RepoFacts, Fault> {
        let now = self.caller.now();
        if lock(&self.memory).repo(repo).piecemeal_until.is_some_and(|until| now < until) {
            return self.facts(repo).await;
        }
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let data = match self.caller.query(Glance, Some(repo), Effect::Read, &Vars { owner, name }).await {
            Ok(data) => data,
            Err(fault @ (Fault::Unclear(_) | Fault::No(No::Gone | No::Invalid))) => {
                // An older host, or a repository that is too much for one answer.
                let facts = self.fresh_facts(repo).await.map_err(|_| fault)?;
                tracing::info!(%repo, "GitHub does not answer a glance; it is asked piece by piece");
                lock(&self.memory).repo(repo).piecemeal_until = Some(self.caller.now() + PIECEMEAL);
                return Ok(facts);
            }
            Err(fault) => return Err(fault),
        };
        let Some(found) = data.repository else {
            return self.no_repository(repo);
        };
        let (facts, rest) = found.apart();
        let facts = self.note_facts(repo, data.viewer.as_ref(), facts).await?;
        let pulls_after = next(&rest.pull_requests.page_info);
        let issues_after = next(&rest.issues.page_info);
        let seen = Seen {
            at: self.caller.now(),
            pulls: Some((rest.pull_requests.nodes, pulls_after)),
            issues: Some((rest.issues.nodes, issues_after)),
            open: None,
            checklists: rest
                .epics
                .nodes
                .into_iter()
                .map(|epic| (Number(epic.number), epic.checklist))
                .collect(),
            all_branches: !rest.refs.page_info.has_next_page,
            branches: rest
                .refs
                .nodes
                .into_iter()
                .filter_map(|head| Some((head.name?, head.target?.oid?)))
                .collect(),
        };
        let now = self.caller.server_now();
        let recent: BTreeMap<Number, Timestamp> =
            rest.recent.nodes.iter().map(|issue| (Number(issue.number), issue.updated_at)).collect();
        let oldest = recent.values().min().copied().filter(|_| recent.len() >= RECENT);
        let mut memory = lock(&self.memory);
        let known = memory.repo(repo);
        known.closed.retain(|number, closed| {
            let same = match recent.get(number) {
                Some(updated_at) => *updated_at == closed.updated_at,
                // Whatever changed since it was read would be among those that changed last.
                None => oldest.is_none_or(|oldest| oldest < closed.known_at),
            };
            closed.known_at = now;
            same
        });
        known.seen = Some(seen);
        Ok(facts)
    }

    /// What the last glance saw, if it still is good.
    pub(super) fn seen<R>(&self, repo: &RepoName, take: impl FnOnce(&mut Seen) -> Option<R>) -> Option<R> {
        let now = self.caller.now();
        let mut memory = lock(&self.memory);
        let seen = memory.repo(repo).seen.as_mut()?;
        if now.duration_since(seen.at).abs() > GOOD_FOR {
            return None;
        }
        take(seen)
    }

    /// The checklist of an epic that the glance saw.
    pub(super) fn seen_checklist(&self, repo: &RepoName, epic: Number) -> Option<Checklist> {
        self.seen(repo, |seen| seen.checklists.get(&epic).cloned())
    }

    /// Where a branch of an epic is, if the glance saw it; the inner `None`: it is not there.
    pub(super) fn seen_branch(&self, repo: &RepoName, branch: &BranchName) -> Option<Option<Sha>> {
        self.seen(repo, |seen| {
            let head = seen.branches.get(branch).cloned();
            let epic = branch.as_str().starts_with("epic/");
            (epic && (head.is_some() || seen.all_branches)).then_some(head)
        })
    }

    /// Issues that are known without asking: open ones of the glance, closed ones that did not change since they were read.
    pub(super) fn seen_issues(&self, repo: &RepoName, wanted: &[Number]) -> Vec<IssueFacts> {
        let open = self.seen(repo, |seen| {
            let open = seen.open.as_ref()?;
            Some(open.iter().filter(|issue| wanted.contains(&issue.number)).cloned().collect::<Vec<_>>())
        });
        let Some(mut known) = open else { return Vec::new() };
        let mut memory = lock(&self.memory);
        let closed = &memory.repo(repo).closed;
        known
            .extend(wanted.iter().filter_map(|number| closed.get(number)).map(|closed| closed.facts.clone()));
        known
    }

    /// Keeps closed issues that were read.
    pub(super) fn learn_closed(&self, repo: &RepoName, facts: &IssueFacts, updated_at: Timestamp) {
        if !facts.open {
            let known_at = self.caller.server_now();
            let closed = Closed { updated_at, known_at, facts: facts.clone() };
            lock(&self.memory).repo(repo).closed.insert(facts.number, closed);
        }
    }
}

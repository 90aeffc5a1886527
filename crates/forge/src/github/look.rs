//! Reads pull requests: pages of structure, then only what is missing (further pages of long lists, who a new thread is, a mergeability that
//! is still being computed), then judged. Nothing is silently cut: what is not read whole is only waited for.

use super::{
    GithubForge,
    caller::lock,
    documents::{Mergeability, OpenPulls, Paged, PullChecks, PullReviews, PullThreads, PullsByNumber},
    fault::{Fault, No},
    governor::Effect,
    judge::{Evidence, Whole},
    memory::PullMemory,
    transport::Transport,
    wire::{Context, Decision, Life, NodeId, Page, PageInfo, PullWire, ReviewWire, ThreadWire},
};
use banksman_core::{
    id::{ActorId, Number},
    port::PullQuery,
    signals::{Mergeable, Signals},
    text::{RepoName, Sha},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Pages of one long list that are read.
const PAGES: usize = 10;
/// Pages of open pull requests or issues that are read: some thousands.
pub(super) const LIST_PAGES: usize = 200;
/// Nodes asked for at once.
const NODES: usize = 100;

/// Variables of documents about a repository's list.
#[derive(Serialize)]
pub(super) struct ListVars<'a> {
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
    pub(super) after: Option<NodeId>,
}

/// Variables of documents about one numbered thing.
#[derive(Serialize)]
pub(super) struct OneVars<'a> {
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
    pub(super) number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<NodeId>,
}

#[derive(Serialize)]
pub(super) struct NodeVars {
    pub(super) ids: Vec<NodeId>,
}

/// Owner and name of a repository.
pub(super) fn parts(repo: &RepoName) -> (&str, &str) {
    repo.as_str().split_once('/').unwrap_or((repo.as_str(), ""))
}

/// The next page of a list, if it goes on.
pub(super) fn next(page: &PageInfo) -> Option<NodeId> {
    page.end_cursor.clone().filter(|_| page.has_next_page)
}

/// A pull request with all of its lists.
pub(super) struct Read {
    pub(super) pull: PullWire,
    contexts: Vec<Context>,
    threads: Vec<ThreadWire>,
    reviews: Vec<ReviewWire>,
    whole: Whole,
}

impl<T: Transport> GithubForge<T> {
    /// Reads pull requests and judges them; ascending by number.
    pub(super) async fn look(&self, repo: &RepoName, query: &PullQuery) -> Result<Vec<Signals>, Fault> {
        let me = self.me(repo).await?;
        let rules = self.settings.repo(repo);
        let mut pulls = match query {
            PullQuery::Open => self.open_pulls(repo).await?,
            PullQuery::Numbers(numbers) => self.pulls_by_number(repo, numbers).await?,
        };
        self.settle_mergeability(repo, &mut pulls).await?;
        let mut read = Vec::with_capacity(pulls.len());
        for pull in pulls {
            read.push(self.complete(repo, pull).await?);
        }
        self.learn_origins(repo, &read).await?;
        let mut remembered = Vec::with_capacity(read.len());
        for one in &read {
            remembered.push(self.remember(repo, one, me).await?);
        }
        self.link(repo, &read, &mut remembered, me, &rules).await?;
        let canonical = self.canonical(repo);
        let memory = lock(&self.memory);
        let mut signals: Vec<Signals> = read
            .into_iter()
            .zip(&remembered)
            .filter_map(|(one, known)| {
                let evidence = Evidence {
                    repo: &canonical,
                    pull: one.pull,
                    contexts: one.contexts,
                    threads: one.threads,
                    reviews: one.reviews,
                    whole: one.whole,
                    origins: &memory.origins,
                    resolved: &memory.resolved,
                    fresh: known.fresh.as_deref().unwrap_or_default(),
                    first_seen: known.first_seen,
                    about: known.about.as_ref().map_or(&[], |(_, about)| about),
                    me,
                    rules: &rules,
                };
                evidence.signals()
            })
            .collect();
        signals.sort_by_key(|signals| signals.number);
        Ok(signals)
    }

    async fn open_pulls(&self, repo: &RepoName) -> Result<Vec<PullWire>, Fault> {
        let name = self.canonical(repo);
        let (owner, name) = parts(&name);
        let seen = self.seen(repo, |seen| seen.pulls.take());
        if let Some((pulls, None)) = seen {
            return Ok(pulls);
        }
        let (mut pulls, mut after) = seen.unwrap_or_default();
        for _ in 0..LIST_PAGES {
            let vars = ListVars { owner, name, after };
            let data = self.caller.query(OpenPulls, Some(repo), Effect::Read, &vars).await?;
            let found = data.repository.ok_or(Fault::No(No::Missing))?;
            self.note_name(repo, found.name_with_owner.as_ref());
            pulls.extend(found.pull_requests.nodes);
            after = next(&found.pull_requests.page_info);
            if after.is_none() {
                return Ok(pulls);
            }
        }
        Err(Fault::Unclear("there are more open pull requests than can be read"))
    }

    async fn pulls_by_number(&self, repo: &RepoName, numbers: &[Number]) -> Result<Vec<PullWire>, Fault> {
        let name = self.canonical(repo);
        let mut pulls = Vec::with_capacity(numbers.len());
        let numbers: Vec<Number> = numbers.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        for some in numbers.chunks(5) {
            let vars = super::documents::by_number::<5>(&name, some);
            let data = self.caller.query(PullsByNumber, Some(repo), Effect::Read, &vars).await?;
            let found = data.repository.ok_or(Fault::No(No::Missing))?;
            let found = [found.p0, found.p1, found.p2, found.p3, found.p4];
            // The last number fills up the places that are left.
            pulls.extend(found.into_iter().take(some.len()).flatten());
        }
        Ok(pulls)
    }

    /// Asks again about pull requests whose mergeability is being computed, a few times with growing pauses.
    async fn settle_mergeability(&self, repo: &RepoName, pulls: &mut [PullWire]) -> Result<(), Fault> {
        let unknown = |pull: &PullWire| pull.state == Life::Open && pull.mergeable == Mergeable::Unknown;
        for pause in &self.settings.mergeability_pauses {
            let ids: Vec<NodeId> = pulls.iter().filter(|p| unknown(p)).map(|p| p.id.clone()).collect();
            if ids.is_empty() {
                return Ok(());
            }
            self.caller.pause(*pause).await;
            for ids in ids.chunks(NODES) {
                let vars = NodeVars { ids: ids.to_vec() };
                let data = self.caller.query(Mergeability, Some(repo), Effect::Read, &vars).await?;
                for node in data.nodes.into_iter().flatten() {
                    let same = |p: &&mut PullWire| {
                        Some(p.number) == node.number && p.head_ref_oid == node.head_ref_oid
                    };
                    if let Some(pull) = pulls.iter_mut().find(same) {
                        pull.mergeable = node.mergeable;
                        pull.merge_state_status = node.merge_state_status;
                        pull.viewer_can_enable_auto_merge = node.viewer_can_enable_auto_merge;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the rest of long lists.
    async fn complete(&self, repo: &RepoName, mut pull: PullWire) -> Result<Read, Fault> {
        let number = pull.number;
        let mut whole = Whole::Yes;
        let contexts = pull.status_check_rollup.as_mut().map(|rollup| std::mem::take(&mut rollup.contexts));
        let threads = std::mem::take(&mut pull.review_threads);
        let reviews = pull.latest_opinionated_reviews.take().unwrap_or_default();
        if pull.state != Life::Open {
            // Nothing is decided about it any more.
            let contexts = contexts.unwrap_or_default().nodes;
            return Ok(Read { pull, contexts, threads: threads.nodes, reviews: reviews.nodes, whole });
        }
        let head = pull.head_ref_oid.clone();
        let of = (repo, number, head.as_ref());
        let contexts = self.pages(PullChecks, of, contexts.unwrap_or_default(), &mut whole).await?;
        let threads = self.pages(PullThreads, of, threads, &mut whole).await?;
        let reviews = self.pages(PullReviews, of, reviews, &mut whole).await?;
        Ok(Read { pull, contexts, threads, reviews, whole })
    }

    /// All entries of a list whose first page is there.
    async fn pages<D: Paged>(
        &self,
        _: D,
        (repo, number, head): (&RepoName, u64, Option<&Sha>),
        first: Page<D::Entry>,
        whole: &mut Whole,
    ) -> Result<Vec<D::Entry>, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let mut after = next(&first.page_info);
        if after.is_none() && first.page_info.has_next_page {
            *whole = Whole::No;
        }
        let mut entries = first.nodes;
        for _ in 0..PAGES {
            let Some(cursor) = after.take() else { return Ok(entries) };
            let vars = OneVars { owner, name, number, after: Some(cursor) };
            let data = self.caller.query(D::NEW, Some(repo), Effect::Read, &vars).await?;
            match D::page(data, head) {
                Some(page) => {
                    after = next(&page.page_info);
                    entries.extend(page.nodes);
                }
                // It changed while it was read.
                None => *whole = Whole::No,
            }
        }
        if after.is_some() {
            *whole = Whole::No;
        }
        Ok(entries)
    }

    /// Asks who the threads are that were not seen before.
    async fn learn_origins(&self, repo: &RepoName, read: &[Read]) -> Result<(), Fault> {
        let unknown: Vec<NodeId> = {
            let memory = lock(&self.memory);
            let threads = read.iter().flat_map(|one| &one.threads);
            threads.map(|thread| &thread.id).filter(|id| !memory.origins.contains_key(*id)).cloned().collect()
        };
        for ids in unknown.chunks(NODES) {
            self.learn_threads(repo, ids.to_vec(), Effect::Read).await?;
        }
        Ok(())
    }

    /// Notes the head; looks up which heads before it differ by own updates only, where an approval may depend on it.
    async fn remember(&self, repo: &RepoName, one: &Read, me: ActorId) -> Result<PullMemory, Fault> {
        let (pull, number) = (&one.pull, Number(one.pull.number));
        let nothing = || PullMemory {
            head: one.pull.head_ref_oid.clone().unwrap_or_else(no_commit),
            first_seen: pull.updated_at,
            fresh: None,
            about: None,
        };
        let Some(head) = &pull.head_ref_oid else { return Ok(nothing()) };
        let mut known = lock(&self.memory).saw_head(repo, number, head, pull.updated_at);
        let approved_before = pull.review_decision == Some(Decision::Approved)
            && !one
                .reviews
                .iter()
                .any(|review| review.commit.as_ref().and_then(|c| c.oid.as_ref()) == Some(head));
        if pull.state == Life::Open && approved_before && known.fresh.is_none() {
            let fresh = self.own_updates(repo, number, head, me).await?;
            if let Some(memory) = lock(&self.memory).pull(repo, number).filter(|memory| memory.head == *head)
            {
                memory.fresh = Some(fresh.clone());
            }
            known.fresh = Some(fresh);
        }
        Ok(known)
    }
}

fn no_commit() -> Sha {
    #[expect(clippy::expect_used, reason = "forty zeros are an object id")]
    Sha::new(&"0".repeat(40)).expect("forty zeros are an object id")
}

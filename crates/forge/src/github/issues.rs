//! Reads issues: structure, the first word of titles, and, now and then, which issue waits for which.

use super::{
    GithubForge,
    caller::lock,
    documents::{IssuesByNumber, OpenIssues, by_number},
    fault::{Fault, No},
    governor::Effect,
    look::{LIST_PAGES, ListVars, next, parts},
    memory::Blocked,
    resource::{Fresh, Rest},
    rest::{IssueRest, PER_PAGE},
    transport::Transport,
    wire::{IssueLife, IssueWire, actor_of},
};
use banksman_core::{id::Number, port::IssueQuery, signals::IssueFacts, text::RepoName};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// How old dependencies may be while no issue is new. They are written before the work begins: by people, and with its issues by Banksman,
/// perhaps by another process than the one that dispatches.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(60);
/// Numbers in one document.
pub(super) const TWELVE: usize = 12;

impl<T: Transport> GithubForge<T> {
    /// Reads issues; ascending by number, pull requests are not among them.
    pub(super) async fn read_issues(
        &self,
        repo: &RepoName,
        query: &IssueQuery,
    ) -> Result<Vec<IssueFacts>, Fault> {
        let (known, wires) = match query {
            IssueQuery::Open => (Vec::new(), self.open_issues(repo).await?),
            IssueQuery::Numbers(numbers) => {
                let known = self.seen_issues(repo, numbers);
                let unknown = |number: &&Number| !known.iter().any(|issue| issue.number == **number);
                let missing: Vec<Number> = numbers.iter().filter(unknown).copied().collect();
                let wires = self.issues_by_number(repo, &missing, Effect::Read).await?;
                (known, wires)
            }
        };
        let newest = (*query == IssueQuery::Open)
            .then(|| wires.iter().map(|wire| wire.number).max().unwrap_or_default());
        let mut blocked = self.blocked(repo, newest).await?;
        {
            let mut memory = lock(&self.memory);
            let open = &mut memory.repo(repo).open;
            if *query == IssueQuery::Open {
                *open = Some(wires.iter().map(|wire| Number(wire.number)).collect());
            }
            // Dependencies are read now and then, what is open is read anew each time.
            if let Some(open) = open {
                blocked.values_mut().for_each(|blockers| blockers.retain(|blocker| open.contains(blocker)));
            }
        }
        let canonical = self.canonical(repo);
        let mut facts = known;
        for wire in wires {
            let updated_at = wire.updated_at;
            let issue = judge(wire, &canonical, &blocked);
            self.learn_closed(repo, &issue, updated_at);
            facts.push(issue);
        }
        facts.sort_by_key(|issue| issue.number);
        if *query == IssueQuery::Open {
            self.seen(repo, |seen| seen.open.replace(facts.clone()));
        }
        Ok(facts)
    }

    async fn open_issues(&self, repo: &RepoName) -> Result<Vec<IssueWire>, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let seen = self.seen(repo, |seen| seen.issues.take());
        if let Some((issues, None)) = seen {
            return Ok(issues);
        }
        let (mut issues, mut after) = seen.unwrap_or_default();
        for _ in 0..LIST_PAGES {
            let vars = ListVars { owner, name, after };
            let data = self.caller.query(OpenIssues, Some(repo), Effect::Read, &vars).await?;
            let found = data.repository.ok_or(Fault::No(No::Missing))?;
            self.note_name(repo, found.name_with_owner.as_ref());
            issues.extend(found.issues.nodes);
            after = next(&found.issues.page_info);
            if after.is_none() {
                return Ok(issues);
            }
        }
        Err(Fault::Unclear("there are more open issues than can be read"))
    }

    /// Issues by their numbers; those that are not there, or are pull requests, are left out.
    pub(super) async fn issues_by_number(
        &self,
        repo: &RepoName,
        numbers: &[Number],
        effect: Effect,
    ) -> Result<Vec<IssueWire>, Fault> {
        let canonical = self.canonical(repo);
        let numbers: Vec<Number> = numbers.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut issues = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(TWELVE) {
            let vars = by_number::<TWELVE>(&canonical, some);
            let data = self.caller.query(IssuesByNumber, Some(repo), effect, &vars).await?;
            let found = data.repository.ok_or(Fault::No(No::Missing))?;
            issues.extend(found.first(some.len()));
        }
        Ok(issues)
    }

    /// One issue.
    pub(super) async fn issue(&self, repo: &RepoName, number: Number) -> Result<Option<IssueWire>, Fault> {
        Ok(self.issues_by_number(repo, &[number], Effect::Settle).await?.pop())
    }

    /// Open issues that wait for others, with the open ones that they wait for; read anew when the newest open issue was not there the last
    /// time.
    async fn blocked(
        &self,
        repo: &RepoName,
        newest: Option<u64>,
    ) -> Result<BTreeMap<Number, Vec<Number>>, Fault> {
        let (known, none) = {
            let mut memory = lock(&self.memory);
            let memory = memory.repo(repo);
            (memory.blocked.clone(), memory.no_dependencies)
        };
        let now = self.caller.now();
        if none {
            return Ok(BTreeMap::new());
        }
        if let Some(known) = &known
            && newest.is_none_or(|newest| known.newest.is_none_or(|known| newest <= known))
            && now.duration_since(known.at).abs() < GOOD_FOR
        {
            if known.newest.is_none()
                && let Some(kept) = &mut lock(&self.memory).repo(repo).blocked
            {
                kept.newest = newest;
            }
            return Ok(known.by.clone());
        }
        let known = known.unwrap_or_default();
        let mut read = Blocked { at: now, newest, ..Blocked::default() };
        let mut waiting = Vec::new();
        for page in 1..=LIST_PAGES {
            let rest =
                format!("issues?state=open&sort=created&direction=asc&per_page={PER_PAGE}&page={page}");
            let call = Rest::get(repo, self.path(repo, &rest), "open_issues");
            let tag = known.tag.as_deref().filter(|_| page == 1);
            let issues: Vec<IssueRest> = match self.caller.read_if(call, tag).await {
                Ok(Fresh::Unchanged) => {
                    read = Blocked { at: now, newest, ..known };
                    break;
                }
                Ok(Fresh::New(issues, tag)) => {
                    if page == 1 {
                        read.tag = tag;
                    }
                    issues
                }
                // Issues are switched off there.
                Err(Fault::No(No::Gone)) => break,
                Err(fault) => return Err(fault),
            };
            let full = issues.len() == PER_PAGE;
            if full {
                // An unchanged first page says nothing about the others.
                read.tag = None;
            }
            let waits = |issue: &&IssueRest| {
                issue.issue_dependencies_summary.as_ref().is_some_and(|d| d.blocked_by > 0)
            };
            waiting.extend(issues.iter().filter(waits).map(IssueRest::number));
            if !full {
                break;
            }
        }
        for issue in waiting {
            let rest = format!("issues/{issue}/dependencies/blocked_by");
            match self.list::<IssueRest>(repo, &rest, "state=open", "blocked_by").await {
                Ok(blockers) => {
                    let open = blockers.iter().filter(|blocker| blocker.state == Some(IssueLife::Open));
                    read.by.insert(issue, open.map(IssueRest::number).collect());
                }
                Err(Fault::No(No::Missing | No::Gone)) => {}
                Err(fault) => return Err(fault),
            }
        }
        let by = read.by.clone();
        lock(&self.memory).repo(repo).blocked = Some(read);
        Ok(by)
    }
}

/// What is read of an issue. A label without a valid shape is left out; more labels than a page has are people's own affair.
fn judge(wire: IssueWire, repo: &RepoName, blocked: &BTreeMap<Number, Vec<Number>>) -> IssueFacts {
    let number = Number(wire.number);
    let labels = wire.labels.map(|page| page.nodes).unwrap_or_default();
    IssueFacts {
        number,
        open: wire.state == IssueLife::Open,
        labels: labels.into_iter().filter_map(|label| label.name).collect(),
        author: actor_of(wire.author.as_ref()),
        title: wire.title,
        blocked_by: blocked.get(&number).cloned().unwrap_or_default(),
        parent: wire.parent.and_then(|parent| parent.inside(repo)),
        created_at: wire.created_at,
        closed_at: wire.closed_at,
    }
}

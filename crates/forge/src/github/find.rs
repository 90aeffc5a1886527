//! Looks for a step that may have happened without its answer having arrived: by id, time and author, never by text (S6). A change that is not
//! found right after it was sent may still be under way, so "not there" is believed only some time later.

use super::{
    GithubForge,
    branches::opened,
    caller::lock,
    fault::{Fault, No},
    governor::Effect,
    rest::{CommentRest, IssueRest, since as in_query},
    transport::Transport,
    wire::{IssueLife, Life, actor_of},
};
use banksman_core::{
    id::{CommentId, Number},
    intent::{AGENTIC, Made, Receipt, Step},
    port::Accounted,
    text::{Label, RepoName},
};
use jiff::{SignedDuration, Timestamp};

/// How much earlier than its intent an effect may lie by the server's clock: dates are whole seconds, and clocks drift between two answers.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// How long a change may be under way: GitHub gives up after ten seconds, and lists follow a little later.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(15);

impl<T: Transport> GithubForge<T> {
    /// Looks for a step.
    pub(super) async fn find_step(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, Fault> {
        // The first answer tells how far the server's clock is ahead.
        self.me(repo).await?;
        let begun = self.caller.to_server(since);
        let from = begun.checked_sub(SLACK).unwrap_or(begun);
        let found = match self.find_now(repo, step, from, accounted).await {
            Err(Fault::No(No::Missing | No::Gone)) => None,
            other => other?,
        };
        if found.is_none() {
            let last = lock(&self.memory).repo(repo).unclear_at.map_or(begun, |at| at.max(begun));
            let left = UNDER_WAY - self.caller.server_now().duration_since(last);
            if left.is_positive() && left <= UNDER_WAY {
                return Err(Fault::Later(self.caller.now() + left));
            }
        }
        Ok(found)
    }

    async fn find_now(
        &self,
        repo: &RepoName,
        step: &Step,
        from: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, Fault> {
        let change = |at: Timestamp| Receipt { at, made: Made::Change };
        Ok(match step {
            Step::CreateIssue { .. } => self.find_issue(repo, from, accounted, Sought::Issue).await?,
            Step::CreateEpic { .. } => self.find_issue(repo, from, accounted, Sought::Epic).await?,
            Step::Comment { on, .. } => self.find_comment(repo, *on, from, accounted).await?,
            Step::ExtendChecklist { epic, phases } => {
                let list = self.read_checklist(repo, *epic, Effect::Settle).await?;
                let mut wanted = phases.iter().flat_map(|phase| &phase.children);
                wanted.all(|child| list.entry(*child).is_some()).then(|| self.change())
            }
            Step::Tick { epic, children } => self.is_ticked(repo, *epic, children).await?,
            Step::AddLabel { on, label } => {
                let subject = self.subject(repo, *on, label).await?.issue_or_pull_request;
                let subject = subject.ok_or(Fault::No(No::Missing))?;
                let labels = subject.labels.into_iter().flat_map(|page| page.nodes);
                let has = labels.filter_map(|label| label.name).any(|name| same_label(&name, label));
                has.then(|| change(subject.updated_at))
            }
            Step::CloseIssue { issue } => {
                let issue = self.issue(repo, *issue).await?.filter(|issue| issue.state == IssueLife::Closed);
                issue.map(|issue| change(issue.closed_at.unwrap_or(issue.updated_at)))
            }
            Step::LinkChild { parent, child } => {
                if lock(&self.memory).repo(repo).no_sub_issues {
                    return Ok(Some(self.change()));
                }
                let here = self.canonical(repo);
                let child = self.issue(repo, *child).await?;
                let linked =
                    child.filter(|c| c.parent.as_ref().and_then(|p| p.inside(&here)) == Some(*parent));
                linked.map(|child| change(child.updated_at))
            }
            Step::LinkBlocker { blocker, blocked } => {
                let rest = format!("issues/{blocked}/dependencies/blocked_by");
                let blockers = self.list::<IssueRest>(repo, &rest, "state=all", "blocked_by").await?;
                blockers.iter().any(|issue| issue.number() == *blocker).then(|| self.change())
            }
            Step::CreateBranch { branch } => {
                let head = self.head_of(repo, branch, Effect::Settle).await?;
                head.map(|sha| Receipt { at: self.caller.server_now(), made: Made::Commit { sha } })
            }
            Step::DeleteBranch { branch, .. } => {
                self.head_of(repo, branch, Effect::Settle).await?.is_none().then(|| self.change())
            }
            Step::OpenPull { head, base, .. } => {
                let me = self.me(repo).await?;
                let pulls = self.pulls_between(repo, head, base).await?;
                let ours = |created: Timestamp, number: u64| {
                    created >= from && !accounted.numbers.contains(&Number(number))
                };
                let pull = pulls.iter().find(|pull| pull.state == Some(IssueLife::Open)).or_else(|| {
                    // It may have been made and ended already.
                    pulls.iter().find(|p| actor_of(p.user.as_ref()) == me && ours(p.created_at, p.number))
                });
                pull.map(opened)
            }
            Step::ResolveThread { pull, thread } => self.find_resolved(repo, *pull, *thread).await?,
            Step::UpdateBranch { pull, head } => {
                let me = self.me(repo).await?;
                self.find_update(repo, *pull, head, me).await?
            }
            Step::EnableAutoMerge { pull, head } => {
                let state = self.state_of(repo, *pull).await?;
                let merged = state.state == Life::Merged && state.head_ref_oid.as_ref() == Some(head);
                match state.auto_merge_request {
                    Some(armed) => Some(change(armed.enabled_at.unwrap_or(state.updated_at))),
                    None if merged => Some(change(state.merged_at.unwrap_or(state.updated_at))),
                    None => None,
                }
            }
            Step::Merge { pull, head, .. } => {
                let state = self.state_of(repo, *pull).await?;
                let same = state.head_ref_oid.as_ref() == Some(head);
                match (state.state, state.merge_commit.and_then(|commit| commit.oid), state.merge_queue_entry)
                {
                    (Life::Merged, Some(sha), _) if same => {
                        let at = state.merged_at.unwrap_or(state.updated_at);
                        Some(Receipt { at, made: Made::Commit { sha } })
                    }
                    (Life::Open, _, Some(entry)) if same => Some(change(entry.enqueued_at)),
                    (Life::Merged | Life::Open | Life::Closed, _, _) => None,
                }
            }
        })
    }

    /// The oldest issue of our own since then that no other step speaks for.
    async fn find_issue(
        &self,
        repo: &RepoName,
        from: Timestamp,
        accounted: &Accounted,
        sought: Sought,
    ) -> Result<Option<Receipt>, Fault> {
        let me = self.me(repo).await?;
        let query = format!("state=all&sort=created&direction=asc&since={}", in_query(from));
        let issues: Vec<IssueRest> = self.list(repo, "issues", &query, "issues_since").await?;
        let found = issues.iter().find(|issue| {
            let agentic = issue.labels.iter().filter_map(|label| label.name.as_ref());
            let epic = agentic.into_iter().any(|label| label.as_str() == AGENTIC);
            issue.pull_request.is_none()
                && actor_of(issue.user.as_ref()) == me
                && issue.created_at >= from
                && !accounted.numbers.contains(&issue.number())
                && epic == (sought == Sought::Epic)
        });
        Ok(found.map(|issue| Receipt { at: issue.created_at, made: Made::Issue { number: issue.number() } }))
    }

    /// The oldest comment of our own since then that no other step speaks for.
    async fn find_comment(
        &self,
        repo: &RepoName,
        on: Number,
        from: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, Fault> {
        let me = self.me(repo).await?;
        let path = format!("issues/{on}/comments");
        let query = format!("since={}", in_query(from));
        let comments: Vec<CommentRest> = self.list(repo, &path, &query, "comments_since").await?;
        let own = comments
            .into_iter()
            .filter(|comment| actor_of(comment.user.as_ref()) == me && comment.created_at >= from)
            .filter_map(|comment| Some((comment.created_at, CommentId(comment.id?))));
        let free = own.filter(|(_, id)| !accounted.comments.contains(id)).min();
        Ok(free.map(|(at, id)| Receipt { at, made: Made::Comment { id } }))
    }
}

/// Which kind of issue is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sought {
    Issue,
    Epic,
}

/// Letter case does not tell two labels of GitHub apart.
fn same_label(one: &Label, other: &Label) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

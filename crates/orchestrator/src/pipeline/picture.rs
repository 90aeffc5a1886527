//! One look, read only: what is there, what was done, what is due. `epic status` shows it, the pipeline acts on it.

use super::{Awaited, Orchestrator, history, hosted};
use crate::{Trouble, bug, intake::INTAKE};
use banksman_core::{
    epic::{ChildFacts, EpicFacts, EpicStep, next_steps},
    id::Number,
    intent::{Deed, Intent, IntentState, Made, NEEDS_INTERVENTION},
    job::{Job, JobWork},
    policy::{Action, Decision, History, Limits, WaitReason, decide},
    port::{EpicRecord, Forge, HeadSeen, IssueQuery, PullQuery, RepoFacts, Store, TaskFilter, World},
    repo::RepoRules,
    signals::{IssueFacts, PullState, Signals},
    text::{EngineName, RepoName, Sha},
    work::Task,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// All that one look saw.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Facts of the repository.
    pub facts: RepoFacts,
    /// Active epics.
    pub epics: Vec<EpicView>,
    /// Pull requests that are open, or ended without an outcome yet.
    pub pulls: Vec<PullView>,
    /// Open issues.
    pub issues: Vec<IssueFacts>,
    /// Open issues that hosted agents have and that no pull request is about yet.
    pub awaited: Vec<Awaited>,
    /// Jobs of the repository; of those that were repeated the newest only.
    pub work: Vec<Job>,
    /// When it was taken.
    pub at: Timestamp,
}

/// One epic as seen.
#[derive(Debug, Clone)]
pub struct EpicView {
    /// What the store knows.
    pub record: EpicRecord,
    /// What the forge says.
    pub facts: EpicFacts,
    /// What it needs.
    pub steps: Vec<EpicStep>,
    /// A person was called for the epic itself.
    pub escalated: bool,
}

/// One pull request as seen.
#[derive(Debug, Clone)]
pub struct PullView {
    /// Its signals.
    pub signals: Signals,
    /// What was done about it.
    pub history: History,
    /// What is due, and why.
    pub decision: Decision,
    /// The intents about it, oldest first.
    pub intents: Vec<Intent>,
    /// Its heads, oldest first, the present one included.
    pub heads: Vec<HeadSeen>,
    /// The engine of ours that implements it; `None`: a hosted agent or a person.
    pub engine: Option<EngineName>,
    /// The epic whose own pull request this is.
    pub of_epic: Option<Number>,
}

impl PullView {
    /// The child or epic that it closes.
    pub fn closes(&self) -> Option<Number> {
        self.signals.closes.first().copied()
    }
}

impl<W: World> Orchestrator<W> {
    /// Looks at a repository without changing anything.
    pub async fn observe(&self, rules: &RepoRules) -> Result<Picture, Trouble> {
        let (store, forge, repo) = (self.world.store(), self.world.forge(), &rules.repo);
        // Jobs are read before signals: what a finished one published is then in the signals.
        let work = store.tasks(&TaskFilter::Repo(repo.clone())).await?;
        let facts = forge.repo(repo).await?;
        let records: Vec<EpicRecord> =
            store.epics(repo).await?.into_iter().filter(|e| e.ended_at.is_none()).collect();
        let issues = forge.issues(repo, &IssueQuery::Open).await?;

        let mut signals = forge.pulls(repo, &PullQuery::Open).await?;
        let ended: Vec<Number> = store
            .pulls_without_outcome(repo)
            .await?
            .into_iter()
            .filter(|n| !signals.iter().any(|s| s.number == *n))
            .collect();
        if !ended.is_empty() {
            signals.extend(forge.pulls(repo, &PullQuery::Numbers(ended)).await?);
            signals.sort_by_key(|s| s.number);
        }
        // A stranger's pull request may say that it closes a child; nothing is done about it, and nothing waits for it (X5, S10).
        let mut ours = Vec::with_capacity(signals.len());
        for signals in signals {
            if self.is_ours(repo, &facts, &signals).await? {
                ours.push(signals);
            }
        }
        let at = self.now();
        let pulls: Vec<PullView> = stream::iter(ours)
            .map(|signals| self.view(rules, &records, &work, signals, at))
            .buffered(8)
            .try_collect()
            .await?;
        let mut epics = Vec::with_capacity(records.len());
        for record in records {
            epics.push(self.epic_view(rules, record, &facts, &pulls, &work, &issues).await?);
        }
        let awaited = self.awaited(rules, &issues, &pulls).await?;
        Ok(Picture { facts, epics, pulls, issues, awaited, work, at })
    }

    /// Whether a pull request was opened by an account whose word counts, or by a deed of ours for an engine.
    async fn is_ours(&self, repo: &RepoName, facts: &RepoFacts, signals: &Signals) -> Result<bool, Trouble> {
        let counts = [&facts.allowed, &facts.agents].iter().any(|known| known.contains(&signals.author));
        if signals.author == facts.me || counts {
            return Ok(true);
        }
        for subject in &signals.closes {
            let intents = self.world.store().intents_about(repo, *subject).await?;
            let made = Made::Pull { number: signals.number };
            if intents.iter().flat_map(|i| &i.receipts).any(|r| r.made == made) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn view(
        &self,
        rules: &RepoRules,
        epics: &[EpicRecord],
        work: &[Job],
        signals: Signals,
        now: Timestamp,
    ) -> Result<PullView, Trouble> {
        let intents = self.world.store().intents_about(&rules.repo, signals.number).await?;
        let mut heads = self.world.store().heads(&rules.repo, signals.number).await?;
        if heads.last().is_none_or(|h| h.sha != signals.head) {
            heads.push(HeadSeen {
                sha: signals.head.clone(),
                at: signals.head_at,
                green_at: None,
                red_at: None,
            });
        }
        let of_epic = epics.iter().find(|e| e.branch == signals.head_branch);
        let child = signals.closes.first().copied();
        // A hosted agent answers for itself; what is left of an epic of its children a person does.
        let ours = |e: &EpicRecord| Some(e.implementer.clone()).filter(|name| !rules.is_hosted(name));
        let engine = of_epic.and_then(ours).or_else(|| {
            work.iter().find_map(|job| match &job.work {
                JobWork::Task { task: Task::Implement { child: c, .. }, engine, .. } if Some(*c) == child => {
                    Some(engine.clone())
                }
                _ => None,
            })
        });
        let about: Vec<&Job> = work.iter().filter(|job| history::is_about(job, signals.number)).collect();
        let history = history::fold(&intents, &about, &heads, &signals.mark(), engine.as_ref());
        let limits = match rules.limits {
            limits if bug!(RequestLimitIgnored) => Limits { review_requests: u32::MAX, ..limits },
            limits => limits,
        };
        let mut decision = decide(&signals, &history, &limits, now);
        if bug!(MergeWhileRed) && decision.action == (Action::Wait { reason: WaitReason::ChecksFailing }) {
            decision.action = Action::Merge { head: signals.head.clone() };
        }
        Ok(PullView {
            of_epic: of_epic.map(|e| e.number),
            signals,
            history,
            decision,
            intents,
            heads,
            engine,
        })
    }

    async fn epic_view(
        &self,
        rules: &RepoRules,
        record: EpicRecord,
        repo: &RepoFacts,
        pulls: &[PullView],
        work: &[Job],
        open_issues: &[IssueFacts],
    ) -> Result<EpicView, Trouble> {
        let (store, forge) = (self.world.store(), self.world.forge());
        let checklist = forge.checklist(&rules.repo, record.number).await?;
        let mut numbers: Vec<Number> = checklist.entries.iter().map(|e| e.child).collect();
        numbers.push(record.number);
        let issues = forge.issues(&rules.repo, &IssueQuery::Numbers(numbers)).await?;
        let open = issues.iter().any(|i| i.number == record.number && i.open);
        let mut children = BTreeMap::new();
        for issue in issues.into_iter().filter(|i| i.number != record.number) {
            let pull = pulls.iter().rfind(|p| p.closes() == Some(issue.number) && p.of_epic.is_none());
            let intents = store.intents_about(&rules.repo, issue.number).await?;
            let dispatched = intents.iter().any(|i| {
                matches!(i.deed, Deed::Dispatch { .. }) && !matches!(i.state, IntentState::Refused { .. })
            }) || work
                .iter()
                .any(|job| matches!(job.work.task(), Some(Task::Implement { child, .. }) if *child == issue.number));
            let escalated = match pull {
                Some(pull) => pull.history.escalated.as_ref() == Some(&pull.signals.mark()),
                None if hosted::is_given_back(rules, &issue, &intents, self.now()) => false,
                None => self.is_called(work, issue.number, &intents).await?,
            };
            // Blockers may be on another epic, which does not hold this one either (X8).
            let abroad = |n: &Number| checklist.entry(*n).is_none() && with_a_person(*n, pulls, open_issues);
            let escalated = escalated || (!dispatched && issue.blocked_by.iter().any(abroad));
            let number = issue.number;
            let facts = ChildFacts {
                issue,
                pull: pull.map(|p| (p.signals.number, p.signals.state.clone())),
                dispatched,
                escalated,
            };
            children.insert(number, facts);
        }
        let intents = store.intents_about(&rules.repo, record.number).await?;
        let branch_head = forge.branch(&rules.repo, &record.branch).await?;
        // A child that came back from a person may land after the epic was merged: what the branch has since then needs a pull
        // request of its own before the branch may go.
        let pull = self
            .epic_pull(rules, &record, &intents, pulls)
            .await?
            .filter(|(_, state, head)| {
                !matches!(state, PullState::Merged { .. }) || branch_head.as_ref().is_none_or(|b| b == head)
            })
            .map(|(number, state, _)| (number, state));
        let intake = store.intents_about(&rules.repo, INTAKE).await?;
        let made_from = intake
            .iter()
            .filter(|i| {
                matches!(i.deed, Deed::CreateEpic { .. })
                    && i.receipts.first().is_some_and(|r| r.made == Made::Issue { number: record.number })
            })
            .flat_map(|i| &i.receipts)
            .find_map(|r| match &r.made {
                Made::Commit { sha } => Some(sha.clone()),
                _ => None,
            });
        let has_commits = match (&branch_head, made_from) {
            (Some(head), Some(start)) => *head != start,
            (Some(head), None) => *head != repo.default_head,
            (None, _) => false,
        };
        let facts = EpicFacts { open, checklist, children, pull, branch_head, has_commits };
        let mut steps = next_steps(&facts);
        if bug!(PhaseOrderIgnored) {
            steps.extend(
                facts
                    .children
                    .iter()
                    .filter(|(_, c)| c.issue.open && !c.dispatched)
                    .map(|(n, _)| EpicStep::Dispatch(*n)),
            );
        }
        if bug!(TickEarly) {
            let open: Vec<Number> =
                facts.checklist.entries.iter().filter(|e| !e.ticked).map(|e| e.child).take(1).collect();
            steps.extend((!open.is_empty()).then_some(EpicStep::Tick(open)));
        }
        let escalated = intents.iter().any(|i| matches!(i.deed, Deed::Escalate { .. }));
        Ok(EpicView { record, facts, steps, escalated })
    }

    /// The newest pull request of an epic's branch with its head: among those seen, else by the receipt of its opening.
    async fn epic_pull(
        &self,
        rules: &RepoRules,
        record: &EpicRecord,
        intents: &[Intent],
        pulls: &[PullView],
    ) -> Result<Option<(Number, PullState, Sha)>, Trouble> {
        if let Some(pull) = pulls.iter().rfind(|p| p.of_epic == Some(record.number)) {
            let signals = &pull.signals;
            return Ok(Some((signals.number, signals.state.clone(), signals.head.clone())));
        }
        let number = intents
            .iter()
            .filter(|i| matches!(i.deed, Deed::OpenEpicPull { .. }))
            .flat_map(|i| &i.receipts)
            .filter_map(|r| match r.made {
                Made::Pull { number } => Some(number),
                _ => None,
            })
            .next_back();
        let Some(number) = number else { return Ok(None) };
        let signals = self.world.forge().pulls(&rules.repo, &PullQuery::Numbers(vec![number])).await?;
        Ok(signals.into_iter().next().map(|s| (s.number, s.state, s.head)))
    }
}

/// A person was called for an issue or its pull request, and it is still with them.
fn with_a_person(issue: Number, pulls: &[PullView], open: &[IssueFacts]) -> bool {
    match pulls.iter().rfind(|p| p.closes() == Some(issue) && p.of_epic.is_none()) {
        Some(pull) => pull.history.escalated.as_ref() == Some(&pull.signals.mark()),
        None => open.iter().any(|i| i.number == issue && i.has_label(NEEDS_INTERVENTION)),
    }
}

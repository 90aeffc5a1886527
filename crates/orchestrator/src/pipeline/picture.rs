//! One look, read only: what is there, what was done, what is due. `epic status` shows it, the pipeline acts on it.

use super::{Orchestrator, history};
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
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Slow sweep while nothing moves; longer than a lease, so that a quiet repository is free for another process in between.
const IDLE: SignedDuration = SignedDuration::from_secs(90);
/// Sweep while something moves, in case a wake-up gets lost.
const BUSY: SignedDuration = SignedDuration::from_secs(5);

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

/// Whether anything is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// Something moves, or will by itself.
    Moving,
    /// Nothing moves until a person does something about these.
    NeedsPeople(Vec<Number>),
    /// Nothing moves until the window of the cap moves on: these wait for it.
    OverCap(Vec<Number>),
    /// Every epic has ended.
    Done,
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
        Ok(Picture { facts, epics, pulls, issues, work, at })
    }

    /// Whether a pull request was opened by an account whose word counts, or by a deed of ours for an engine.
    async fn is_ours(&self, repo: &RepoName, facts: &RepoFacts, signals: &Signals) -> Result<bool, Trouble> {
        if signals.author == facts.me || facts.allowed.contains(&signals.author) {
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
        let engine = of_epic.map(|e| e.implementer.clone()).or_else(|| {
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

impl Picture {
    /// When something becomes due by time alone, or the next sweep of the adaptive schedule (X14).
    pub(crate) fn next_look(&self, rules: &RepoRules, outlook: &Outlook, now: Timestamp) -> Timestamp {
        let mut next = now + if *outlook == Outlook::Moving { BUSY } else { IDLE };
        for pull in &self.pulls {
            let due = [
                pull.history.review.last.map(|r| r.at + rules.limits.response_time),
                pull.history.conflict.last.map(|r| r.at + rules.limits.response_time),
                Some(pull.signals.head_at + rules.limits.red_checks),
                pull.history.checks_fix_ended_at.map(|at| at + rules.limits.red_checks),
            ];
            for due in due.into_iter().flatten().filter(|due| *due > now) {
                next = next.min(due);
            }
        }
        next
    }

    /// Open issues whose label names an engine that nobody here has; their epics wait until a person sees to it.
    fn misaddressed(&self, rules: &RepoRules) -> impl Iterator<Item = Number> {
        self.issues.iter().filter_map(|issue| {
            let mut named = issue.labels.iter().filter_map(RepoRules::labelled_engine).peekable();
            named.peek()?;
            let listed = self.epics.iter().any(|e| e.facts.checklist.entry(issue.number).is_some());
            let unknown = listed && !named.any(|engine| rules.knows(&engine));
            (unknown && super::enqueue::is_trusted(self, issue)).then_some(issue.number)
        })
    }

    /// Whether anything moves, waits for people or the budget, or is done. `over_cap`: children that the cap holds back.
    pub fn outlook(&self, rules: &RepoRules, over_cap: &[Number]) -> Outlook {
        let mut people = Vec::new();
        for pull in &self.pulls {
            match &pull.decision.action {
                Action::Wait { reason: WaitReason::ReviewRequired } if rules.reviewers.is_empty() => {
                    people.push(pull.signals.number);
                }
                Action::Wait {
                    reason:
                        WaitReason::Escalated | WaitReason::NoChecks | WaitReason::Blocked | WaitReason::Draft,
                } => people.push(pull.signals.number),
                _ => return Outlook::Moving,
            }
        }
        for job in self.work.iter().filter(|job| !job.state.is_final()) {
            match &job.work {
                // Nobody here ever takes it: a person may give the engine back to the configuration, or the issue to another one.
                JobWork::Task { task, engine, .. } if job.state.is_waiting() && !rules.knows(engine) => {
                    people.push(task.subject());
                }
                JobWork::Task { .. } | JobWork::Manifest(_) => return Outlook::Moving,
            }
        }
        people.extend(self.misaddressed(rules));
        for epic in self.epics.iter().filter(|e| e.facts.open) {
            for step in &epic.steps {
                match step {
                    EpicStep::FlagApproval(child) => people.push(*child),
                    EpicStep::Dispatch(child) if over_cap.contains(child) => {}
                    EpicStep::GiveUp | EpicStep::OpenPull | EpicStep::Close { .. } if epic.escalated => {
                        people.push(epic.record.number);
                    }
                    EpicStep::Dispatch(_)
                    | EpicStep::Tick(_)
                    | EpicStep::CloseChild(_)
                    | EpicStep::OpenPull
                    | EpicStep::Close { .. }
                    | EpicStep::GiveUp => return Outlook::Moving,
                }
            }
        }
        if !over_cap.is_empty() {
            Outlook::OverCap(over_cap.to_vec())
        } else if self.epics.iter().any(|e| e.facts.open) {
            people.sort();
            people.dedup();
            Outlook::NeedsPeople(people)
        } else {
            Outlook::Done
        }
    }
}

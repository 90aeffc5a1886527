//! Whether anything is left to do in a repository, and when to look at it again.

use super::Picture;
use banksman_core::{
    epic::EpicStep,
    id::Number,
    job::JobWork,
    policy::{Action, WaitReason},
    repo::RepoRules,
};
use jiff::Timestamp;

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

impl Picture {
    /// When something becomes due by time alone, or the next sweep of the adaptive schedule (X14).
    pub(crate) fn next_look(&self, rules: &RepoRules, outlook: &Outlook, now: Timestamp) -> Timestamp {
        let sweeps = rules.sweeps;
        let mut next = now + if *outlook == Outlook::Moving { sweeps.moving } else { sweeps.idle };
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
        let silent = self.awaited.iter().map(|awaited| awaited.due(rules)).filter(|due| *due > now);
        silent.min().map_or(next, |due| next.min(due))
    }

    /// Open issues whose label names an engine that nobody here has; their epics wait until a person sees to it.
    fn misaddressed(&self, rules: &RepoRules) -> impl Iterator<Item = Number> {
        self.issues.iter().filter_map(|issue| {
            let mut named = issue.labels.iter().filter_map(|label| rules.triggered(label)).peekable();
            named.peek()?;
            let listed = self.epics.iter().any(|e| e.facts.checklist.entry(issue.number).is_some());
            let unknown = listed && !named.any(|engine| rules.knows(&engine) || rules.is_hosted(&engine));
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
        if !self.awaited.is_empty() {
            return Outlook::Moving;
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

//! What an epic needs next: derived from the forge's facts, never stored (architecture, "Status is derived"). The same function
//! tells the orchestrator what to do and people where each child is.

use super::Checklist;
use crate::{
    id::Number,
    intent::Phase,
    signals::{IssueFacts, PullState},
    text::Sha,
};
use std::collections::BTreeMap;

/// Everything that an epic's next steps depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpicFacts {
    /// The epic's issue is open.
    pub open: bool,
    /// Its checklist.
    pub checklist: Checklist,
    /// Facts of the listed children; a child that is missing here does not exist and counts as done.
    pub children: BTreeMap<Number, ChildFacts>,
    /// The pull request of the epic's branch and how it stands.
    pub pull: Option<(Number, PullState)>,
    /// Head of the epic's branch; `None` when it is not there.
    pub branch_head: Option<Sha>,
    /// The epic's branch has commits that the default branch lacks.
    pub has_commits: bool,
}

/// Facts of one child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildFacts {
    /// Its issue.
    pub issue: IssueFacts,
    /// The newest pull request that closes it.
    pub pull: Option<(Number, PullState)>,
    /// It was handed to an implementer.
    pub dispatched: bool,
    /// A person was called for it, or for its pull request, and nothing changed since.
    pub escalated: bool,
}

/// Where a child is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildStatus {
    /// An earlier phase is not finished.
    WaitsForPhase,
    /// Open issues block it.
    Blocked(Vec<Number>),
    /// A feature that nobody approved yet (X3).
    NeedsApproval,
    /// It can be dispatched.
    Ready,
    /// An implementer has it.
    Dispatched,
    /// Its pull request is open.
    InReview(Number),
    /// Its pull request is merged; the issue is still open.
    Merged(Number),
    /// Its issue is closed.
    Done,
    /// It needs a person, or waits for a child that does; the epic goes on without it (X8).
    Skipped,
}

/// One step that an epic needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EpicStep {
    /// Ask a person for approval.
    FlagApproval(Number),
    /// Hand a child to the implementer.
    Dispatch(Number),
    /// Tick these.
    Tick(Vec<Number>),
    /// Close a merged child that the forge left open.
    CloseChild(Number),
    /// Open the pull request of the epic's branch.
    OpenPull,
    /// Delete the branch and close the epic.
    Close {
        /// The head that was merged; `None` when the epic made no commits.
        merged: Option<Sha>,
    },
    /// Nothing of it could be done, or what is left waits for itself: a person is called.
    GiveUp,
}

impl EpicFacts {
    /// Where each listed child is, in the order of the checklist.
    pub fn statuses(&self) -> Vec<(Number, Phase, ChildStatus)> {
        let skipped = self.skipped();
        let settled = |phase: Phase| {
            self.checklist.entries.iter().filter(|e| e.phase < phase).all(|e| {
                skipped.contains(&e.child) || self.children.get(&e.child).is_none_or(|c| !c.issue.open)
            })
        };
        self.checklist
            .entries
            .iter()
            .map(|entry| {
                let status = match self.children.get(&entry.child) {
                    None => ChildStatus::Done,
                    Some(child) if !child.issue.open => ChildStatus::Done,
                    Some(child) => match &child.pull {
                        Some((pull, PullState::Merged { .. })) => ChildStatus::Merged(*pull),
                        _ if skipped.contains(&entry.child) => ChildStatus::Skipped,
                        Some((pull, PullState::Open)) => ChildStatus::InReview(*pull),
                        Some((_, PullState::Closed { .. })) | None if child.dispatched => {
                            ChildStatus::Dispatched
                        }
                        _ if !settled(entry.phase) => ChildStatus::WaitsForPhase,
                        _ if !child.issue.blocked_by.is_empty() => {
                            ChildStatus::Blocked(child.issue.blocked_by.clone())
                        }
                        _ if child.issue.awaits_approval() => ChildStatus::NeedsApproval,
                        _ => ChildStatus::Ready,
                    },
                };
                (entry.child, entry.phase, status)
            })
            .collect()
    }

    /// Escalated children that are not merged and, transitively, undispatched ones that they block.
    fn skipped(&self) -> Vec<Number> {
        let merged = |c: &ChildFacts| matches!(c.pull, Some((_, PullState::Merged { .. })));
        let mut skipped: Vec<Number> = self
            .children
            .iter()
            .filter(|(_, c)| c.escalated && c.issue.open && !merged(c))
            .map(|(n, _)| *n)
            .collect();
        loop {
            let more: Vec<Number> = self
                .children
                .iter()
                .filter(|(n, c)| {
                    !skipped.contains(n)
                        && c.issue.open
                        && !c.dispatched
                        && c.issue.blocked_by.iter().any(|b| skipped.contains(b))
                })
                .map(|(n, _)| *n)
                .collect();
            if more.is_empty() {
                return skipped;
            }
            skipped.extend(more);
        }
    }
}

/// Whether what is left can never go on: no child is in anybody's hands, and every one that waits does so for another one that waits.
/// That happens when somebody links issues against the order of the phases, or in a circle.
fn waits_for_itself(facts: &EpicFacts, statuses: &[(Number, Phase, ChildStatus)]) -> bool {
    let mut waiting: Vec<(Number, Phase)> = Vec::new();
    for (child, phase, status) in statuses {
        match status {
            ChildStatus::WaitsForPhase | ChildStatus::Blocked(_) => waiting.push((*child, *phase)),
            ChildStatus::Done | ChildStatus::Skipped => {}
            ChildStatus::NeedsApproval
            | ChildStatus::Ready
            | ChildStatus::Dispatched
            | ChildStatus::InReview(_)
            | ChildStatus::Merged(_) => return false,
        }
    }
    let blocked = |child, by| facts.children.get(child).is_some_and(|c| c.issue.blocked_by.contains(by));
    !waiting.is_empty()
        && waiting.iter().all(|(child, phase)| {
            waiting.iter().any(|(other, earlier)| earlier < phase || blocked(child, other))
        })
}

/// The steps that an epic needs now. An epic whose issue is closed needs none.
pub fn next_steps(facts: &EpicFacts) -> Vec<EpicStep> {
    if !facts.open {
        return Vec::new();
    }
    let statuses = facts.statuses();
    let mut steps = Vec::new();
    let mut finished = true;
    for (child, _, status) in &statuses {
        match status {
            ChildStatus::Ready => {
                finished = false;
                steps.push(EpicStep::Dispatch(*child));
            }
            ChildStatus::NeedsApproval => {
                finished = false;
                steps.push(EpicStep::FlagApproval(*child));
            }
            ChildStatus::Merged(_) => {
                finished = false;
                steps.push(EpicStep::CloseChild(*child));
            }
            ChildStatus::WaitsForPhase
            | ChildStatus::Blocked(_)
            | ChildStatus::Dispatched
            | ChildStatus::InReview(_) => finished = false,
            ChildStatus::Done | ChildStatus::Skipped => {}
        }
    }
    let unticked: Vec<Number> = statuses
        .iter()
        .filter(|(child, _, status)| {
            matches!(status, ChildStatus::Done | ChildStatus::Merged(_))
                && facts.checklist.entry(*child).is_some_and(|e| !e.ticked)
        })
        .map(|(child, _, _)| *child)
        .collect();
    if !unticked.is_empty() {
        steps.push(EpicStep::Tick(unticked));
        return steps;
    }
    if waits_for_itself(facts, &statuses) {
        steps.push(EpicStep::GiveUp);
    }
    if finished && !statuses.is_empty() {
        match &facts.pull {
            Some((_, PullState::Merged { .. })) => {
                steps.push(EpicStep::Close { merged: facts.branch_head.clone() });
            }
            Some((_, PullState::Open)) => {}
            Some((_, PullState::Closed { .. })) => steps.push(EpicStep::GiveUp),
            None if facts.has_commits => steps.push(EpicStep::OpenPull),
            None if statuses.iter().any(|(_, _, s)| *s == ChildStatus::Skipped) => {
                steps.push(EpicStep::GiveUp)
            }
            None => steps.push(EpicStep::Close { merged: None }),
        }
    }
    steps
}

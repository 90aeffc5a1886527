//! What the guards leave to a policy: the actions that make sense for a pull request and that no limit forbids. What is recorded with each
//! decision, so that another policy can be judged by the same data (70-training.md, D13).

use super::{ActionKind, History, Limits, Resolution, table::Case};
use crate::signals::{AutoMerge, MergeState, PullState, Signals};
use jiff::Timestamp;

/// The eligible actions, ascending. Never empty: waiting is always possible while a pull request is open, and resolving is all that is
/// left once it ended.
pub fn eligible(signals: &Signals, history: &History, limits: &Limits, now: Timestamp) -> Vec<ActionKind> {
    if signals.state != PullState::Open {
        return vec![ActionKind::Resolve];
    }
    let case = Case::new(signals, history, limits, now);
    let conflicting = signals.conflicting();
    let untried = history.resolution == Resolution::NotTried;
    let called = history.escalated.as_ref() == Some(&signals.mark());
    let mut actions = vec![
        (ActionKind::Wait, true),
        (ActionKind::RequestReviewFix, signals.unresolved() > 0 && !case.review_limit()),
        (
            ActionKind::RequestConflictFix,
            conflicting && untried && history.conflict.count < limits.conflict_requests,
        ),
        (ActionKind::ResolveThreads, case.answered_threads().next().is_some()),
        (ActionKind::UpdateBranch, signals.merge_state == MergeState::Behind && !conflicting),
        (ActionKind::EnableAutoMerge, signals.auto_merge == AutoMerge::Off),
        (
            ActionKind::Merge,
            !signals.is_draft && signals.all_green() && case.reviews_satisfied() && case.forge_lets_merge(),
        ),
        (ActionKind::ResolveConflict, conflicting && untried),
        (ActionKind::Escalate, !called),
    ];
    actions.retain(|(_, fits)| *fits);
    let mut kinds: Vec<ActionKind> = actions.into_iter().map(|(kind, _)| kind).collect();
    kinds.sort();
    kinds
}

//! Columns of what was done: the fields of `action_taken`, with the probability of each action that was eligible.

use super::column::{Cell, Column, ColumnKind, Content, Null};
use banksman_core::{
    policy::ActionKind,
    training::{ActionTaken, Reason},
};

/// The closed list of actions with the columns of their probabilities.
const PROBABILITIES: [(ActionKind, &str); 14] = [
    (ActionKind::Resolve, "p_resolve"),
    (ActionKind::Wait, "p_wait"),
    (ActionKind::RequestReviewFix, "p_request_review_fix"),
    (ActionKind::RequestConflictFix, "p_request_conflict_fix"),
    (ActionKind::ResolveThreads, "p_resolve_threads"),
    (ActionKind::UpdateBranch, "p_update_branch"),
    (ActionKind::EnableAutoMerge, "p_enable_auto_merge"),
    (ActionKind::Merge, "p_merge"),
    (ActionKind::ResolveConflict, "p_resolve_conflict"),
    (ActionKind::Escalate, "p_escalate"),
    (ActionKind::Dispatch, "p_dispatch"),
    (ActionKind::TickParent, "p_tick_parent"),
    (ActionKind::CloseChild, "p_close_child"),
    (ActionKind::MergeEpic, "p_merge_epic"),
];

const ACTIONS: &[&str] = &[
    "resolve",
    "wait",
    "request_review_fix",
    "request_conflict_fix",
    "resolve_threads",
    "update_branch",
    "enable_auto_merge",
    "merge",
    "resolve_conflict",
    "escalate",
    "dispatch",
    "tick_parent",
    "close_child",
    "merge_epic",
];

/// The closed list of reasons.
const REASONS: [&str; Reason::ALL.len()] = {
    let mut words = [""; Reason::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = Reason::ALL[at].as_str();
        at += 1;
    }
    words
};

pub(super) fn columns(null: Null) -> Vec<Column> {
    let mut all = vec![
        Column::new("action", ColumnKind::Word, null, Content::OneOf(ACTIONS), "What was chosen."),
        Column::new("reason", ColumnKind::Word, null, Content::OneOf(&REASONS), "Why."),
        Column::new("policy", ColumnKind::Word, null, Content::Policy, "Name and version of who chose."),
        Column::new(
            "propensity",
            ColumnKind::Float,
            null,
            Content::NotNegative,
            "Probability with which that policy chooses this action in this state.",
        ),
    ];
    let probability = |(_, name)| {
        let about =
            "Probability of that action; missing: it was not eligible, or nothing was recorded of it.";
        Column::new(name, ColumnKind::Float, Null::Possible, Content::NotNegative, about)
    };
    all.extend(PROBABILITIES.into_iter().map(probability));
    all
}

pub(super) fn cells<'r>(done: &'r ActionTaken, into: &mut Vec<Cell<'r>>) {
    into.extend([
        Cell::Word(done.action.as_str()),
        Cell::Word(done.reason.as_str()),
        Cell::Word(done.policy.as_str()),
        Cell::Float(done.propensity),
    ]);
    into.extend(PROBABILITIES.map(|(kind, _)| {
        let choice = done.eligible.iter().find(|choice| choice.action == kind);
        choice.map_or(Cell::Null, |choice| Cell::Float(choice.probability))
    }));
}

/// How many columns there are.
pub(super) const WIDTH: usize = 4 + PROBABILITIES.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_actions_agree() {
        for ((kind, column), word) in PROBABILITIES.into_iter().zip(ACTIONS) {
            assert_eq!((kind.as_str(), column.strip_prefix("p_")), (*word, Some(*word)));
        }
        assert_eq!(columns(Null::Never).len(), WIDTH);
    }
}

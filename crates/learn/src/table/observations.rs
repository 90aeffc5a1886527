//! Columns of what was seen: the fields of `pr_observation`.

use super::column::{Cell, Column, ColumnKind, Content, Null};
use banksman_core::{signals::MergeState, training::Observation};

const MERGE_STATES: &[&str] =
    &["CLEAN", "BEHIND", "BLOCKED", "DIRTY", "UNSTABLE", "HAS_HOOKS", "DRAFT", "UNKNOWN"];

/// Names of the counts with what they say, in the order of [`Observation::counts`].
const COUNTS: [(&str, &str); 12] = [
    ("checks_total", "Checks of the head that count."),
    ("checks_passing", "Green ones."),
    ("checks_failing", "Red ones."),
    ("reviews_approved", "Approvals of the head."),
    ("reviews_changes_requested", "Reviewers who want changes."),
    ("threads_total", "Review threads."),
    ("threads_unresolved", "Open ones."),
    ("pr_age_hours", "Whole hours since the pull request was opened."),
    ("last_push_hours", "Whole hours since the forge first saw the head."),
    ("last_activity_hours", "Whole hours since anything about it changed."),
    ("conflict_attempts", "Requests to remove a conflict so far."),
    ("review_fix_attempts", "Requests to answer reviews so far."),
];

pub(super) fn columns(null: Null) -> Vec<Column> {
    let flag = |name: &str, about| Column::new(name, ColumnKind::Bool, null, Content::Any, about);
    let mut all = vec![
        Column::new("author", ColumnKind::Word, null, Content::Id, "Account that opened the pull request."),
        Column::new(
            "merge_state",
            ColumnKind::Word,
            null,
            Content::OneOf(MERGE_STATES),
            "The forge's summary of what stands in the way of a merge.",
        ),
        flag("mergeable", "Head and base merge without a conflict."),
        flag("is_draft", "Its author marked it as not ready."),
        flag("auto_merge_enabled", "The forge is about to merge it by itself."),
    ];
    let count = |(name, about)| Column::new(name, ColumnKind::Int, null, Content::NotNegative, about);
    all.extend(COUNTS.into_iter().map(count));
    all
}

/// The values; `author` is the id to be shown.
pub(super) fn cells<'r>(seen: &Observation, author: &'r str, into: &mut Vec<Cell<'r>>) {
    into.extend([
        Cell::Word(author),
        Cell::Word(word(seen.merge_state)),
        Cell::Bool(seen.mergeable),
        Cell::Bool(seen.is_draft),
        Cell::Bool(seen.auto_merge_enabled),
    ]);
    into.extend(seen.counts().map(|(_, count)| Cell::from(count)));
}

/// The word of a merge state.
pub(crate) fn word(state: MergeState) -> &'static str {
    match state {
        MergeState::Clean => "CLEAN",
        MergeState::Behind => "BEHIND",
        MergeState::Blocked => "BLOCKED",
        MergeState::Dirty => "DIRTY",
        MergeState::Unstable => "UNSTABLE",
        MergeState::HasHooks => "HAS_HOOKS",
        MergeState::Draft => "DRAFT",
        MergeState::Unknown => "UNKNOWN",
    }
}

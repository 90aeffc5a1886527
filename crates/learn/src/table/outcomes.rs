//! Columns of how pull requests ended: the fields of `outcome`.

use super::column::{Cell, Column, ColumnKind, Content, Null};
use banksman_core::{
    port::{OutcomeDetail, OutcomeResult},
    training::Outcome,
};

const RESULTS: &[&str] = &["success", "closed", "escalated"];
const DETAILS: &[&str] = &["merged_clean", "merged_after_fixes", "closed_unmerged", "needs_intervention"];

/// How many columns there are.
pub(super) const WIDTH: usize = 3;

pub(super) fn columns(null: Null) -> Vec<Column> {
    vec![
        Column::new("result", ColumnKind::Word, null, Content::OneOf(RESULTS), "How it ended, in one word."),
        Column::new("detail", ColumnKind::Word, null, Content::OneOf(DETAILS), "In another."),
        Column::new(
            "resolution_hours",
            ColumnKind::Float,
            null,
            Content::Any,
            "Hours from opening to the end.",
        ),
    ]
}

pub(super) fn cells<'r>(ended: &Outcome) -> [Cell<'r>; WIDTH] {
    [
        Cell::Word(result_word(ended.result)),
        Cell::Word(match ended.detail {
            OutcomeDetail::MergedClean => "merged_clean",
            OutcomeDetail::MergedAfterFixes => "merged_after_fixes",
            OutcomeDetail::ClosedUnmerged => "closed_unmerged",
            OutcomeDetail::NeedsIntervention => "needs_intervention",
        }),
        Cell::Float(ended.resolution_hours),
    ]
}

/// The word of a result.
pub(crate) fn result_word(result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Success => "success",
        OutcomeResult::Closed => "closed",
        OutcomeResult::Escalated => "escalated",
    }
}

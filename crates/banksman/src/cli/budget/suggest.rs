//! Suggestions of the triggers in words (B12).

use crate::{home::short, output::clean};
use banksman_core::budget::triggers::{READY_LOW, Suggestion};

/// What to do next, with the command that does it.
pub(crate) fn suggestion_words(suggestion: &Suggestion) -> String {
    match suggestion {
        Suggestion::Audit { repo, ready } => format!(
            "only {ready} issues are ready (fewer than {READY_LOW}): audit {0} next (`banksman audit --help`)",
            short(repo)
        ),
        Suggestion::NextEpic { repo, ended, issues } => format!(
            "epic #{ended} of {0} is done and {issues} issues wait: `banksman epic create --repo {0}`",
            short(repo)
        ),
        Suggestion::NextTier { done, next } => {
            format!("everything of tier {} is done: go on with tier {}", clean(done), clean(next))
        }
    }
}

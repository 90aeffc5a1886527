//! Points from what the pipeline knows: signals, decisions, outcomes.

use super::{ActionTaken, Measured, Observation, Outcome, Point, PolicyName, Reason, RepoTag, Series};
use crate::{
    id::Number,
    intent::{Deed, Intent, IntentState},
    policy::{ActionKind, Decision},
    port::OutcomeRecord,
    signals::{AutoMerge, Mergeable, Signals},
    text::{BadText, RepoName},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How often an implementer was asked about a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// To remove a conflict.
    pub conflict: u32,
    /// To answer reviews.
    pub review_fix: u32,
}

/// The requests of a repository by pull request; refused ones were not made.
pub fn attempts(intents: &[Intent]) -> BTreeMap<Number, Attempts> {
    let mut all: BTreeMap<Number, Attempts> = BTreeMap::new();
    for intent in intents.iter().filter(|i| matches!(i.state, IntentState::Done { .. })) {
        match intent.deed {
            Deed::RequestConflictFix { pull } => all.entry(pull).or_default().conflict += 1,
            Deed::RequestReviewFix { pull } => all.entry(pull).or_default().review_fix += 1,
            _ => {}
        }
    }
    all
}

/// What was seen of a pull request, as a point.
pub fn observed(repo: &RepoName, signals: &Signals, attempts: Attempts, at: Timestamp) -> Point {
    let checks = signals.check_counts();
    let hours = |since: Timestamp| u32::try_from(at.duration_since(since).as_hours()).unwrap_or(0);
    let seen = Observation {
        author: signals.author_login.clone(),
        merge_state: signals.merge_state,
        mergeable: signals.mergeable == Mergeable::Mergeable,
        is_draft: signals.is_draft,
        auto_merge_enabled: signals.auto_merge == AutoMerge::Armed,
        checks_total: checks.total,
        checks_passing: checks.passing,
        checks_failing: checks.failing,
        reviews_approved: signals.reviews.approved,
        reviews_changes_requested: signals.reviews.changes_requested,
        threads_total: u32::try_from(signals.threads.len()).unwrap_or(u32::MAX),
        threads_unresolved: signals.unresolved(),
        pr_age_hours: hours(signals.created_at),
        last_push_hours: hours(signals.head_at),
        last_activity_hours: hours(signals.updated_at),
        conflict_attempts: attempts.conflict,
        review_fix_attempts: attempts.review_fix,
    };
    Point { series: of(repo, signals.number), at, measured: Measured::Observation(seen) }
}

/// What a look saw and decided, as two points of one moment. `eligible`: what the policy was free to choose from.
pub fn points_of_decision(
    repo: &RepoName,
    signals: &Signals,
    attempts: Attempts,
    decision: &Decision,
    eligible: &[ActionKind],
    policy: &str,
    at: Timestamp,
) -> Result<Vec<Point>, BadText> {
    let policy = PolicyName::new(policy)?;
    let taken = ActionTaken::certain(decision.action.kind(), Reason::of(decision), policy, eligible);
    let action = Point { series: of(repo, signals.number), at, measured: Measured::Action(taken) };
    Ok(vec![observed(repo, signals, attempts, at), action])
}

/// How a pull request ended, as a point.
pub fn ended(outcome: &OutcomeRecord) -> Point {
    let measured = Measured::Outcome(Outcome {
        result: outcome.result,
        detail: outcome.detail,
        resolution_hours: outcome.resolution_hours,
    });
    Point { series: of(&outcome.repo, outcome.pull), at: outcome.at, measured }
}

fn of(repo: &RepoName, pull: Number) -> Series {
    Series { repo: RepoTag::of(repo), pull }
}

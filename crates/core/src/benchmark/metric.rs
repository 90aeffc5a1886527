//! What implementers are compared by, and how it is read from a line of the journal.

use super::Costs;
use crate::{
    journal::{Cycle, JournalEntry},
    port::OutcomeResult,
};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// One number per child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// 1 for a merged child, 0 for another; its middle is the share.
    MergeRate,
    /// Hours from the dispatch (or the opening) to the merge, of merged children.
    HoursToMerge,
    /// Hours from a request to the commit that answers it, the mean of a child's.
    ResponseHours,
    /// Requests to answer reviews.
    ReviewCycles,
    /// Commits with a red check.
    CiFailures,
    /// Requests to remove a conflict.
    ConflictCycles,
    /// Lines added and removed.
    Lines,
    /// US dollars, where the engine tells.
    CostUsd,
}

/// Which of two values is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
}

impl Metric {
    /// All, in the order of a report.
    pub const ALL: [Self; 8] = [
        Self::MergeRate,
        Self::HoursToMerge,
        Self::ResponseHours,
        Self::ReviewCycles,
        Self::CiFailures,
        Self::ConflictCycles,
        Self::Lines,
        Self::CostUsd,
    ];

    /// Its word on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::MergeRate => "merge-rate",
            Self::HoursToMerge => "hours-to-merge",
            Self::ResponseHours => "response-hours",
            Self::ReviewCycles => "review-cycles",
            Self::CiFailures => "ci-failures",
            Self::ConflictCycles => "conflict-cycles",
            Self::Lines => "lines",
            Self::CostUsd => "cost",
        }
    }

    /// Which of two values is better. Fewer lines are not better work, but the smaller change for the same issue.
    pub fn better(self) -> Better {
        match self {
            Self::MergeRate => Better::Higher,
            Self::HoursToMerge
            | Self::ResponseHours
            | Self::ReviewCycles
            | Self::CiFailures
            | Self::ConflictCycles
            | Self::Lines
            | Self::CostUsd => Better::Lower,
        }
    }

    /// The number of one child; `None` where it has none.
    pub(super) fn of(self, entry: &JournalEntry, costs: &Costs) -> Option<f64> {
        let merged = entry.result == OutcomeResult::Success;
        let count = |n: usize| Some(n as f64);
        match self {
            Self::MergeRate => Some(if merged { 1.0 } else { 0.0 }),
            Self::HoursToMerge => {
                hours(entry.dispatched_at.or(entry.opened_at)?, entry.merged_at.filter(|_| merged)?)
            }
            Self::ResponseHours => response(entry),
            Self::ReviewCycles => count(entry.review_cycles.len()),
            Self::CiFailures => count(entry.ci_failures()),
            Self::ConflictCycles => count(entry.conflict_cycles.len()),
            Self::Lines => Some((entry.additions + entry.deletions) as f64),
            Self::CostUsd => costs.get(&(entry.repo.clone(), entry.child)).copied(),
        }
    }
}

fn response(entry: &JournalEntry) -> Option<f64> {
    let cycles = entry.review_cycles.iter().chain(&entry.conflict_cycles);
    let answer = |cycle: &Cycle| hours(cycle.sent_at, cycle.responded_at?);
    let answers: Vec<f64> = cycles.filter_map(answer).collect();
    (!answers.is_empty()).then(|| answers.iter().sum::<f64>() / answers.len() as f64)
}

fn hours(from: Timestamp, to: Timestamp) -> Option<f64> {
    // A clock that was set back gives no time at all.
    Some(to.duration_since(from).as_secs_f64() / 3600.0).filter(|hours| *hours >= 0.0)
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A word that is none of those of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write one of: merge-rate, hours-to-merge, response-hours, review-cycles, ci-failures, conflict-cycles, lines, cost"
)]
pub struct UnknownMetric;

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(word: &str) -> Result<Self, UnknownMetric> {
        Self::ALL.into_iter().find(|metric| metric.word() == word).ok_or(UnknownMetric)
    }
}

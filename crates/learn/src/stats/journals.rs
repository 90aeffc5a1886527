//! What the journals of finished children say: how many were merged, in how many cycles and hours, and which checks failed.

use super::{mean, median, share};
use banksman_core::{journal::JournalEntry, port::OutcomeResult, text::CheckName};
use serde::Serialize;
use std::collections::BTreeMap;

/// Failing checks that are named.
const CHECKS: usize = 10;

/// What to group by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// Engine or hosted agent, else the login.
    Implementer,
    /// Repository.
    Repo,
}

/// Statistics of journals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JournalStats {
    /// By implementer or repository, ascending by name.
    pub groups: Vec<Group>,
    /// All together.
    pub total: FlowStats,
    /// Checks that failed on the most commits, and how often.
    pub failing_checks: Vec<CheckCount>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Implementer or repository.
    pub name: String,
    /// Its numbers.
    #[serde(flatten)]
    pub stats: FlowStats,
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckCount {
    /// Its configured name.
    pub name: CheckName,
    /// Commits on which it was red.
    pub commits: u64,
    /// Children among whose commits one was.
    pub flows: u64,
}

/// Numbers of some finished flows.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FlowStats {
    /// Finished flows.
    pub flows: u64,
    /// Merged.
    pub merged: u64,
    /// Closed without a merge.
    pub closed: u64,
    /// With a person.
    pub escalated: u64,
    /// Share that was merged.
    pub merge_rate: Option<f64>,
    /// Median of the review cycles of a flow.
    pub median_review_cycles: Option<f64>,
    /// Median of its conflict cycles.
    pub median_conflict_cycles: Option<f64>,
    /// Median of its commits with a red check.
    pub median_ci_failures: Option<f64>,
    /// Share of flows with a red check on any commit.
    pub red_rate: Option<f64>,
    /// Mean hours from opening to the merge.
    pub mean_hours_to_merge: Option<f64>,
    /// Median of them.
    pub median_hours_to_merge: Option<f64>,
}

/// The statistics of some journals.
pub fn journal_stats(entries: &[JournalEntry], by: GroupBy) -> JournalStats {
    let mut groups: BTreeMap<&str, Vec<&JournalEntry>> = BTreeMap::new();
    for entry in entries {
        let name = match by {
            GroupBy::Repo => entry.repo.as_str(),
            GroupBy::Implementer => match (&entry.implementer, &entry.login) {
                (Some(name), _) => name.as_str(),
                (None, Some(login)) => login.as_str(),
                (None, None) => "unknown",
            },
        };
        groups.entry(name).or_default().push(entry);
    }
    let group = |(name, entries): (&str, Vec<&JournalEntry>)| Group {
        name: name.to_owned(),
        stats: flow_stats(&entries),
    };
    JournalStats {
        groups: groups.into_iter().map(group).collect(),
        total: flow_stats(&entries.iter().collect::<Vec<_>>()),
        failing_checks: failing_checks(entries),
    }
}

fn flow_stats(entries: &[&JournalEntry]) -> FlowStats {
    let ended = |result| entries.iter().filter(|e| e.result == result).count() as u64;
    let flows = entries.len() as u64;
    let merged = ended(OutcomeResult::Success);
    let median_of =
        |count: fn(&JournalEntry) -> usize| median(entries.iter().map(|e| count(e) as f64).collect());
    let hours: Vec<f64> = entries
        .iter()
        .filter_map(|e| Some(e.merged_at?.duration_since(e.opened_at?).as_secs_f64() / 3600.0))
        .collect();
    FlowStats {
        flows,
        merged,
        closed: ended(OutcomeResult::Closed),
        escalated: ended(OutcomeResult::Escalated),
        merge_rate: share(merged, flows),
        median_review_cycles: median_of(|e| e.review_cycles.len()),
        median_conflict_cycles: median_of(|e| e.conflict_cycles.len()),
        median_ci_failures: median_of(JournalEntry::ci_failures),
        red_rate: share(entries.iter().filter(|e| e.ci_failures() > 0).count() as u64, flows),
        mean_hours_to_merge: mean(&hours),
        median_hours_to_merge: median(hours),
    }
}

fn failing_checks(entries: &[JournalEntry]) -> Vec<CheckCount> {
    let mut checks: BTreeMap<&CheckName, (u64, u64)> = BTreeMap::new();
    for entry in entries {
        let mut own: BTreeMap<&CheckName, u64> = BTreeMap::new();
        for name in entry.ci_runs.iter().flat_map(|run| &run.failed) {
            *own.entry(name).or_default() += 1;
        }
        for (name, commits) in own {
            let known = checks.entry(name).or_default();
            known.0 += commits;
            known.1 += 1;
        }
    }
    let count = |(name, (commits, flows)): (&CheckName, _)| CheckCount { name: name.clone(), commits, flows };
    let mut all: Vec<CheckCount> = checks.into_iter().map(count).collect();
    // Stable: of equals the first by name.
    all.sort_by_key(|check| std::cmp::Reverse(check.commits));
    all.truncate(CHECKS);
    all
}

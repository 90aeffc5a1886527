//! What engines did in a period: totals and medians by engine, profile, place or day (Q22). Pure: facts in, numbers out.

mod sum;
mod times;

pub use times::{StageTime, stage_times};

use crate::port::AttemptFacts;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What attempts are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The engine.
    Engine,
    /// The profile of the job.
    Profile,
    /// The pipeline's repository, or the folder of the manifest.
    Place,
    /// The day on which the attempt began.
    Day,
}

/// Attempts of a period, together and in groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Insights {
    /// What they are grouped by.
    pub by: By,
    /// All attempts.
    pub total: Insight,
    /// The groups, ascending by name.
    pub groups: Vec<Group>,
}

/// The attempts that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Engine, profile, place, or day as `2026-11-21`; `-` for attempts without a profile.
    pub name: String,
    /// What they add up to.
    #[serde(flatten)]
    pub insight: Insight,
}

/// What attempts add up to. An attempt that neither shipped nor failed nor was lost is under way, or was given back without being
/// counted (quota, shutdown, cancel).
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Insight {
    /// Jobs that the attempts were about.
    pub jobs: u64,
    /// Attempts.
    pub attempts: u64,
    /// Attempts that shipped their job.
    pub shipped: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts that were lost with their worker. One whose job was not taken up again counts as under way.
    pub lost: u64,
    /// Attempts under way.
    pub running: u64,
    /// From claim to end, in milliseconds, of attempts that ended.
    pub wall_ms: Spread,
    /// CPU time of their processes, in milliseconds, where it was measured.
    pub cpu_ms: Spread,
    /// Input tokens, where the engine tells.
    pub tokens_in: Spread,
    /// Output tokens, where the engine tells.
    pub tokens_out: Spread,
    /// Cost in US dollars, where the engine tells.
    pub cost_usd: f64,
    /// Median of the cost of one attempt.
    pub median_cost_usd: Option<f64>,
    /// Lines added.
    pub lines_added: u64,
    /// Lines removed.
    pub lines_removed: u64,
    /// Median of the lines added and removed by one attempt.
    pub median_lines: Option<u64>,
}

/// Total and median of one number of attempts. Attempts without the number are in neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spread {
    /// The sum.
    pub total: u64,
    /// The median; of an even number of attempts the mean of the two in the middle.
    pub median: Option<u64>,
}

impl Insights {
    /// Adds attempts up. Days are those of `zone`.
    pub fn of(attempts: &[AttemptFacts], by: By, zone: &TimeZone) -> Self {
        // Which attempt of a job is its last one is known from all of them, before they are parted.
        let mut last = HashMap::new();
        for facts in attempts {
            let newest = last.entry(facts.record.job).or_insert(facts.record.attempt);
            *newest = facts.record.attempt.max(*newest);
        }
        let mut parted: BTreeMap<String, Vec<&AttemptFacts>> = BTreeMap::new();
        for facts in attempts {
            parted.entry(name(facts, by, zone)).or_default().push(facts);
        }
        let sum =
            |facts: &[&AttemptFacts]| sum::insight(facts, |one| last.get(&one.job) == Some(&one.attempt));
        let groups = parted.iter().map(|(name, facts)| Group { name: name.clone(), insight: sum(facts) });
        let groups = groups.collect();
        Self { by, total: sum(&attempts.iter().collect::<Vec<_>>()), groups }
    }
}

fn name(facts: &AttemptFacts, by: By, zone: &TimeZone) -> String {
    match by {
        By::Engine => facts.record.engine.to_string(),
        By::Profile => facts.profile.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        By::Place => facts.place.clone(),
        By::Day => zone.to_datetime(facts.record.started_at).date().to_string(),
    }
}

//! How flows ended in which an action was taken: success rate and time to resolution by action.

use super::{mean, median, share};
use crate::flow::Flow;
use banksman_core::{policy::ActionKind, port::OutcomeResult};
use serde::Serialize;
use std::collections::BTreeMap;

/// Adds up flows, one after the other.
#[derive(Debug, Default)]
pub struct ActionCounts {
    flows: u64,
    ended: u64,
    by_action: BTreeMap<ActionKind, Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    taken: u64,
    flows: u64,
    successes: u64,
    resolution_hours: Vec<f64>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionStats {
    /// Which.
    pub action: ActionKind,
    /// How often it was taken.
    pub taken: u64,
    /// Pull requests that it was taken on.
    pub flows: u64,
    /// Those of them that ended.
    pub ended: u64,
    /// Share of those that ended well.
    pub success_rate: Option<f64>,
    /// Mean hours from opening to the end.
    pub mean_resolution_hours: Option<f64>,
    /// Median of them.
    pub median_resolution_hours: Option<f64>,
}

impl ActionCounts {
    /// Adds a flow.
    pub fn flow(&mut self, flow: &Flow) {
        self.flows += 1;
        let outcome = flow.outcome().map(|(_, outcome)| outcome);
        self.ended += u64::from(outcome.is_some());
        let mut taken: BTreeMap<ActionKind, u64> = BTreeMap::new();
        for (_, action) in &flow.actions {
            *taken.entry(action.action).or_default() += 1;
        }
        for (action, times) in taken {
            let counts = self.by_action.entry(action).or_default();
            counts.taken += times;
            counts.flows += 1;
            if let Some(outcome) = outcome {
                counts.successes += u64::from(outcome.result == OutcomeResult::Success);
                counts.resolution_hours.push(outcome.resolution_hours);
            }
        }
    }

    /// Pull requests, and those of them that ended.
    pub fn flows(&self) -> (u64, u64) {
        (self.flows, self.ended)
    }

    /// The actions in the order of the closed list.
    pub fn stats(self) -> Vec<ActionStats> {
        let stats = |(action, counts): (ActionKind, Counts)| {
            let ended = counts.resolution_hours.len() as u64;
            ActionStats {
                action,
                taken: counts.taken,
                flows: counts.flows,
                ended,
                success_rate: share(counts.successes, ended),
                mean_resolution_hours: mean(&counts.resolution_hours),
                median_resolution_hours: median(counts.resolution_hours),
            }
        };
        self.by_action.into_iter().map(stats).collect()
    }
}

//! All numbers of all implementers.

use super::{Estimate, Metric};
use crate::{budget::forecast::Dice, id::Number, journal::JournalEntry, text::RepoName};
use serde::Serialize;
use std::collections::BTreeMap;

/// US dollars that the engines of a child told of.
pub type Costs = BTreeMap<(RepoName, Number), f64>;

/// What children are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The configured name of the engine or hosted agent; the login where there is none.
    Implementer,
    /// The model, by the host's table; the implementer where that has none.
    Model,
}

/// Implementers side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What they are grouped by.
    pub by: By,
    /// Where chance began.
    pub seed: u64,
    /// One per implementer or model, by name.
    pub groups: Vec<Group>,
}

/// One implementer or model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Its name; `-` for children of which nothing is known.
    pub name: String,
    /// Finished children.
    pub children: u32,
    /// What was measured, in the order of [`Metric::ALL`].
    pub measured: Vec<Measured>,
}

/// One number of one implementer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// Which.
    pub metric: Metric,
    /// How much; `None` where no child has it.
    pub estimate: Option<Estimate>,
}

impl Group {
    /// What was measured of a metric.
    pub fn estimate(&self, metric: Metric) -> Option<Estimate> {
        self.measured.iter().find(|measured| measured.metric == metric)?.estimate
    }
}

/// Compares the implementers of finished children, in any order.
pub fn report(entries: &[JournalEntry], costs: &Costs, by: By, seed: u64) -> Report {
    let mut parted: BTreeMap<String, Vec<&JournalEntry>> = BTreeMap::new();
    for entry in entries {
        parted.entry(name(entry, by)).or_default().push(entry);
    }
    let groups = parted.into_iter().map(|(name, mut entries)| {
        entries.sort_by(|a, b| (&a.repo, a.child, a.at).cmp(&(&b.repo, b.child, b.at)));
        let measured = Metric::ALL.map(|metric| {
            let values: Vec<f64> = entries.iter().filter_map(|entry| metric.of(entry, costs)).collect();
            // A stream of its own for each number, so that one more implementer changes no other one's interval.
            let mut dice = Dice::new(seed ^ stream(&name, metric));
            Measured { metric, estimate: Estimate::of(metric, &values, &mut dice) }
        });
        let children = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        Group { name, children, measured: measured.to_vec() }
    });
    Report { by, seed, groups: groups.collect() }
}

fn name(entry: &JournalEntry, by: By) -> String {
    let implementer = || {
        let login = || entry.login.as_ref().map(ToString::to_string);
        entry.implementer.as_ref().map(ToString::to_string).or_else(login)
    };
    let model = || entry.model.as_ref().map(ToString::to_string);
    let known = match by {
        By::Implementer => implementer(),
        By::Model => model().or_else(implementer),
    };
    known.unwrap_or_else(|| "-".to_owned())
}

/// FNV-1a over the name and the metric.
fn stream(name: &str, metric: Metric) -> u64 {
    let bytes = name.bytes().chain([0]).chain(metric.word().bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

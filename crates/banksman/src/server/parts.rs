//! The parts of `serve`, each of which can be left out (O1).

use clap::ValueEnum;
use serde::Serialize;
use std::collections::BTreeSet;

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// Runs jobs of the queue; takes in dropped files, echoes to the tracker.
    Workers,
    /// Looks at all repositories, when something happened and now and then.
    Sweeps,
    /// Takes in GitHub's webhooks at /webhooks/github.
    Webhooks,
    /// The embedded tracker at /items.
    Tracker,
    /// The embedded forge as GitHub shows itself: /graphql, /repos/..., git over HTTP.
    Forge,
    /// Takes in training data as InfluxDB does, line protocol at /api/v2/write and /write.
    Write,
    /// Observes every open pull request on schedule, for the training data.
    Captures,
}

/// Whether a part runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Running {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// The parts that run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    on: BTreeSet<Part>,
    /// Named by somebody: what cannot run then is an error and no remark.
    named: bool,
}

impl Parts {
    /// These alone, or, if none is named, all without those.
    pub(crate) fn of(only: &[Part], without: &[Part]) -> Self {
        let all = if only.is_empty() { Part::value_variants() } else { only };
        let on = all.iter().filter(|part| !without.contains(part)).copied().collect();
        Self { on, named: !only.is_empty() }
    }

    /// Whether it runs.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.on.contains(&part)
    }

    /// The same, to be shown.
    pub(crate) fn running(&self, part: Part) -> Running {
        if self.has(part) { Running::On } else { Running::Off }
    }

    /// Whether somebody asked for it by name.
    pub(crate) fn insists(&self, part: Part) -> bool {
        self.named && self.has(part)
    }

    /// Whether nothing but this runs.
    pub(crate) fn is_only(&self, part: Part) -> bool {
        self.on.iter().eq([&part])
    }

    /// Whether nothing runs at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.on.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_or_left_out() {
        let all = Parts::of(&[], &[]);
        assert!(Part::value_variants().iter().all(|part| all.has(*part) && !all.insists(*part)));
        assert!(!Parts::of(&[], &[Part::Workers]).has(Part::Workers));
        assert!(Parts::of(&[Part::Tracker], &[]).is_only(Part::Tracker));
        assert!(Parts::of(&[Part::Webhooks], &[]).insists(Part::Webhooks));
        assert!(Parts::of(&[Part::Webhooks], &[Part::Webhooks]).is_empty());
        assert_eq!(Parts::of(&[Part::Tracker, Part::Forge], &[]).running(Part::Sweeps), Running::Off);
    }
}

//! The daily cadence (B13): its times from the configuration, what each run does, and the loop that `serve` runs.

mod keep;
mod report;
mod run;

pub(crate) use keep::keep;
pub(crate) use report::{Report, latest_suggestions};
pub(crate) use run::run_once;

use crate::config::Settings;
use banksman_core::budget::{
    Team,
    cadence::{Cadence, Schedule},
};

/// The runs that have a time. Without a zone of their own they follow the team's.
pub(crate) fn schedules(settings: &Settings, team: &Team) -> Vec<Schedule> {
    let keys = &settings.cadence;
    let zone = keys.zone.clone().unwrap_or_else(|| team.day.zone.clone());
    Cadence::ALL
        .into_iter()
        .filter_map(|run| {
            let at = match run {
                Cadence::Morning => keys.morning,
                Cadence::Midday => keys.midday,
                Cadence::Evening => keys.evening,
            };
            Some(Schedule { run, at: at?, zone: zone.clone() })
        })
        .collect()
}

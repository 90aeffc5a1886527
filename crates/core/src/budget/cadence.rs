//! The daily cadence (B13): which run is due when. Each slot of a schedule is run once: the books know which, so that a restart, or a second
//! process, neither loses nor repeats one. Of several that were missed the last one is run; the day of the others is over.

use super::Zone;
use crate::text::ScheduleName;
use jiff::{Timestamp, civil::Time};
use serde::{Deserialize, Serialize};

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Tick, unstick, plan.
    Morning,
    /// Conflicts and pacing.
    Midday,
    /// Report and forecast.
    Evening,
}

impl Cadence {
    /// All, in the order of the day.
    pub const ALL: [Self; 3] = [Self::Morning, Self::Midday, Self::Evening];

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Midday => "midday",
            Self::Evening => "evening",
        }
    }

    /// The name of its schedule.
    #[expect(clippy::expect_used, reason = "constants of the required shape")]
    pub fn name(self) -> ScheduleName {
        ScheduleName::new(self.word()).expect("a schedule's name")
    }
}

/// When something is run each day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// What.
    pub run: Cadence,
    /// The time of day. Where the clocks skip it, the next moment that there is; where they show it twice, the first.
    pub at: Time,
    /// In this zone.
    pub zone: Zone,
}

impl Schedule {
    /// The last slot at or before an instant.
    pub fn last(&self, now: Timestamp) -> Timestamp {
        super::Window { period: super::Period::Day, reset: self.at, zone: self.zone.clone() }
            .around(now)
            .start
    }

    /// The first slot after an instant.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        super::Window { period: super::Period::Day, reset: self.at, zone: self.zone.clone() }.around(now).end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_the_clock_of_the_zone() {
        let schedule = Schedule {
            run: Cadence::Morning,
            at: Time::constant(8, 0, 0, 0),
            zone: "Europe/Berlin".parse().unwrap(),
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(schedule.last(at("2026-03-28T12:00:00Z")), at("2026-03-28T07:00:00Z"));
        assert_eq!(schedule.next(at("2026-03-28T12:00:00Z")), at("2026-03-29T06:00:00Z"));
        assert_eq!(schedule.last(at("2026-03-29T06:00:00Z")), at("2026-03-29T06:00:00Z"));
    }
}

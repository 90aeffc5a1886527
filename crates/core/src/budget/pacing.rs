//! The pace of a day (B8): whether what was used so far calls for more, for less or for nothing special. A pure function of the time of day
//! and of two counts.

use jiff::civil::Time;
use serde::Serialize;

/// Percent of the day's tasks that have to be used by midday.
pub const MIDDAY_PERCENT: u32 = 50;
/// Percent of the day's tasks that may be used in the morning.
pub const MORNING_PERCENT: u32 = 80;

/// How fast the rest of a day may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "pace")]
pub enum Pace {
    /// As planned.
    Steady,
    /// Too little was used by midday: the rest of the day catches up, and the cap per repository is half as high again.
    Raised {
        /// Percent of the day's tasks used so far.
        used_percent: u32,
    },
    /// Too much was used in the morning: nothing new is dispatched, only what is stuck is helped.
    UnstickOnly {
        /// Percent of the day's tasks used so far.
        used_percent: u32,
    },
}

impl Pace {
    /// The pace at a time of day (in the time zone of the pool) with `used` of the `target` tasks of the day used. A day without tasks is
    /// steady: there is nothing to hurry for.
    pub fn at(time: Time, used: u32, target: u32) -> Self {
        let midday = Time::constant(12, 0, 0, 0);
        let (part, whole) = (u64::from(used) * 100, u64::from(target));
        let used_percent = part.checked_div(whole).map_or(0, |p| u32::try_from(p).unwrap_or(u32::MAX));
        if target == 0 {
            Self::Steady
        } else if time < midday && part > u64::from(MORNING_PERCENT) * whole {
            Self::UnstickOnly { used_percent }
        } else if time >= midday && part < u64::from(MIDDAY_PERCENT) * whole {
            Self::Raised { used_percent }
        } else {
            Self::Steady
        }
    }

    /// The cap per repository under this pace, in percent of the day: half as high again when raised, never all.
    pub fn cap_percent(self, cap: u32) -> u32 {
        match self {
            Self::Steady | Self::UnstickOnly { .. } => cap,
            Self::Raised { .. } => (cap + cap / 2).min(cap.max(90)),
        }
    }
}

/// Tasks per hour, in tenths, that use up `left` tasks by the end of the day. The last hour counts as a whole one.
pub fn tenths_per_hour(time: Time, left: u32) -> u32 {
    let minutes_left = (24 * 60 - (i32::from(time.hour()) * 60 + i32::from(time.minute()))).max(60);
    let tenths = u64::from(left) * 600 / u64::from(minutes_left.unsigned_abs());
    u32::try_from(tenths).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    #[test]
    fn a_lazy_morning_raises_and_a_greedy_one_throttles() {
        let at = |hour, used| Pace::at(time(hour, 0, 0, 0), used, 100);
        assert_eq!(at(9, 10), Pace::Steady);
        assert_eq!(at(11, 80), Pace::Steady);
        assert_eq!(at(11, 81), Pace::UnstickOnly { used_percent: 81 });
        assert_eq!(at(12, 81), Pace::Steady);
        assert_eq!(at(12, 50), Pace::Steady);
        assert_eq!(at(12, 49), Pace::Raised { used_percent: 49 });
        assert_eq!(at(23, 0), Pace::Raised { used_percent: 0 });
        assert_eq!(Pace::at(time(13, 0, 0, 0), 0, 0), Pace::Steady);
    }

    #[test]
    fn a_raised_pace_never_gives_all_to_one() {
        let raised = Pace::Raised { used_percent: 0 };
        assert_eq!(raised.cap_percent(40), 60);
        assert_eq!(raised.cap_percent(80), 90);
        assert_eq!(raised.cap_percent(100), 100);
        assert_eq!(Pace::Steady.cap_percent(40), 40);
    }

    #[test]
    fn the_rate_uses_up_what_is_left_by_midnight() {
        assert_eq!(tenths_per_hour(time(12, 0, 0, 0), 60), 50);
        assert_eq!(tenths_per_hour(time(23, 59, 0, 0), 7), 70);
    }
}

//! Windows of quotas: days, weeks and months that begin at a time of day in a time zone (B1). What was not used in one is gone with it
//! (B5). Knows the rules of all zones by itself, so that the same instant falls into the same window on every host.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::LazyLock};

/// The bundled rules of all zones.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone by its name, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// No zone of that name is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no time zone has that name; write one such as `Europe/Berlin` or `UTC`")]
pub struct NoZone;

impl Zone {
    /// The zone without rules.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Its rules.
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl FromStr for Zone {
    type Err = NoZone;
    fn from_str(name: &str) -> Result<Self, NoZone> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::UTC);
        }
        // `Etc/Unknown` is a placeholder and no place.
        let found = ZONES.get(name).map_err(|_| NoZone)?;
        if found.is_unknown() { Err(NoZone) } else { Ok(Self(found)) }
    }
}

impl TryFrom<String> for Zone {
    type Error = NoZone;
    fn try_from(name: String) -> Result<Self, NoZone> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

/// How long a window lasts and on which day it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Every day.
    Day,
    /// Every week, on this day.
    Week {
        /// 1 is Monday, 7 Sunday.
        on: i8,
    },
    /// Every month, on this day or the month's last one.
    Month {
        /// 1 to 31.
        on: i8,
    },
}

impl Period {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week { .. } => "week",
            Self::Month { .. } => "month",
        }
    }

    /// The last day on or before `date` on which a window begins.
    fn begin(self, date: Date) -> Option<Date> {
        match self {
            Self::Day => Some(date),
            Self::Week { on } => {
                let on = Weekday::from_monday_one_offset(on).ok()?;
                date.checked_sub(i64::from(date.weekday().since(on)).days()).ok()
            }
            Self::Month { on } => {
                let this = in_month(date, on);
                if this <= date {
                    return Some(this);
                }
                Some(in_month(date.first_of_month().checked_sub(1.day()).ok()?, on))
            }
        }
    }

    /// The day on which the window after the one that begins on `date` begins.
    fn after(self, date: Date) -> Option<Date> {
        match self {
            Self::Day => date.checked_add(1.day()).ok(),
            Self::Week { .. } => date.checked_add(1.week()).ok(),
            Self::Month { on } => Some(in_month(date.last_of_month().checked_add(1.day()).ok()?, on)),
        }
    }
}

/// That day of the month of `date`, or the month's last one.
fn in_month(date: Date, day: i8) -> Date {
    let day = day.clamp(1, date.days_in_month());
    // The day was brought inside the month.
    Date::new(date.year(), date.month(), day).unwrap_or_else(|_| date.first_of_month())
}

/// The windows of a quota: one follows the other without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// How long each lasts.
    pub period: Period,
    /// The time of day at which one ends and the next begins. Where the clocks skip it, the next moment that there is; where they show it
    /// twice, the first.
    pub reset: Time,
    /// In this zone.
    pub zone: Zone,
}

impl Default for Window {
    fn default() -> Self {
        Self { period: Period::Day, reset: Time::midnight(), zone: Zone::UTC }
    }
}

/// One window: from its start, inclusive, to its end, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First instant.
    pub start: Timestamp,
    /// When it is reset.
    pub end: Timestamp,
}

impl Span {
    /// Until when what is counted in a window may be dated: one more length of it. A clock that ran ahead over the reset wrote into the
    /// next window; put right, it still counts here, and nobody spends the window twice.
    pub fn counted_until(self) -> Timestamp {
        self.end.saturating_add(self.end.duration_since(self.start)).unwrap_or(Timestamp::MAX)
    }

    /// Whether an instant falls into it.
    pub fn has(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

impl Window {
    /// The window that an instant falls into.
    pub fn around(&self, at: Timestamp) -> Span {
        self.named(at).1
    }

    /// The same with the day on which it began, in its zone.
    pub fn named(&self, at: Timestamp) -> (Date, Span) {
        let today = self.zone.0.to_datetime(at).date();
        // Only at the very ends of the calendar is there none.
        self.begun(today, at).unwrap_or((today, Span { start: Timestamp::MIN, end: Timestamp::MAX }))
    }

    /// The last window that began at or before an instant, looked for from a day near it. The day's own may begin later; and where the
    /// clocks skip a day, or show the reset twice, the neighbours are not where they are expected.
    fn begun(&self, near: Date, at: Timestamp) -> Option<(Date, Span)> {
        let mut first = self.period.begin(near)?;
        while self.instant(first) > at {
            first = self.period.begin(first.checked_sub(1.day()).ok()?)?;
        }
        loop {
            let next = self.period.after(first)?;
            let (start, end) = (self.instant(first), self.instant(next));
            if end > at {
                return Some((first, Span { start, end }));
            }
            first = next;
        }
    }

    /// The instant of the reset on a day.
    fn instant(&self, day: Date) -> Timestamp {
        let wanted = self.zone.0.to_ambiguous_timestamp(day.to_datetime(self.reset));
        wanted.compatible().unwrap_or(if day.year() > 0 { Timestamp::MAX } else { Timestamp::MIN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(period: Period, reset: &str, zone: &str) -> Window {
        Window { period, reset: reset.parse().unwrap(), zone: zone.parse().unwrap() }
    }

    fn span(start: &str, end: &str) -> Span {
        Span { start: at(start), end: at(end) }
    }

    #[test]
    fn a_day_is_reset_at_its_time_in_its_zone() {
        let day = window(Period::Day, "00:00", "America/Los_Angeles");
        let (date, found) = day.named(at("2026-02-05T07:59:59Z"));
        assert_eq!(found, span("2026-02-04T08:00:00Z", "2026-02-05T08:00:00Z"));
        assert_eq!(date.to_string(), "2026-02-04");
        assert_eq!(day.around(at("2026-02-05T08:00:00Z")).start, at("2026-02-05T08:00:00Z"));
    }

    #[test]
    fn a_day_is_shorter_or_longer_where_the_clocks_change() {
        let day = window(Period::Day, "00:00", "Europe/Berlin");
        let spring = day.around(at("2026-03-29T12:00:00Z"));
        assert_eq!(spring, span("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
        let autumn = day.around(at("2026-10-25T12:00:00Z"));
        assert_eq!(autumn, span("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"));
    }

    #[test]
    fn a_reset_that_the_clocks_skip_or_show_twice_happens_once() {
        // 02:30 is skipped on the 29th of March and comes twice on the 25th of October.
        let day = window(Period::Day, "02:30", "Europe/Berlin");
        assert_eq!(day.around(at("2026-03-29T01:29:59Z")).end, at("2026-03-29T01:30:00Z"));
        assert_eq!(
            day.around(at("2026-03-29T01:30:00Z")),
            span("2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z")
        );
        assert_eq!(
            day.around(at("2026-10-25T00:30:00Z")),
            span("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")
        );
        assert_eq!(day.around(at("2026-10-25T01:30:00Z")).start, at("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn weeks_and_months_begin_on_their_day() {
        let week = window(Period::Week { on: 1 }, "09:00", "UTC");
        assert_eq!(
            week.around(at("2026-02-09T08:59:00Z")),
            span("2026-02-02T09:00:00Z", "2026-02-09T09:00:00Z")
        );
        assert_eq!(
            week.around(at("2026-02-15T08:59:00Z")),
            span("2026-02-09T09:00:00Z", "2026-02-16T09:00:00Z")
        );
        let month = window(Period::Month { on: 31 }, "00:00", "UTC");
        assert_eq!(
            month.around(at("2026-02-28T00:00:00Z")),
            span("2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z")
        );
        assert_eq!(
            month.around(at("2026-02-27T23:00:00Z")),
            span("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z")
        );
    }

    #[test]
    fn zones_are_known_by_name_alone() {
        assert_eq!("utc".parse::<Zone>().unwrap(), Zone::UTC);
        assert_eq!("Asia/Kathmandu".parse::<Zone>().unwrap().to_string(), "Asia/Kathmandu");
        for bad in ["", "Mars/Olympus", "Europe/berlin\n", "+02:00", "Etc/Unknown"] {
            assert!(bad.parse::<Zone>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Every instant is in one window, and the next one begins where it ends, in zones with every kind of change.
        #[test]
        fn windows_follow_each_other_without_a_gap(
            second in 0i64..4_000_000_000, hour in 0i8..24, minute in 0i8..60, on in 1i8..32, kind in 0u8..3,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo"]),
        ) {
            let period = match kind {
                0 => Period::Day,
                1 => Period::Week { on: (on - 1) % 7 + 1 },
                _ => Period::Month { on },
            };
            let window = Window { period, reset: Time::constant(hour, minute, 0, 0), zone: zone.parse().unwrap() };
            let at = Timestamp::from_second(second).unwrap();
            let span = window.around(at);
            prop_assert!(span.has(at), "{span:?} {at}");
            prop_assert_eq!(window.around(span.start), span);
            let next = window.around(span.end);
            prop_assert_eq!(next.start, span.end);
            prop_assert!(next.end > next.start);
        }
    }
}

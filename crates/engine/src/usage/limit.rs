//! When the quota of an engine is used up (Q21), and when it resets, as the engine's own error fields say it. Text is looked at only where an
//! engine has no other field for it: the beginning of its own error message, and the time at a place that is known.

use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, Time},
    fmt::strtime,
    tz::TimeZone,
};

/// An engine said that its quota is used up. It means something only when the engine did not end well: a run may go on after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    reset: Reset,
}

/// What was said about the reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reset {
    /// Nothing.
    Unknown,
    /// A point in time.
    At(Timestamp),
    /// A pause from the end of the attempt.
    After(SignedDuration),
    /// A time of the day that comes next, UTC.
    Clock(Time),
}

/// Longest pause that is believed; quotas are by the minute, hour, day, week or month.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 32);

/// Longest error message that is looked at, in bytes.
const MAX_MESSAGE: usize = 4096;

impl Limited {
    pub(crate) fn new(reset: Reset) -> Self {
        Self { reset }
    }

    /// When it resets, for an attempt that ended at `now`. `None`: it was not said, is over, or is not to be believed.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = match self.reset {
            Reset::Unknown => return None,
            Reset::At(at) => at,
            Reset::After(pause) => now.checked_add(pause).ok()?,
            Reset::Clock(time) => {
                let now_utc = now.to_zoned(TimeZone::UTC).datetime();
                let today = now_utc.date().to_datetime(time);
                let next = if today > now_utc {
                    today
                } else {
                    today.checked_add(SignedDuration::from_hours(24)).ok()?
                };
                next.to_zoned(TimeZone::UTC).ok()?.timestamp()
            }
        };
        (until > now && until.duration_since(now) <= LONGEST).then_some(until)
    }
}

/// A message, cut to what is looked at.
pub(super) fn bounded(message: &str) -> &str {
    let mut end = message.len().min(MAX_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// Seconds since 1970.
pub(super) fn epoch(seconds: i64) -> Reset {
    Timestamp::from_second(seconds).map_or(Reset::Unknown, Reset::At)
}

/// A pause in seconds.
pub(super) fn seconds(seconds: f64) -> Reset {
    SignedDuration::try_from_secs_f64(seconds).map_or(Reset::Unknown, Reset::After)
}

/// `10:26 PM` or `Nov 21st, 2026 10:26 PM`, at the beginning of `text`; what follows does not matter.
pub(super) fn time_of_day(text: &str) -> Reset {
    let Some(end) = ["AM", "PM"].iter().filter_map(|half| text.find(half)).min() else {
        return Reset::Unknown;
    };
    let text = &text[..end + 2];
    if let Ok(time) = Time::strptime("%I:%M %p", text) {
        return Reset::Clock(time);
    }
    let plain: String =
        ["st,", "nd,", "rd,", "th,"].iter().fold(text.to_owned(), |text, end| text.replacen(end, ",", 1));
    let parsed = strtime::parse("%b %d, %Y %I:%M %p", &plain).and_then(|time| time.to_datetime());
    let stamp = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    parsed.and_then(stamp).map_or(Reset::Unknown, Reset::At)
}

/// `3h12m5s`, `3601.5s` or `800ms`, at the beginning of `text`; what follows does not matter.
pub(super) fn pause(text: &str) -> Reset {
    let mut rest = text;
    let mut total = 0.0;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].parse::<f64>() else { break };
        let unit = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("d", 86_400.0)];
        let Some((name, factor)) = unit.iter().find(|(name, _)| rest[digits..].starts_with(name)) else {
            break;
        };
        total += number * factor;
        rest = &rest[digits + name.len()..];
    }
    if total > 0.0 { seconds(total) } else { Reset::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T16:30:00Z";

    fn until(reset: Reset) -> Option<String> {
        Limited::new(reset).until(NOW.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn a_time_of_the_day_is_the_next_one() {
        assert_eq!(until(time_of_day("10:26 PM.")).as_deref(), Some("2026-11-21T22:26:00Z"));
        assert_eq!(until(time_of_day("9:05 AM. More")).as_deref(), Some("2026-11-22T09:05:00Z"));
        assert_eq!(until(time_of_day("Dec 3rd, 2026 12:57 AM.")).as_deref(), Some("2026-12-03T00:57:00Z"));
        assert_eq!(until(time_of_day("later")), None);
    }

    #[test]
    fn pauses_count_from_the_end_of_the_attempt() {
        assert_eq!(until(pause("3h12m5s.")).as_deref(), Some("2026-11-21T19:42:05Z"));
        assert_eq!(until(pause("3600.0s")).as_deref(), Some("2026-11-21T17:30:00Z"));
        assert_eq!(until(pause("soon")), None);
        assert_eq!(until(seconds(f64::NAN)), None);
    }

    #[test]
    fn what_is_over_or_far_away_is_not_believed() {
        assert_eq!(until(epoch(1_600_000_000)), None);
        assert_eq!(until(epoch(i64::MAX)), None);
        assert_eq!(until(pause("900d")), None);
        assert_eq!(until(Reset::Unknown), None);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "’".repeat(3000);
        assert!(bounded(&long).len() <= MAX_MESSAGE);
    }
}

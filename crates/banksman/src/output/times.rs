//! Times and amounts as people read them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// How long ago, or in how long: `12 s`, `5 min`, `3 h`, `2 d`.
pub(crate) fn span_words(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().abs();
    match seconds {
        0..1 => format!("{} ms", duration.as_millis().abs()),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `3 min ago`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span_words(now.duration_since(at)))
}

/// A moment in the time zone of the host: `2026-11-21 16:40:07`.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A large number with its unit: `950`, `12.3k`, `4.5M`.
pub(crate) fn amount(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{:.1}k", number as f64 / 1e3),
        _ => format!("{:.1}M", number as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_unit_that_fits() {
        let words =
            [1, 119, 120, 7199, 7200, 172_799, 172_800].map(|s| span_words(SignedDuration::from_secs(s)));
        assert_eq!(words, ["1 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"]);
        assert_eq!(span_words(SignedDuration::from_millis(-35)), "35 ms");
        assert_eq!([999, 12_345, 4_500_000].map(amount), ["999", "12.3k", "4.5M"]);
    }
}

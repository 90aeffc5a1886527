//! What happened on each day, for the history (B9): dispatched, merged, stuck, escalated.

use super::Window;
use jiff::{Timestamp, ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// A child was handed to an implementer.
    Dispatched,
    /// A pull request was merged.
    Merged,
    /// Its implementer was asked to mend something: reviews, a conflict, red checks.
    Stuck,
    /// A person was called.
    Escalated,
}

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// Its date in the team's zone.
    pub date: Date,
    /// Dispatched children.
    pub dispatched: u32,
    /// Merged pull requests.
    pub merged: u32,
    /// Requests to mend something.
    pub stuck: u32,
    /// Calls of a person.
    pub escalated: u32,
}

impl DayCount {
    fn empty(date: Date) -> Self {
        Self { date, dispatched: 0, merged: 0, stuck: 0, escalated: 0 }
    }

    /// The greatest of its counts.
    pub fn most(&self) -> u32 {
        self.dispatched.max(self.merged).max(self.stuck).max(self.escalated)
    }
}

/// The last `days` days of the team, today's the last, with what happened on each. Days without anything are there too: for a forecast they
/// are as true as the others.
pub fn count_days(
    day: &Window,
    now: Timestamp,
    days: u16,
    events: impl IntoIterator<Item = (Timestamp, Happened)>,
) -> Vec<DayCount> {
    let (today, _) = day.named(now);
    let dates = (0..days).rev().filter_map(|back| today.checked_sub(i64::from(back).days()).ok());
    let mut counts: Vec<DayCount> = dates.map(DayCount::empty).collect();
    for (at, what) in events {
        let (date, _) = day.named(at);
        let Ok(place) = counts.binary_search_by_key(&date, |count| count.date) else { continue };
        let Some(count) = counts.get_mut(place) else { continue };
        let counter = match what {
            Happened::Dispatched => &mut count.dispatched,
            Happened::Merged => &mut count.merged,
            Happened::Stuck => &mut count.stuck,
            Happened::Escalated => &mut count.escalated,
        };
        *counter += 1;
    }
    counts
}

/// The start of the first of the last `days` days.
pub fn first_instant(day: &Window, now: Timestamp, days: u16) -> Timestamp {
    let mut start = day.around(now).start;
    for _ in 1..days {
        let Ok(before) = start.checked_sub(jiff::SignedDuration::from_secs(1)) else { break };
        start = day.around(before).start;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_team_and_empty_ones_are_there() {
        let day = Window { zone: "Asia/Tokyo".parse().unwrap(), ..Window::default() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let events = [
            (at("2026-02-03T14:59:59Z"), Happened::Merged),
            (at("2026-02-03T15:00:00Z"), Happened::Dispatched),
            (at("2026-02-05T03:00:00Z"), Happened::Dispatched),
            (at("2026-02-05T03:00:01Z"), Happened::Escalated),
            (at("2026-01-01T00:00:00Z"), Happened::Stuck),
        ];
        let now = at("2026-02-05T04:00:00Z");
        let days = count_days(&day, now, 3, events);
        let told: Vec<_> =
            days.iter().map(|d| (d.date.to_string(), d.dispatched, d.merged, d.stuck, d.escalated)).collect();
        assert_eq!(
            told,
            [
                ("2026-02-03".to_owned(), 0, 1, 0, 0),
                ("2026-02-04".to_owned(), 1, 0, 0, 0),
                ("2026-02-05".to_owned(), 1, 0, 0, 1),
            ]
        );
        assert_eq!(first_instant(&day, now, 3), at("2026-02-02T15:00:00Z"));
    }
}

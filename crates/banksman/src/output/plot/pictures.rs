//! The pictures that there are: each from its data to a chart.

use super::{Axis, Chart, Mark, Stroke, Tone, scale::ceiling};
use banksman_core::{
    benchmark::{Board, Metric},
    budget::{
        days::DayCount,
        forecast::{Backtest, BurnDay, Dates, Due},
    },
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Dispatched, merged, stuck and escalated by day (B9).
pub(crate) fn history(days: &[DayCount]) -> Chart {
    let most = days.iter().map(DayCount::most).max().unwrap_or(0);
    let bars = |name, tone, of: fn(&DayCount) -> u32| Mark::Bars {
        name,
        tone,
        values: days.iter().enumerate().map(|(day, count)| (day as f64, f64::from(of(count)))).collect(),
    };
    Chart {
        title: format!("The last {} days", days.len()),
        note: "children dispatched, pull requests merged, requests to mend, calls of a person".to_owned(),
        x: Axis::Days {
            first: days.first().map_or(Date::constant(1970, 1, 1), |day| day.date),
            count: u32::try_from(days.len()).unwrap_or(u32::MAX),
        },
        y: Axis::Numbers { label: String::new(), from: 0.0, to: ceiling(f64::from(most)) },
        marks: vec![
            bars("dispatched", Tone::First, |day| day.dispatched),
            bars("merged", Tone::Third, |day| day.merged),
            bars("stuck", Tone::Second, |day| day.stuck),
            bars("escalated", Tone::Fourth, |day| day.escalated),
        ],
    }
}

/// What a burn-up shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BurnUp<'a> {
    /// Children settled at the end of each past day; the last one is today, so far.
    pub(crate) past: Vec<(Date, u32)>,
    /// Children of all open epics, settled or not.
    pub(crate) scope: u32,
    /// What is to come.
    pub(crate) days: &'a [BurnDay],
    /// When all will be done.
    pub(crate) all: Option<Dates>,
    /// Now, in the zone of the days.
    pub(crate) now: Timestamp,
    /// The zone of the days.
    pub(crate) zone: &'a TimeZone,
}

/// Settled children by day, with the forecast as a band and the dates as upright lines.
pub(crate) fn burn_up(up: &BurnUp<'_>) -> Chart {
    let today = up.past.last().map_or(Date::constant(1970, 1, 1), |(date, _)| *date);
    let first = up.past.first().map_or(today, |(date, _)| *date);
    let place = |date: Date| f64::from(first.until(date).map_or(0, |span| span.get_days()));
    let done = up.past.last().map_or(0, |(_, count)| *count);
    let last = up.days.last().map_or(today, |day| day.date);
    // A day's count is that of its end; today's is that of now.
    let now = (day_of(up.now, up.zone, first), f64::from(done));
    let ended = up.past.iter().take(up.past.len().saturating_sub(1));
    let past = ended.map(|(date, count)| (place(*date) + 1.0, f64::from(*count))).chain([now]).collect();
    let to_come = || up.days.iter().map(|day| (place(day.date) + 1.0, day));
    let band: Vec<(f64, f64, f64)> = std::iter::once((now.0, now.1, now.1))
        .chain(to_come().map(|(x, day)| (x, f64::from(done + day.p15), f64::from(done + day.p85))))
        .collect();
    let middle =
        std::iter::once(now).chain(to_come().map(|(x, day)| (x, f64::from(done + day.p50)))).collect();
    let count = place(last) as u32 + 2;
    let scope = f64::from(up.scope);
    let mut marks = vec![
        Mark::Band { name: "70 of 100 futures", tone: Tone::First, points: band },
        Mark::Line { name: "settled", tone: Tone::Third, stroke: Stroke::Solid, points: past },
        Mark::Line { name: "forecast (P50)", tone: Tone::First, stroke: Stroke::Dashed, points: middle },
        Mark::Line {
            name: "all children",
            tone: Tone::Quiet,
            stroke: Stroke::Dashed,
            points: vec![(-0.5, scope), (f64::from(count) - 0.5, scope)],
        },
    ];
    let upright = |word, tone, due: Due| {
        let at = day_of(due?, up.zone, first);
        (at <= f64::from(count) - 0.5).then_some(Mark::Upright { word, tone, at })
    };
    if let Some(dates) = up.all {
        marks.extend(upright("P50", Tone::Quiet, dates.p50));
        marks.extend(upright("P85", Tone::Second, dates.p85));
        marks.extend(upright("P95", Tone::Quiet, dates.p95));
    }
    Chart {
        title: "Burn-up with forecast".to_owned(),
        note: format!("{done} of {} children settled", up.scope),
        x: Axis::Days { first, count },
        y: Axis::Numbers {
            label: "children".to_owned(),
            from: 0.0,
            to: ceiling(scope.max(f64::from(done)) * 1.05),
        },
        marks,
    }
}

/// The place of a moment on an axis of days.
fn day_of(at: Timestamp, zone: &TimeZone, first: Date) -> f64 {
    let local = zone.to_datetime(at);
    let days = first.until(local.date()).map_or(0, |span| span.get_days());
    f64::from(days) + (f64::from(local.hour()) + f64::from(local.minute()) / 60.0) / 24.0
}

/// How often dates of each chance held, against what was promised.
pub(crate) fn calibration(test: &Backtest) -> Chart {
    let of = test.cases.len();
    let points: Vec<(f64, f64)> = test
        .levels
        .iter()
        .map(|level| (f64::from(level.percent), 100.0 * f64::from(level.held) / f64::from(level.of.max(1))))
        .collect();
    // Two standard errors around the promise: where an honest forecast is found.
    let band = (0..=20).map(|n| f64::from(n) * 5.0).map(|percent| {
        let p = percent / 100.0;
        let error = 200.0 * (p * (1.0 - p) / of.max(1) as f64).sqrt();
        (percent, (percent - error).max(0.0), (percent + error).min(100.0))
    });
    Chart {
        title: "Calibration of the forecast".to_owned(),
        note: format!("{of} epics that ended: each forecast as it would have been when the epic began"),
        x: Axis::Numbers { label: "chance of the date, %".to_owned(), from: 0.0, to: 100.0 },
        y: Axis::Numbers { label: "held, %".to_owned(), from: 0.0, to: 100.0 },
        marks: vec![
            Mark::Band { name: "what chance allows", tone: Tone::Quiet, points: band.collect() },
            Mark::Line {
                name: "as promised",
                tone: Tone::Quiet,
                stroke: Stroke::Dashed,
                points: vec![(0.0, 0.0), (100.0, 100.0)],
            },
            Mark::Line { name: "", tone: Tone::First, stroke: Stroke::Solid, points: points.clone() },
            Mark::Dots { name: "held", tone: Tone::First, points },
        ],
    }
}

/// Implementers with their intervals.
pub(crate) fn leaderboard(board: &Board) -> Chart {
    let most = board.rows.iter().map(|row| row.estimate.high).fold(0.0, f64::max);
    let place = |row: &banksman_core::benchmark::BoardRow| match row.rank {
        Some(rank) => format!("{rank}. {}", row.name),
        None => row.name.clone(),
    };
    let to = if board.metric == Metric::MergeRate { 1.0 } else { ceiling(most) };
    Chart {
        title: format!("Implementers by {}", board.metric),
        note: "middle and 95 % interval; a rank only where no other interval reaches".to_owned(),
        x: Axis::Numbers { label: board.metric.word().to_owned(), from: 0.0, to },
        y: Axis::Names(board.rows.iter().map(place).collect()),
        marks: vec![Mark::Spans {
            name: "",
            tone: Tone::First,
            rows: board
                .rows
                .iter()
                .enumerate()
                .map(|(at, row)| (at as f64, row.estimate.low, row.estimate.middle, row.estimate.high))
                .collect(),
        }],
    }
}

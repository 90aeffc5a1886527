//! Where ticks stand and how they are written.

use super::Axis;
use jiff::{ToSpan as _, civil::Date};

/// Ticks of an axis: place and label, ascending by place.
pub(super) fn ticks(axis: &Axis, most: usize) -> Vec<(f64, String)> {
    match axis {
        Axis::Numbers { from, to, .. } => numbers(*from, *to, most),
        Axis::Days { first, count } => days(*first, *count, most),
        Axis::Names(names) => names.iter().enumerate().map(|(i, name)| (i as f64, name.clone())).collect(),
    }
}

/// The least and greatest place of an axis.
pub(super) fn range(axis: &Axis) -> (f64, f64) {
    match axis {
        Axis::Numbers { from, to, .. } => (*from, if to > from { *to } else { from + 1.0 }),
        Axis::Days { count, .. } => (-0.5, f64::from((*count).max(1)) - 0.5),
        // The first name is on top.
        Axis::Names(names) => (names.len().max(1) as f64 - 0.5, -0.5),
    }
}

/// A number that ends an axis well: the next of 1, 2, 2.5, 5 times a power of ten by which the greatest value fits.
pub(super) fn ceiling(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(most.log10().floor());
    let step =
        [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].into_iter().find(|s| s * power >= most * 0.9999);
    step.unwrap_or(10.0) * power
}

fn numbers(from: f64, to: f64, most: usize) -> Vec<(f64, String)> {
    let span = (to - from).max(1e-9);
    let raw = span / most.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|s| s * power >= raw * 0.9999).unwrap_or(10.0) * power;
    let decimals = (-step.log10().floor()).max(0.0) as usize
        + usize::from((step / power - 2.5).abs() < 1e-9 && power <= 1.0);
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).map(|n| n as f64 * step).map(|at| (at, format!("{at:.decimals$}"))).collect()
}

fn days(first: Date, count: u32, most: usize) -> Vec<(f64, String)> {
    let every =
        [1, 2, 7, 14, 28, 56, 91, 182].into_iter().find(|every| count as usize / *every as usize <= most);
    let every = every.unwrap_or(364);
    (0..count)
        .step_by(every as usize)
        .filter_map(|day| Some((f64::from(day), first.checked_add(i64::from(day).days()).ok()?)))
        .map(|(at, date)| (at, date.strftime("%b %-d").to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_axis() {
        let labels = |from, to| numbers(from, to, 5).into_iter().map(|(_, l)| l).collect::<Vec<_>>();
        assert_eq!(labels(0.0, 10.0), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.0, 100.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!([0.0, 7.0, 12.0, 0.25, 101.0].map(ceiling), [1.0, 8.0, 15.0, 0.25, 150.0]);
    }

    #[test]
    fn days_are_dates_with_room_between() {
        let first = jiff::civil::date(2026, 2, 26);
        assert_eq!(
            days(first, 3, 8).into_iter().map(|(_, l)| l).collect::<Vec<_>>(),
            ["Feb 26", "Feb 27", "Feb 28"]
        );
        assert_eq!(days(first, 60, 8).len(), 9);
    }
}

//! Steps of age of a round, and how a stretch of time is cut at them and at midnights.

/// Number of steps.
pub(super) const AGES: usize = 5;
/// Where each step but the last ends, in hours.
const ENDS: [f64; AGES - 1] = [1.0, 4.0, 24.0, 72.0];
/// Hours of a day; a day of a change of clocks counts as one of these as well.
pub(super) const DAY: f64 = 24.0;

/// The step of an age, and where it ends.
pub(super) fn step(age: f64) -> (usize, f64) {
    ENDS.iter()
        .enumerate()
        .find(|(_, end)| age < **end)
        .map_or((AGES - 1, f64::INFINITY), |(i, end)| (i, *end))
}

/// The day of an hour, counted from midnight of the first.
pub(super) fn day(hour: f64) -> usize {
    (hour / DAY).max(0.0) as usize
}

/// Part of a round that lies in one step of age and one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    /// Step of age.
    pub(super) step: usize,
    /// Day.
    pub(super) day: usize,
    /// Hours.
    pub(super) hours: f64,
}

/// Cuts a round that lasted from one hour to another.
pub(super) fn pieces(from: f64, to: f64) -> Vec<Piece> {
    let mut all = Vec::new();
    let mut at = from;
    while at < to {
        let (step, end) = step(at - from);
        let today = day(at);
        let midnight = (today + 1) as f64 * DAY;
        // A step of age that ends where it began, by rounding, would never pass.
        let next = to.min(midnight).min(from + end).max(at + 1e-6);
        all.push(Piece { step, day: today, hours: next - at });
        at = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_cut_at_ages_and_midnights() {
        let all = pieces(22.5, 27.0);
        let cut: Vec<(usize, usize)> = all.iter().map(|p| (p.step, p.day)).collect();
        assert_eq!(cut, [(0, 0), (1, 0), (1, 1), (2, 1)]);
        assert!((all.iter().map(|p| p.hours).sum::<f64>() - 4.5).abs() < 1e-5);
        assert!(pieces(5.0, 5.0).is_empty());
    }
}

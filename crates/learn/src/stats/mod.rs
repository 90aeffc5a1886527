//! Statistics of finished flows and of actions (D10). Counts and medians as they are; no share is shown where nothing was counted.

mod actions;
mod journals;

pub use actions::{ActionCounts, ActionStats};
pub use journals::{CheckCount, FlowStats, Group, GroupBy, JournalStats, journal_stats};

/// The middle of some numbers, of two in the middle their mean; `None`: there are none.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    Some(if numbers.len().is_multiple_of(2) { (numbers[middle - 1] + upper) / 2.0 } else { upper })
}

fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

/// Part of a whole; `None`: there is no whole.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_two_is_their_mean() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!((mean(&[]), mean(&[1.0, 2.0])), (None, Some(1.5)));
        assert_eq!((share(0, 0), share(1, 4)), (None, Some(0.25)));
    }
}

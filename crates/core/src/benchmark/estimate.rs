//! A middle value with the interval that resampling gives (percentile bootstrap: Efron and Tibshirani, 1993).

use super::Metric;
use crate::budget::forecast::Dice;
use serde::Serialize;

/// Resamples of an interval.
const RESAMPLES: usize = 2_000;
/// Of more children than these a fixed part is enough: the interval is narrow by then.
const MOST: usize = 2_000;

/// A middle value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Children that have the number.
    pub children: u32,
    /// The median; of a rate the share.
    pub middle: f64,
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// Of these values, in any order; `None` of none.
    pub(super) fn of(metric: Metric, values: &[f64], dice: &mut Dice) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
        let middle = |all: &mut [f64]| match metric {
            Metric::MergeRate => mean(all),
            Metric::HoursToMerge
            | Metric::ResponseHours
            | Metric::ReviewCycles
            | Metric::CiFailures
            | Metric::ConflictCycles
            | Metric::Lines
            | Metric::CostUsd => median(all),
        };
        if sorted.is_empty() {
            return None;
        }
        let size = sorted.len().min(MOST);
        let mut sample = vec![0.0; size];
        let mut middles: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                sample.iter_mut().for_each(|value| *value = sorted[dice.below(sorted.len())]);
                middle(&mut sample)
            })
            .collect();
        middles.sort_by(f64::total_cmp);
        let at = |share: f64| middles[((share * RESAMPLES as f64) as usize).min(RESAMPLES - 1)];
        Some(Self {
            children: u32::try_from(values.len()).unwrap_or(u32::MAX),
            mean: mean(&sorted),
            middle: middle(&mut sorted),
            low: at(0.025),
            high: at(0.975),
        })
    }

    /// Whether two intervals have a value in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// The median; of an even number the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    let (half, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if odd {
        return *upper;
    }
    (below.iter().copied().fold(f64::NEG_INFINITY, f64::max) + *upper) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_that_of_the_values() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
    }

    #[test]
    fn an_interval_holds_its_middle_and_narrows() {
        let values = |n: usize| (0..n).map(|i| (i * 37 % 100) as f64).collect::<Vec<_>>();
        let of = |n| Estimate::of(Metric::Lines, &values(n), &mut Dice::new(1)).unwrap();
        let (few, many) = (of(10), of(1000));
        assert!(few.low <= few.middle && few.middle <= few.high);
        assert!(many.high - many.low < few.high - few.low);
        assert_eq!(Estimate::of(Metric::Lines, &[], &mut Dice::new(1)), None);
    }
}

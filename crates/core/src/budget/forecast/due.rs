//! Quantiles of simulated ends as dates.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Days that a simulated future is followed; what takes longer is `None`.
pub(super) const HORIZON_DAYS: usize = 730;

/// A date, or later than anybody looks.
pub type Due = Option<Timestamp>;

/// When something will be done: the date that holds in 50, 85 and 95 of 100 futures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dates {
    /// As likely before as after.
    pub p50: Due,
    /// To be promised.
    pub p85: Due,
    /// To be relied on.
    pub p95: Due,
}

impl Dates {
    /// Of hours after `from`, in any order.
    pub(super) fn of(hours: &mut [f64], from: Timestamp) -> Self {
        hours.sort_unstable_by(f64::total_cmp);
        let due = |share| date(quantile(hours, share), from);
        Self { p50: due(0.50), p85: due(0.85), p95: due(0.95) }
    }
}

/// The smallest of the sorted values that at least this share of them does not exceed; 0 for none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0.0)
}

/// The moment so many hours later.
pub(super) fn date(hours: f64, from: Timestamp) -> Due {
    if hours >= HORIZON_DAYS as f64 * 24.0 {
        return None;
    }
    from.checked_add(SignedDuration::from_millis((hours * 3.6e6) as i64)).ok()
}

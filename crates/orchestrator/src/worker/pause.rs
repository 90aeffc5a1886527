//! How long to wait before something is tried again. Pure: the jitter comes from the job and the count, so that a replay waits as long.

use banksman_core::id::JobId;
use jiff::SignedDuration;

/// Longest pause after a failed attempt.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// Pause after the first trouble of the host or the forge.
const TROUBLE: SignedDuration = SignedDuration::from_secs(2);
/// Longest pause after such trouble.
const LONGEST_TROUBLE: SignedDuration = SignedDuration::from_mins(5);

/// The pause after the `count`th failed attempt at a job, from 1: the base, doubled each time, a quarter more or less of it, an hour at
/// most.
pub(super) fn after_failure(job: JobId, count: u32, base: SignedDuration) -> SignedDuration {
    jittered(job, count, base, LONGEST)
}

/// The pause after the `count`th trouble in a row with a job, from 1.
pub(super) fn after_trouble(job: JobId, count: u32) -> SignedDuration {
    jittered(job, count, TROUBLE, LONGEST_TROUBLE)
}

/// The pause after the `count`th failed call of the store in a row, from 1: half a second, doubled each time, four seconds at most.
pub(super) fn after_store(count: u32) -> SignedDuration {
    SignedDuration::from_millis((250i64 << count.min(6)).min(4_000))
}

fn jittered(job: JobId, count: u32, base: SignedDuration, longest: SignedDuration) -> SignedDuration {
    let base = u128::try_from(base.as_millis()).unwrap_or_default();
    let doubled = (base << count.saturating_sub(1).min(20)).min(longest.as_millis().unsigned_abs());
    let spread = u128::from(mixed(job.0 ^ (u64::from(count) << 48)) % 501);
    SignedDuration::from_millis(i64::try_from(doubled * (750 + spread) / 1000).unwrap_or(i64::MAX))
}

/// The finalizer of SplitMix64: neighbouring numbers come out far apart.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: SignedDuration = SignedDuration::from_secs(4);

    #[test]
    fn pauses_double_and_stay_within_a_quarter() {
        for job in (0..200).map(JobId) {
            for count in 1..=20 {
                let pause = after_failure(job, count, BASE).as_millis();
                let middle = (4_000i128 << (count - 1)).min(3_600_000);
                assert!((middle * 3 / 4..=middle * 5 / 4).contains(&pause), "{job} {count}: {pause}");
            }
        }
    }

    #[test]
    fn jobs_that_failed_together_come_back_apart() {
        let pauses: std::collections::BTreeSet<_> =
            (0..100).map(|job| after_failure(JobId(job), 1, BASE)).collect();
        assert!(pauses.len() > 80, "{}", pauses.len());
    }

    #[test]
    fn the_same_failure_waits_the_same_time() {
        assert_eq!(after_failure(JobId(7), 3, BASE), after_failure(JobId(7), 3, BASE));
        assert_eq!(after_failure(JobId(7), 3, SignedDuration::ZERO), SignedDuration::ZERO);
    }
}

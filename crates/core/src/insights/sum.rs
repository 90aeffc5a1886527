//! The sums and medians of one group of attempts.

use super::{Insight, Spread};
use crate::{
    job::Stage,
    port::{AttemptFacts, AttemptRecord},
};
use std::collections::HashSet;

/// What the attempts add up to. `is_last` tells whether an attempt is the last one at its job.
pub(super) fn insight(facts: &[&AttemptFacts], is_last: impl Fn(&AttemptRecord) -> bool) -> Insight {
    let mut sum = Insight::default();
    let mut jobs = HashSet::new();
    for AttemptFacts { record, stage, .. } in facts {
        jobs.insert(record.job);
        sum.attempts += 1;
        let last = is_last(record);
        match (record.failure, record.ended_at) {
            (Some(_), _) => sum.failed += 1,
            (None, Some(_)) => sum.shipped += u64::from(last && *stage == Stage::Shipped),
            (None, None) if last && !stage.is_final() => sum.running += 1,
            (None, None) => sum.lost += 1,
        }
    }
    sum.jobs = count(jobs.len());
    let each =
        |number: fn(&AttemptRecord) -> Option<u64>| facts.iter().filter_map(|f| number(&f.record)).collect();
    sum.wall_ms = spread(each(wall_ms));
    sum.cpu_ms = spread(each(|r| r.measured.cpu_ms));
    sum.tokens_in = spread(each(|r| r.measured.usage.tokens_in));
    sum.tokens_out = spread(each(|r| r.measured.usage.tokens_out));
    sum.lines_added = spread(each(|r| r.measured.added.map(u64::from))).total;
    sum.lines_removed = spread(each(|r| r.measured.removed.map(u64::from))).total;
    sum.median_lines = spread(each(lines)).median;
    let costs = facts.iter().filter_map(|f| f.record.measured.usage.cost_usd);
    let mut costs: Vec<f64> = costs.filter(|cost| cost.is_finite()).collect();
    costs.sort_by(f64::total_cmp);
    // `+ 0.0`: the sum of nothing is -0.0.
    sum.cost_usd = costs.iter().sum::<f64>() + 0.0;
    sum.median_cost_usd = middle(&costs).map(|(low, high)| f64::midpoint(low, high));
    sum
}

/// From claim to end; clocks that were set back give 0.
fn wall_ms(record: &AttemptRecord) -> Option<u64> {
    let wall = record.ended_at?.duration_since(record.started_at);
    Some(u64::try_from(wall.as_millis()).unwrap_or(0))
}

fn lines(record: &AttemptRecord) -> Option<u64> {
    let (added, removed) = (record.measured.added, record.measured.removed);
    if added.is_none() && removed.is_none() {
        return None;
    }
    Some(u64::from(added.unwrap_or(0)) + u64::from(removed.unwrap_or(0)))
}

fn spread(mut numbers: Vec<u64>) -> Spread {
    numbers.sort_unstable();
    let total = numbers.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
    Spread { total, median: middle(&numbers).map(|(low, high)| low.midpoint(high)) }
}

/// The two numbers in the middle; twice the same one where there is one middle.
fn middle<T: Copy>(sorted: &[T]) -> Option<(T, T)> {
    let high = sorted.get(sorted.len() / 2)?;
    let low = sorted.get((sorted.len() - 1) / 2)?;
    Some((*low, *high))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

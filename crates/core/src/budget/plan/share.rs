//! Shares whole tasks by weighted max-min fairness: see the module above for the method and its sources.

use jiff::Timestamp;
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// What one claimant may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Its weight, at least 1.
    pub(super) weight: u64,
    /// What it has already.
    pub(super) has: u32,
    /// Most that it may still get.
    pub(super) most: u32,
    /// When it got something last.
    pub(super) last_served: Option<Timestamp>,
}

/// A claimant in the queue: least for its weight first, then the heavier, then who waited longest, then the earlier in the list.
#[derive(Debug, PartialEq, Eq)]
struct Level {
    has: u64,
    weight: u64,
    last_served: Option<Timestamp>,
    index: usize,
}

impl Ord for Level {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (
            u128::from(self.has) * u128::from(other.weight),
            u128::from(other.has) * u128::from(self.weight),
        );
        ours.cmp(&theirs)
            .then_with(|| other.weight.cmp(&self.weight))
            .then_with(|| self.last_served.cmp(&other.last_served))
            .then_with(|| self.index.cmp(&other.index))
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How many of the available tasks each claimant gets.
pub(super) fn fill(claims: &[Claim], available: u32) -> Vec<u32> {
    let mut given = vec![0; claims.len()];
    let mut queue: BinaryHeap<Reverse<Level>> = claims
        .iter()
        .enumerate()
        .filter(|(_, claim)| claim.most > 0)
        .map(|(index, claim)| {
            Reverse(Level {
                has: u64::from(claim.has),
                weight: claim.weight.max(1),
                last_served: claim.last_served,
                index,
            })
        })
        .collect();
    for _ in 0..available {
        let Some(Reverse(level)) = queue.pop() else { break };
        given[level.index] += 1;
        if given[level.index] < claims[level.index].most {
            queue.push(Reverse(Level { has: level.has + 1, ..level }));
        }
    }
    given
}

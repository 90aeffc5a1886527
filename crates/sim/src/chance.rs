//! Chance: everything that is random in a world is drawn here, from one seed. Durations and rates are those of real pull requests by
//! agents: AIDev-pop, 7,122 pull requests (SAILResearch/AI_Teammates_in_SE3, CC-BY-4.0; medians and rates reproduce
//! arXiv:2507.15003); CI success by arXiv:2604.18334; conflicts by arXiv:2604.03551.

use crate::executor::{MINUTE, Micros, SECOND};

/// Rounds of review fixes that a pull request needs, in per cent: none, 1, 2, 3, 4 or more (AIDev-pop, n = 4,393).
const REVIEW_ROUNDS: [(u64, u32); 5] = [(784, 0), (138, 1), (51, 2), (20, 3), (7, 4)];
/// CI runs that fail, in per mille: the best and the worst agent (arXiv:2604.18334: 94.4 % and 64.9 % succeed).
pub(crate) const CI_FAILURE: (u64, u64) = (56, 351);
/// Pull requests that conflict, in per mille (arXiv:2604.03551: 15 to 32 % of those not merged; about a fifth of human merges).
pub(crate) const CONFLICT: (u64, u64) = (150, 320);
/// Median answer to "fix the merge conflict", as observed by users of a hosted agent.
pub(crate) const CONFLICT_ANSWER: Micros = 4 * MINUTE;
/// Answers to "fix the code reviews" come within these, from the same source.
pub(crate) const REVIEW_ANSWER: (Micros, Micros) = (5 * MINUTE, 15 * MINUTE);
/// Median time from dispatch to a pull request: half of the median hours to merge of the fastest agent (AIDev-pop: 0.29 h).
pub(crate) const IMPLEMENT: Micros = 9 * MINUTE;
/// Median of a check run, and of a person's first look (AIDev-pop: merged by people after 0.3 to 7 h; the fast half of the two regimes).
pub(crate) const CHECK: Micros = 3 * MINUTE;
/// Median time until a person reviews.
pub(crate) const PERSON: Micros = 35 * MINUTE;

/// The world's source of chance.
pub(crate) struct Chance(fastrand::Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give similar worlds.
        Self(fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03))
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.u64(..end) }
    }

    /// A number from `low` up to and with `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `per_mille` of a thousand cases.
    pub(crate) fn of_thousand(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// True in `rate` of a hundred thousand cases.
    pub(crate) fn rare(&mut self, rate: u64) -> bool {
        rate > 0 && self.below(100_000) < rate
    }

    /// A time between two.
    pub(crate) fn time(&mut self, low: Micros, high: Micros) -> Micros {
        low + self.below((high - low).max(0).unsigned_abs() + 1) as i64
    }

    /// A time with this median and a long tail: log-normal with sigma 0.8, cut at twelve times the median.
    pub(crate) fn around(&mut self, median: Micros) -> Micros {
        // The sum of four uniform numbers is near enough to normal (variance 1/3) and costs no transcendental function but one.
        let sum: f64 = (0..4).map(|_| self.0.f64()).sum::<f64>() - 2.0;
        let factor = (sum * 3.0_f64.sqrt() * 0.8).exp().min(12.0);
        ((median as f64 * factor) as Micros).max(SECOND)
    }

    /// How many rounds of review fixes a reviewer asks for.
    pub(crate) fn review_rounds(&mut self) -> u32 {
        let mut at = self.below(1000);
        for (share, rounds) in REVIEW_ROUNDS {
            if at < share {
                return rounds;
            }
            at -= share;
        }
        0
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

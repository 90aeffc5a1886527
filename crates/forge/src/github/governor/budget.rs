//! One hourly budget: what GitHub said is left, and what was spent since.

use super::{
    cost::Effect,
    heard::Rate,
    pause::LONGEST,
    steady::{Correction, Moment},
    window::{Serial, Window},
};
use banksman_core::text::RepoName;

/// What every credential has.
const USUAL: u32 = 5_000;

/// An hour and a little, in milliseconds.
const HOUR: i64 = 3_612_000;

/// What GitHub said last.
#[derive(Debug, Clone, Copy)]
struct Left {
    remaining: u32,
    reset: Moment,
}

/// One hourly budget.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u32,
    left: Option<Left>,
    /// Points of requests that are not answered yet.
    pub(super) under_way: u32,
    spent: Window,
}

impl Default for Budget {
    fn default() -> Self {
        Self { limit: USUAL, left: None, under_way: 0, spent: Window::new(HOUR, USUAL) }
    }
}

impl Budget {
    /// What stays untouched: a tenth for writes, and a fiftieth for others who use the same credential.
    fn spare(&self, effect: Effect) -> u32 {
        match effect {
            Effect::Read => self.limit / 10,
            Effect::Settle | Effect::Write | Effect::Content => self.limit / 50,
        }
    }

    /// When so much may be spent.
    pub(super) fn fits(&self, now: Moment, repo: Option<&RepoName>, points: u32, effect: Effect) -> Moment {
        let spare = self.spare(effect);
        let ours = self.spent.fits(now, repo, points, spare).unwrap_or(now.plus(HOUR));
        match self.left {
            Some(left) if left.reset > now => {
                let needed = u64::from(self.under_way) + u64::from(points) + u64::from(spare);
                if needed <= u64::from(left.remaining) { ours } else { ours.max(left.reset.plus(1_000)) }
            }
            Some(_) | None => ours,
        }
    }

    pub(super) fn spend(&mut self, now: Moment, serial: Serial, repo: Option<&RepoName>, points: u32) {
        self.under_way = self.under_way.saturating_add(points);
        self.spent.spend(now, serial, repo, points);
    }

    pub(super) fn wait(&mut self, repo: &RepoName, until: Moment) {
        self.spent.wait(repo, until);
    }

    /// A request was answered, or is given up: it cost `real` points in the end.
    pub(super) fn answered(
        &mut self,
        serial: Serial,
        thought: u32,
        real: u32,
        rate: Option<&Rate>,
        now: Moment,
    ) {
        self.under_way = self.under_way.saturating_sub(thought);
        if real != thought {
            self.spent.correct(serial, real);
        }
        match rate {
            Some(rate) => self.told(rate, now),
            None => {
                if let Some(left) = &mut self.left {
                    left.remaining = left.remaining.saturating_sub(real);
                }
            }
        }
    }

    fn told(&mut self, rate: &Rate, now: Moment) {
        if rate.limit > 0 && rate.limit != self.limit {
            self.limit = rate.limit;
            self.spent.set_limit(rate.limit);
        }
        // A reset further away than an hour is no reset to wait for.
        let reset = Moment::of(rate.reset_at).min(now.plus(LONGEST));
        self.left = Some(match self.left {
            // Answers overtake each other: within one hour what is left only shrinks.
            Some(old) if old.reset > now && reset.since(old.reset).abs() < 60_000 => {
                Left { remaining: old.remaining.min(rate.remaining), reset: old.reset.max(reset) }
            }
            Some(old) if old.reset > now && reset < old.reset => old,
            Some(_) | None => Left { remaining: rate.remaining, reset },
        });
    }

    /// Nothing is left until then, whatever was thought.
    pub(super) fn exhausted(&mut self, reset: Moment) {
        self.left = Some(Left { remaining: 0, reset });
    }

    pub(super) fn forget(&mut self, sure: Moment) {
        self.spent.forget(sure);
    }

    /// The present turned out to be another one.
    pub(super) fn correct_time(&mut self, correction: &Correction) {
        self.spent.correct_time(correction);
        if let Some(left) = &mut self.left {
            left.reset = left.reset.min(correction.present.plus(LONGEST));
        }
    }

    /// Limit, what is left as far as known, and when that is over.
    pub(super) fn state(&self, now: Moment) -> (u32, u32, Option<Moment>) {
        let ours = u64::from(self.limit).saturating_sub(self.spent.used(now));
        let ours = u32::try_from(ours).unwrap_or(u32::MAX);
        match self.left {
            Some(left) if left.reset > now => (self.limit, left.remaining.min(ours), Some(left.reset)),
            Some(_) | None => (self.limit, ours, None),
        }
    }
}

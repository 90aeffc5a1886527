//! Pauses that grow while the reason for them lasts.

use super::steady::{Correction, Moment};

/// No pause is longer than this, in milliseconds: then one request looks whether it is over.
pub(super) const LONGEST: i64 = 3_600_000;

/// Everything stands still for a while after a bad answer, longer after each further one.
#[derive(Debug)]
pub(super) struct Pause {
    /// Length of the first one, in milliseconds.
    first: i64,
    /// Length of the longest one that is ours; GitHub may ask for more.
    longest: i64,
    /// Bad answers in a row, each to a request sent after the pause for the one before.
    in_a_row: u32,
    current: Option<Current>,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    began: Moment,
    until: Moment,
}

impl Pause {
    pub(super) fn new(first: i64, longest: i64) -> Self {
        Self { first, longest, in_a_row: 0, current: None }
    }

    /// A bad answer to a request of `asked`; GitHub asks for at least so long a pause.
    pub(super) fn hit(&mut self, now: Moment, asked: Moment, at_least: i64) {
        let at_least = at_least.clamp(0, LONGEST);
        if let Some(current) = &mut self.current
            && asked < current.began
        {
            // It was under way when the pause began and says nothing new.
            current.until = current.until.max(now.plus(at_least));
            return;
        }
        let grown = self.first.saturating_mul(1 << self.in_a_row.min(20)).min(self.longest);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.current = Some(Current { began: now, until: now.plus(grown.max(at_least)) });
    }

    /// A good answer to a request of `asked`.
    pub(super) fn passed(&mut self, asked: Moment) {
        if self.current.is_none_or(|current| asked >= current.began) {
            self.in_a_row = 0;
            self.current = None;
        }
    }

    /// Until when everything stands still.
    pub(super) fn until(&self, now: Moment) -> Option<Moment> {
        self.current.map(|current| current.until).filter(|until| *until > now)
    }

    /// The present turned out to be another one: a pause keeps its length.
    pub(super) fn correct_time(&mut self, correction: &Correction) {
        if let Some(current) = &mut self.current {
            let length = current.until.since(current.began);
            current.began = correction.latest(current.began);
            current.until = current.began.plus(length);
        }
    }
}

//! Time that neither jumps nor goes back, made from a clock that may do both and from the dates in GitHub's answers.
//!
//! Limits are counted by GitHub's clock, so the books are kept in it. A clock of this host that goes back stands still here. One that goes
//! forward may be right (nothing was asked for a while) or wrong (it was set); until an answer says which, one request at a time goes out.

use jiff::Timestamp;

/// A step forward that is doubted until an answer confirms it, in milliseconds. Smaller ones are within the margins of all windows.
const DOUBTFUL: i64 = 10_000;

/// The date of an answer may lie this far outside the time of its request, in milliseconds: dates are whole seconds.
const TOLERATED: i64 = 2_000;

/// A moment of GitHub's clock, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) fn of(at: Timestamp) -> Self {
        Self(at.as_millisecond())
    }

    /// Later by so many milliseconds.
    pub(super) fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since then; negative if it is still to come.
    pub(super) fn since(self, then: Self) -> i64 {
        self.0.saturating_sub(then.0)
    }
}

/// Whether the time is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// An answer confirmed it not long ago.
    Sure,
    /// Not since this moment: the first request, or the host's clock went far ahead.
    Doubt {
        /// Requests from here on can confirm it.
        since: Moment,
    },
}

/// The present was thought to be another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Correction {
    /// What it is.
    pub(super) present: Moment,
    /// Milliseconds from what was thought to what is.
    pub(super) by: i64,
    /// Milliseconds that may have gone unnoticed before the present: what it is ahead, or by how much the host's clock went back.
    unnoticed: i64,
    /// The last moment that was sure; `None`: none was.
    unsure_since: Option<Moment>,
}

impl Correction {
    /// The latest that something can have happened which was noted at that moment. Forward: the host's clock may have stood still or gone back
    /// at any time since the last answer, so all of the difference may lie before it. Backward: nothing happened later than now.
    pub(super) fn latest(&self, noted: Moment) -> Moment {
        if self.unnoticed > 0 && self.unsure_since.is_none_or(|since| noted >= since) {
            return noted.plus(self.unnoticed).min(self.present);
        }
        noted.min(self.present)
    }
}

/// The clock of the books.
#[derive(Debug)]
pub(super) struct Steady {
    /// The last time of the host that was seen, in milliseconds.
    last: Option<i64>,
    /// What has to be added to the host's time.
    offset: i64,
    /// By how much the host's clock went back since the last answer.
    set_back: i64,
    belief: Belief,
    /// The latest moment that an answer confirmed.
    confirmed: Option<Moment>,
}

impl Default for Steady {
    fn default() -> Self {
        Self {
            last: None,
            offset: 0,
            set_back: 0,
            belief: Belief::Doubt { since: Moment(i64::MIN) },
            confirmed: None,
        }
    }
}

impl Steady {
    /// The moment that belongs to the host's time.
    pub(super) fn read(&mut self, now: Timestamp) -> Moment {
        let local = now.as_millisecond();
        if let Some(last) = self.last {
            if local < last {
                self.offset = self.offset.saturating_add(last - local);
                self.set_back = self.set_back.saturating_add(last - local);
            } else if local - last > DOUBTFUL {
                self.belief = Belief::Doubt { since: Moment(local.saturating_add(self.offset)) };
            }
        }
        self.last = Some(local);
        Moment(local.saturating_add(self.offset))
    }

    /// The moment of the last reading, for who only looks.
    pub(super) fn peek(&self, now: Timestamp) -> Moment {
        Moment(now.as_millisecond().saturating_add(self.offset))
    }

    /// Takes in an answer to a request of `asked`. The result is set when the present is not what it was thought to be.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        asked: Moment,
        date: Option<Timestamp>,
    ) -> Option<Correction> {
        let mut present = now;
        if let Some(date) = date.map(Moment::of) {
            let early = date.plus(TOLERATED).since(asked);
            let late = date.plus(-TOLERATED).since(now);
            if early < 0 || late > 0 {
                self.offset = self.offset.saturating_add(date.since(now));
                present = date;
            }
        }
        let by = present.since(now);
        let unnoticed = by.max(self.set_back);
        let correction = Correction { present, by, unnoticed, unsure_since: self.confirmed };
        let confirms = match self.belief {
            Belief::Sure => true,
            Belief::Doubt { since } => asked >= since,
        };
        if confirms || present < now {
            self.belief = Belief::Sure;
            self.confirmed = Some(present);
            self.set_back = 0;
        }
        (correction.by != 0 || correction.unnoticed > 0).then_some(correction)
    }

    pub(super) fn belief(&self) -> Belief {
        self.belief
    }

    /// Entries of the books older than a window before this moment will never count again.
    pub(super) fn confirmed(&self) -> Option<Moment> {
        self.confirmed
    }

    /// The host's time of a moment.
    pub(super) fn local(&self, moment: Moment) -> Timestamp {
        Timestamp::from_millisecond(moment.0.saturating_sub(self.offset)).unwrap_or(Timestamp::MAX)
    }
}

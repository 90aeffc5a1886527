//! Who is wanted to end: one attempt, or all of them.

use crate::launch::Stop;
use banksman_core::id::AttemptId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

/// The wishes of this host.
#[derive(Debug)]
pub(crate) struct Stops {
    all: watch::Sender<Stop>,
    each: Mutex<HashMap<AttemptId, watch::Sender<Stop>>>,
}

impl Stops {
    pub(crate) fn new() -> Self {
        Self { all: watch::channel(Stop::NotYet).0, each: Mutex::new(HashMap::new()) }
    }

    /// For what belongs to no attempt.
    pub(crate) fn of_all(&self) -> watch::Receiver<Stop> {
        self.all.subscribe()
    }

    /// For an attempt, until [`Stops::forget`].
    pub(crate) fn of(&self, attempt: AttemptId) -> watch::Receiver<Stop> {
        self.each(|each| each.entry(attempt).or_insert_with(|| self.fresh()).subscribe())
    }

    /// An attempt is to end, also if it has not begun.
    pub(crate) fn end(&self, attempt: AttemptId) {
        self.each(|each| each.entry(attempt).or_insert_with(|| self.fresh()).send_replace(Stop::Now));
    }

    /// All are to end, those too that have not begun.
    pub(crate) fn end_all(&self) {
        self.each(|each| {
            self.all.send_replace(Stop::Now);
            for one in each.values() {
                one.send_replace(Stop::Now);
            }
        });
    }

    /// An attempt is over.
    pub(crate) fn forget(&self, attempt: AttemptId) {
        self.each(|each| each.remove(&attempt));
    }

    fn fresh(&self) -> watch::Sender<Stop> {
        watch::channel(*self.all.borrow()).0
    }

    fn each<T>(&self, look: impl FnOnce(&mut HashMap<AttemptId, watch::Sender<Stop>>) -> T) -> T {
        // A panic elsewhere cannot leave the map half changed.
        look(&mut self.each.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_begins_after_the_end_of_all_is_ended_too() {
        let stops = Stops::new();
        let (first, second) = (stops.of(AttemptId(1)), stops.of(AttemptId(2)));
        stops.end(AttemptId(1));
        assert_eq!((*first.borrow(), *second.borrow()), (Stop::Now, Stop::NotYet));
        stops.forget(AttemptId(1));
        assert_eq!(*stops.of(AttemptId(1)).borrow(), Stop::NotYet);
        stops.end_all();
        assert_eq!((*second.borrow(), *stops.of(AttemptId(3)).borrow()), (Stop::Now, Stop::Now));
    }
}

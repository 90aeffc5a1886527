//! The wish to stop, shared by everybody who loops.

use std::{
    future::{Future, poll_fn},
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

/// A wish to stop. At the first one there are no new looks or claims and what runs is asked to end; at the second nobody waits for it
/// any more (Q17).
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    wishes: u32,
    wakers: Vec<Waker>,
}

/// How much of a stop is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// None.
    GoOn,
    /// What runs is asked to end and waited for.
    Drain,
    /// What runs is dropped.
    Drop,
}

impl Stop {
    /// Wishes to stop; a second time: at once.
    pub fn stop(&self) {
        let wakers = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.wishes = state.wishes.saturating_add(1);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether somebody wished to.
    pub fn wished(&self) -> bool {
        self.level() != Level::GoOn
    }

    /// How much.
    pub(crate) fn level(&self) -> Level {
        level(self.0.lock().unwrap_or_else(PoisonError::into_inner).wishes)
    }

    /// Returns when more is wished for than that.
    pub(crate) fn more_than(&self, known: Level) -> impl Future<Output = ()> + Send {
        poll_fn(move |cx| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if level(state.wishes) > known {
                return Poll::Ready(());
            }
            if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
    }
}

fn level(wishes: u32) -> Level {
    match wishes {
        0 => Level::GoOn,
        1 => Level::Drain,
        _ => Level::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn the_second_wish_is_stronger_than_the_first() {
        let stop = Stop::default();
        assert!(stop.more_than(Level::GoOn).now_or_never().is_none());
        stop.clone().stop();
        assert!(stop.wished());
        assert!(stop.more_than(Level::GoOn).now_or_never().is_some());
        assert!(stop.more_than(Level::Drain).now_or_never().is_none());
        stop.stop();
        assert!(stop.more_than(Level::Drain).now_or_never().is_some());
    }
}

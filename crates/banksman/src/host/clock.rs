//! The real clock: the only place besides the commands that asks what time it is, and the wake-up from store and forge or from the bell of
//! one repository.

use banksman_core::port::Clock;
use banksman_store::{Changes, sqlite::Changes as BookChanges};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::{
    select,
    sync::{Mutex, Notify},
    time,
};

/// Time of the host with wake-ups. Each looping task has one of its own, so that none takes another's.
pub(crate) struct HostClock {
    wakes: Wakes,
    /// Wakes everybody when the process is to end.
    stopping: Arc<Notify>,
}

/// What wakes a task.
enum Wakes {
    /// Commits of the store and of the forge's book.
    Commits(Box<Mutex<(Changes, BookChanges)>>),
    /// The bell of one repository.
    Bell(Arc<Notify>),
}

impl HostClock {
    /// A clock that hears every commit.
    pub(crate) fn of_commits(store: Changes, book: BookChanges, stopping: Arc<Notify>) -> Self {
        Self { wakes: Wakes::Commits(Box::new(Mutex::new((store, book)))), stopping }
    }

    /// A clock that hears one bell.
    pub(crate) fn of_bell(bell: Arc<Notify>, stopping: Arc<Notify>) -> Self {
        Self { wakes: Wakes::Bell(bell), stopping }
    }
}

/// Time left until then; none when it has passed.
fn left(until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, until: Timestamp) {
        time::sleep(left(until)).await;
    }

    async fn changed(&self, until: Timestamp) {
        let woken = async {
            match &self.wakes {
                Wakes::Commits(changes) => {
                    let (store, book) = &mut *changes.lock().await;
                    select! {
                        () = store.next() => {}
                        () = book.next() => {}
                    }
                }
                Wakes::Bell(bell) => bell.notified().await,
            }
        };
        select! {
            () = woken => {}
            () = self.stopping.notified() => {}
            () = time::sleep(left(until)) => {}
        }
    }
}

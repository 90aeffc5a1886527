//! The real clock: the only place besides the commands that asks what time it is, and the wake-up from store and forge.

use banksman_core::port::Clock;
use banksman_store::{Changes, sqlite::Changes as BookChanges};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::{
    select,
    sync::{Mutex, Notify},
    time,
};

/// Time of the host, woken by commits of the store and the forge's book. Each looping task has one of its own, so that none takes another's
/// wake-up.
pub(crate) struct HostClock {
    store: Mutex<Changes>,
    book: Mutex<BookChanges>,
    stopping: Arc<Notify>,
}

impl HostClock {
    /// A clock that hears these; `stopping` wakes everybody when the process is to end.
    pub(crate) fn new(store: Changes, book: BookChanges, stopping: Arc<Notify>) -> Self {
        Self { store: Mutex::new(store), book: Mutex::new(book), stopping }
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
        let (mut store, mut book) = (self.store.lock().await, self.book.lock().await);
        select! {
            () = store.next() => {}
            () = book.next() => {}
            () = self.stopping.notified() => {}
            () = time::sleep(left(until)) => {}
        }
    }
}

//! Time, wake-up and who watches.

use crate::event::Event;
use jiff::Timestamp;
use std::future::Future;

/// Time and the wish to be woken.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Returns at `until`.
    fn sleep_until(&self, until: Timestamp) -> impl Future<Output = ()> + Send;

    /// Returns when something may have changed in the store or on the forge since the last call, at `until` at the latest.
    /// A wake-up is a hint: waking for nothing is allowed, sleeping through a change is not (but for the slow sweep).
    fn changed(&self, until: Timestamp) -> impl Future<Output = ()> + Send;
}

/// Consumer of the one stream of events; every surface (table, lines, JSON) is one.
pub trait Watcher: Send + Sync {
    /// Something happened. Must not block.
    fn event(&self, event: &Event);
}

//! The world of this host: the real implementor behind each port.

use super::{clock::HostClock, open::Shared, watch::Watchers};
use banksman_core::port::World;
use banksman_engine::EngineHost;
use banksman_forge::local::LocalForge;
use banksman_store::{Chosen, book::SqliteBook};
use std::sync::Arc;

/// The embedded forge on this host.
pub(crate) type HostForge = LocalForge<SqliteBook, Arc<EngineHost>>;

/// The world as one looping task sees it: everything is shared but the clock, whose wake-ups are its own.
pub(crate) struct HostWorld {
    shared: Arc<Shared>,
    clock: HostClock,
}

impl HostWorld {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let clock =
            HostClock::new(shared.store.changes(), shared.book.changes(), Arc::clone(&shared.stopping));
        Self { shared, clock }
    }
}

impl World for HostWorld {
    type Store = Chosen;
    type Forge = HostForge;
    type Engine = EngineHost;
    type Clock = HostClock;
    type Watcher = Watchers;

    fn store(&self) -> &Chosen {
        &self.shared.store
    }
    fn forge(&self) -> &HostForge {
        &self.shared.forge
    }
    fn engine(&self) -> &EngineHost {
        &self.shared.engine
    }
    fn clock(&self) -> &HostClock {
        &self.clock
    }
    fn watcher(&self) -> &Watchers {
        &self.shared.watchers
    }
}

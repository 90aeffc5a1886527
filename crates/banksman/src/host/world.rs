//! The world of this host: the real implementor behind each port.

use super::{clock::HostClock, forge::HostForge, open::Shared, watch::Watchers};
use banksman_core::{port::World, text::RepoName};
use banksman_engine::EngineHost;
use banksman_store::Chosen;
use std::sync::Arc;

/// The world as one looping task sees it: everything is shared but the clock, whose wake-ups are its own.
pub(crate) struct HostWorld {
    shared: Arc<Shared>,
    clock: HostClock,
}

impl HostWorld {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let stopping = Arc::clone(&shared.stopping);
        let clock = HostClock::of_commits(shared.store.changes(), shared.book.changes(), stopping);
        Self { shared, clock }
    }

    /// The world of a task that looks at this repository alone and is woken for it alone.
    pub(super) fn of_repository(shared: Arc<Shared>, repo: &RepoName) -> Self {
        let clock = HostClock::of_bell(shared.bells.of(repo), Arc::clone(&shared.stopping));
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

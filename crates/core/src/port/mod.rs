//! The ports: what the orchestrator needs of the world, in domain words. No database, HTTP or process type appears here. Each
//! port has two implementors at least: the real one and the simulated one.

pub mod book;
pub mod budget;
mod checker;
mod clock;
mod engine;
mod forge;
mod hosts;
mod looks;
mod queue;
mod store;
pub mod tracker;
pub mod training;

pub use book::{Book, BookError};
pub use budget::Budget;
pub use checker::{CheckOrder, CheckReport, Checker};
pub use clock::{Clock, Watcher};
pub use engine::{
    Engine, EngineError, JobOrder, Order, Report, ReportResult, Step, StepReport, StepResult, ThreadDraft,
};
pub use forge::{
    Accounted, Audience, BriefFor, Forge, ForgeError, IssueQuery, IssueText, Offered, Offers, PullQuery,
    Refusal, RepoFacts, ReviewDraft, Scope,
};
pub use hosts::{Hosts, Life};
pub use looks::{Look, Looks};
pub use queue::{
    AddError, Added, AttemptFacts, AttemptRecord, Cancelled, Claim, Claimed, EchoRecord, JobFilter, JobPlace,
    Measured, NewJob, Offer, Queue, Retried, StageCounts, Turned,
};
pub use store::{
    DecisionRecord, EpicRecord, HeadSeen, Intended, Lease, LedgerEntry, LedgerState, NewTask, OutcomeDetail,
    OutcomeRecord, OutcomeResult, PlanRecord, Spend, Store, StoreError, TaskFilter,
};
pub use tracker::{Tracker, TrackerError};
pub use training::Training;

use std::sync::Arc;

/// The world as the orchestrator sees it: one implementor per port, chosen in one place.
pub trait World: Send + Sync + 'static {
    /// Where facts are kept.
    type Store: Store + Looks;
    /// Where issues and pull requests live.
    type Forge: Forge;
    /// Who runs agents.
    type Engine: Engine;
    /// Time and wake-up.
    type Clock: Clock;
    /// Who watches what happens.
    type Watcher: Watcher;

    /// The store.
    fn store(&self) -> &Self::Store;
    /// The forge.
    fn forge(&self) -> &Self::Forge;
    /// The engines.
    fn engine(&self) -> &Self::Engine;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// The watcher.
    fn watcher(&self) -> &Self::Watcher;
}

impl<W: World> World for Arc<W> {
    type Store = W::Store;
    type Forge = W::Forge;
    type Engine = W::Engine;
    type Clock = W::Clock;
    type Watcher = W::Watcher;

    fn store(&self) -> &W::Store {
        (**self).store()
    }
    fn forge(&self) -> &W::Forge {
        (**self).forge()
    }
    fn engine(&self) -> &W::Engine {
        (**self).engine()
    }
    fn clock(&self) -> &W::Clock {
        (**self).clock()
    }
    fn watcher(&self) -> &W::Watcher {
        (**self).watcher()
    }
}

//! The simulated world in which the orchestrator is proved: virtual time, an in-memory store and forge, engines and people that behave
//! like real ones, faults at every await and commit, and invariants that are checked at every effect. A seed replays exactly.
//!
//! What runs is the real orchestrator and the real workers, generic over `core::port::World`; only the ports are other ones. In worlds of
//! GitHub the genuine client runs as well, over a simulated wire.

/// Whether a deliberate bug is switched on; always false in builds without the feature `seeded-bugs`.
macro_rules! bug {
    ($name:ident) => {{
        #[cfg(feature = "seeded-bugs")]
        let on = banksman_orchestrator::bugs::on(banksman_orchestrator::bugs::Bug::$name);
        #[cfg(not(feature = "seeded-bugs"))]
        let on = false;
        on
    }};
}

mod canary;
mod chance;
mod ending;
mod engine;
mod executor;
mod forge;
mod gate;
mod github;
mod judge;
mod nature;
mod people;
mod plan;
mod process;
mod referee;
mod simulate;
mod store;
mod trace;
mod universe;
mod violation;
mod world;
mod yard;

pub use github::{Cost, an_hour, one_look};
pub use simulate::{SimOptions, SimReport, Worlds, replay, simulate};
pub use trace::Trace;
pub use violation::{Invariant, Violation, WorldKind};

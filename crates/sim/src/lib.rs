//! The simulated world in which the orchestrator is proved: virtual time, an in-memory store and forge, engines and people that behave
//! like real ones, faults at every await and commit, and invariants that are checked at every effect. A seed replays exactly.
//!
//! What runs is the real orchestrator and the real workers, generic over `core::port::World`; only the ports are other ones.

mod canary;
mod chance;
mod ending;
mod engine;
mod executor;
mod forge;
mod gate;
mod judge;
mod nature;
mod plan;
mod process;
mod simulate;
mod store;
mod trace;
mod universe;
mod violation;
mod world;

pub use simulate::{SimOptions, SimReport, replay, simulate};
pub use trace::Trace;
pub use violation::{Invariant, Violation};

//! The demo: a small repository with a report on it, an agent that plays its part from a script, and a look at what came of it. The
//! pipeline in between is the real one; nothing of it knows that this is a demo.

mod agent;
mod git;
mod make;
mod rules;
mod scenario;
mod script;
mod shop;
#[cfg(test)]
mod tests;
mod transcript;
mod verify;

pub(crate) use agent::act;
pub(crate) use make::make;
pub(crate) use rules::{REQUIRED_APPROVALS, checks, engines, implementer, reviewer, rules};
pub(crate) use verify::{Expected, verify};

//! The worker over the real store on SQLite, with engines that do what a test says and a clock that moves when a test moves it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod budget;
mod cadence;
mod claims;
mod engine;
mod failures;
mod looks;
mod stages;
mod stopping;
mod tasks;
mod village;
mod world;

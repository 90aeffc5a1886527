//! The governor against a model of GitHub that counts, and would refuse.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod burst;
mod jumps;
mod model;
mod rules;
mod world;

//! End-to-end tests: the built binary in temporary worlds of its own. What is proved without a process stands with the code.

#![expect(clippy::unwrap_used, reason = "each case is a test: it fails by panicking")]

mod arrows;
mod bad_input;
mod budget;
mod capture;
mod configuration;
mod demo;
mod documents;
mod forge;
mod github;
mod github_demo;
mod github_hosted;
mod onboard;
mod output;
mod planning;
mod queue;
mod serve;
mod training;
mod world;

//! The engine host with real git and real processes; engines are small shell scripts.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is a finding")]

mod acp;
mod checks;
mod conflict;
mod hostile;
mod implement;
mod jobs;
mod processes;
mod recovery;
mod remote;
mod review;
mod sandbox;
mod server;
mod world;

//! Trackers over real connections: the embedded server, the client of the items API, programs, GitHub and Linear against their published
//! schemas.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod github;
mod linear;
mod program;
mod published;
mod pull;
mod scripted;
mod server;
mod world;

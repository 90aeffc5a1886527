//! The genuine agent programs, driven by the engine host against a scripted model server on loopback: what they are started with, what they
//! report, what they do when they may not act or are refused. `./test agents` installs them and names their folder in `BANKSMAN_AGENTS`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is a finding")]

mod agent;
mod kit;
mod limits;
mod model;
mod work;
#[path = "../it/world.rs"]
#[expect(dead_code, reason = "the other tests of this crate use the rest of it")]
mod world;

//! What this process serves to others: webhooks in, the embedded tracker and forge out, all of it beside the loops in `serve`. Also what
//! clients of the same need: where the tracker's files are, and the plain clock of commands without loops.

mod clock;
mod forge;
mod health;
mod inventory;
mod parts;
mod run;
mod socket;
mod tokens;
mod tracker;
mod webhooks;
mod write;

pub(crate) use clock::CommandClock;
pub(crate) use inventory::written;
pub(crate) use parts::{Part, Parts, Running};
pub(crate) use run::{Ready, Serve, Served, serve};
pub(crate) use tokens::ForgeTokens;
pub(crate) use tracker::{TrackerPlaces, serve_tracker};

//! What this process serves to others: webhooks in, the embedded tracker and forge out, all of it beside the loops in `serve`. Also what
//! clients of the same need: where the tracker's files are, and the plain clock of commands without loops.

mod clock;
mod forge;
mod health;
mod parts;
mod run;
mod socket;
mod tracker;
mod webhooks;

pub(crate) use clock::CommandClock;
pub(crate) use parts::{Part, Parts, Running};
pub(crate) use run::{Ready, Serve, serve};
pub(crate) use tracker::{TrackerPlaces, serve_tracker};

//! What this process serves to others, and a client of our own for the same: where the embedded tracker's files are, and the plain clock of
//! commands without loops.

mod clock;
mod tracker;

pub(crate) use clock::CommandClock;
pub(crate) use tracker::{TrackerPlaces, serve_tracker};

//! Trackers behind the port (20-tracker.md): the client of the items API, GitHub issues, Linear; and `serve`, the embedded tracker's
//! own server. `Connection::call` makes every call of all of them (T1). Reads no environment: settings are given.

mod answer;
mod any;
mod connection;
mod github;
mod items;
mod linear;
mod program;
mod pull;
pub mod serve;
mod settings;

pub use any::AnyTracker;
pub use pull::{Progress, Pull, PullError, Pulled, Tally};
pub use settings::{BadSettings, Kind, Paths, Program, Secret, TrackerSettings};

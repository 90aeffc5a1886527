//! Training data: what was seen of pull requests, what was done about them and how they ended, as points of time series
//! (70-training.md). Ids, closed words, counts and times only; text that a person or an agent wrote has no place in any of these types.
//!
//! - [`Point`]: one entry of one series, with its typed content.
//! - [`line_protocol`]: writes and reads the line protocol of InfluxDB; [`Point::from_line`] takes only the three known measurements.
//! - [`observation`]: points from signals, decisions and outcomes.

mod action;
mod line;
pub mod line_protocol;
mod observation;
mod point;
mod reason;

pub use action::{ActionTaken, Choice, MANUAL_POLICY, PolicyName};
pub use line::{BadPoint, MEASUREMENTS};
pub use observation::{Attempts, attempts, ended, observed, points_of_decision};
pub use point::{
    Kind, Measured, Observation, Outcome, Point, RepoTag, Series, merge_state_number, merge_state_of,
    merge_state_word,
};
pub use reason::Reason;

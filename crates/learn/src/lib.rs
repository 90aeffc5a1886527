//! Learns from what was recorded: statistics, full episodes, and data sets for others with their data card. Points and journals in, numbers
//! and rows out; where they come from and where they go is somebody else's business.
//!
//! - [`Flows`] reads points flow by flow through the port [`banksman_core::port::Training`].
//! - [`stats`]: numbers of finished flows and of actions.
//! - [`Export`] writes a data set: its tables ([`table`]) as JSON lines, CSV or Parquet ([`write`]), split by time, cleaned where that is asked
//!   for ([`clean`]).
//! - [`describe`]: data card and Croissant metadata.

pub mod clean;
pub mod describe;
mod export;
mod flow;
mod split;
pub mod stats;
pub mod table;
pub mod write;

pub use export::{Export, Part, Results, Summary, Survey, TableSummary};
pub use flow::{Event, Flow, Flows, Pair};
pub use split::{Split, Splits};

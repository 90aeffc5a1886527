//! Sinks of training data (D3, D4): where copies go besides the store, and the spool in which they wait.
//!
//! - `influx`: InfluxDB 2 over its write API. `files`: line protocol or JSON lines, appended to a file.
//! - `spool`: batches on disk, in order, until the sink has acknowledged them.
//! - `delivery`: takes batches out of a spool and hands them to a sink, again and again until it takes them.
//! - [`Sinks`]: all of them together; what the wiring opens.

mod delivery;
mod files;
mod influx;
mod sinks;
mod spool;
mod token;

pub use delivery::{Delivered, Pauses, deliver, deliver_what_waits};
pub use files::{JsonFile, LineFile};
pub use influx::{BadInflux, Influx, InfluxSettings};
pub use sinks::{SinkKind, SinkOpenError, SinkSettings, Sinks, Standing};
pub use spool::{Batch, Spool, SpoolError};
pub use token::{InfluxToken, TokenError};

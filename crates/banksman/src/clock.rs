//! The wall clock. The only place that reads it; everything else gets times from here or through the `Clock` port.

use jiff::Timestamp;

/// The present moment, in milliseconds: what the databases keep.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

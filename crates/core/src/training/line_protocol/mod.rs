//! InfluxDB's line protocol by its real rules, as its own parser reads it: one line a point,
//!
//! ```text
//! measurement,tag=value,... field=value,... timestamp
//! ```
//!
//! - In names (measurement, tag keys and values, field keys) a backslash before `,`, ` ` or (but for measurements) `=` makes that
//!   character part of the name; every other backslash is itself. A character behind a backslash never ends a name, so a name that ends
//!   with a backslash cannot be written, and none can hold a line break.
//! - Values of fields: `1i` (64 bits, signed), `1u` (unsigned), `1.5`, `t`/`true`/`f`/`false`, `"text"` in which `\"` and `\\` are escapes
//!   and line breaks are themselves.
//! - Blank lines and lines that begin with `#` are skipped. Without a timestamp the receiver sets one.
//!
//! Nothing here knows which measurements there are.

mod precision;
mod read;
mod write;

pub use precision::Precision;
pub use read::{BadLine, Entry, Line, Lines, Name, Value};
pub use write::{LineWriter, Unwritable};

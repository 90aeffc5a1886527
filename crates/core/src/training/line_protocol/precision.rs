//! Units of timestamps.

use std::str::FromStr;

/// Unit in which timestamps are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Nanoseconds.
    #[default]
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// A word that is no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the precision is ns, us, ms or s")]
pub struct UnknownPrecision;

impl FromStr for Precision {
    type Err = UnknownPrecision;
    fn from_str(word: &str) -> Result<Self, UnknownPrecision> {
        Ok(match word {
            "ns" | "n" => Self::Nanoseconds,
            "us" | "u" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            _ => return Err(UnknownPrecision),
        })
    }
}

impl Precision {
    /// A timestamp in nanoseconds since 1970; `None` where that leaves 64 bits.
    pub fn nanos(self, timestamp: i64) -> Option<i64> {
        timestamp.checked_mul(match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        })
    }
}

//! How much of a day is wanted (B7).

use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Tasks that a day may use, by name or by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// 20 a day.
    Conservative,
    /// 80 a day.
    Moderate,
    /// 200 a day.
    Aggressive,
    /// So many a day.
    Tasks(u32),
}

impl Strategy {
    /// Tasks of a day.
    pub fn per_day(self) -> u32 {
        match self {
            Self::Conservative => 20,
            Self::Moderate => 80,
            Self::Aggressive => 200,
            Self::Tasks(number) => number,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conservative => f.write_str("conservative"),
            Self::Moderate => f.write_str("moderate"),
            Self::Aggressive => f.write_str("aggressive"),
            Self::Tasks(number) => write!(f, "{number}"),
        }
    }
}

impl Serialize for Strategy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A word that is no strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a strategy is `conservative` (20 tasks a day), `moderate` (80), `aggressive` (200) or a number")]
pub struct UnknownStrategy;

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        match text {
            "conservative" => Ok(Self::Conservative),
            "moderate" => Ok(Self::Moderate),
            "aggressive" => Ok(Self::Aggressive),
            number => number.parse().map(Self::Tasks).map_err(|_| UnknownStrategy),
        }
    }
}

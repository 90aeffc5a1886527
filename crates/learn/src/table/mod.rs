//! The tables of a data set: their columns with types and closed words, and how a flow becomes their rows. A column holds ids, words of
//! closed lists, counts, numbers or times; there is none for text.

mod actions;
mod column;
mod episodes;
mod observations;
mod outcomes;
mod rows;

pub use column::{Cell, Column, ColumnKind, Content, Null};
pub(crate) use rows::{FlowKeys, rows};

use serde::Serialize;

/// The tables of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableName {
    /// What was seen, one row a look.
    Observations,
    /// What was done, one row an action.
    Actions,
    /// How pull requests ended, one row an end.
    Outcomes,
    /// Each action with the state before it and how the flow ended.
    Pairs,
    /// Full episodes: all entries of a flow in the order of time, numbered.
    Episodes,
}

/// Whether times and ids are as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleaning {
    /// Times are points in time, ids are the forge's.
    AsRecorded,
    /// Times count from the start of the flow, ids are hashes.
    Clean,
}

impl TableName {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 5] =
        [Self::Observations, Self::Actions, Self::Outcomes, Self::Pairs, Self::Episodes];

    /// The name, of the file too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observations => "observations",
            Self::Actions => "actions",
            Self::Outcomes => "outcomes",
            Self::Pairs => "pairs",
            Self::Episodes => "episodes",
        }
    }

    /// What it holds.
    pub fn about(self) -> &'static str {
        match self {
            Self::Observations => "What was seen of pull requests, one row a look.",
            Self::Actions => "What was decided and done, one row an action.",
            Self::Outcomes => "How pull requests ended.",
            Self::Pairs => "Each action with the state that was seen last before it, and how the flow ended.",
            Self::Episodes => "All entries of each flow in the order of time: full episodes.",
        }
    }

    /// Its columns.
    pub fn columns(self, cleaning: Cleaning) -> Vec<Column> {
        let mut all = rows::key_columns(cleaning);
        match self {
            Self::Observations => all.extend(observations::columns(Null::Never)),
            Self::Actions => all.extend(actions::columns(Null::Never)),
            Self::Outcomes => all.extend(outcomes::columns(Null::Never)),
            Self::Pairs => all.extend(episodes::pair_columns()),
            Self::Episodes => all.extend(episodes::columns()),
        }
        all
    }
}

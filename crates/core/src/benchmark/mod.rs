//! Implementers compared (D16), from the lines of the journal: medians with bootstrap intervals, and no rank where the intervals overlap.
//! Pure and deterministic: chance comes from a seed.

mod assign;
mod board;
mod estimate;
mod metric;
mod report;

pub use assign::{Assignment, NoImplementers};
pub use board::{Board, BoardRow, FEWEST, board};
pub use estimate::Estimate;
pub use metric::{Better, Metric, UnknownMetric};
pub use report::{By, Costs, Group, Measured, Report, report};

//! The rules policy of 50-execute.md: a pure function from signals and history to one action. The table is data
//! ([`TABLE`]), so that tests and `epic status` walk the same rows that decide.

mod action;
mod eligible;
mod history;
mod limits;
mod table;

pub use action::{Action, ActionKind, EscalateReason, WaitReason};
pub use eligible::eligible;
pub use history::{History, Reply, Request, Requests, Resolution};
pub use limits::Limits;
pub use table::{Case, Decision, Row, TABLE, decide};

/// Name and version of the rules: the version grows whenever a row decides otherwise than before.
pub const RULES: &str = "rules-1";

//! The governor as `status` shows it.

use banksman_core::text::RepoName;
use jiff::Timestamp;
use serde::Serialize;

/// How things stand with GitHub's limits. Times are the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GovernorView {
    /// REST requests of the hour.
    pub rest: BudgetView,
    /// GraphQL points of the hour.
    pub graphql: BudgetView,
    /// Points of REST requests in the last minute.
    pub rest_minute: WindowView,
    /// Points of GraphQL requests in the last minute.
    pub graphql_minute: WindowView,
    /// Content made in the last minute.
    pub content_minute: WindowView,
    /// Content made in the last hour.
    pub content_hour: WindowView,
    /// Requests that are not answered yet.
    pub under_way: usize,
    /// Repositories that were told to wait, by name.
    pub waiting: Vec<RepoName>,
    /// Why everything stands still, if it does.
    pub pause: Option<PauseView>,
}

/// One hourly budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BudgetView {
    /// An hour's worth.
    pub limit: u32,
    /// What is left, as far as known.
    pub left: u32,
    /// When it is full again, if GitHub said so.
    pub reset_at: Option<Timestamp>,
}

/// A limit over a sliding stretch of time, with the margin that is kept already taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WindowView {
    /// Most that is spent.
    pub limit: u32,
    /// What is spent.
    pub used: u64,
}

/// A pause of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PauseView {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: PauseWhy,
}

/// Why everything stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseWhy {
    /// GitHub said that a secondary limit was hit.
    SecondaryLimit,
    /// GitHub does not answer, or with errors.
    Trouble,
}

impl PauseWhy {
    /// The reason in a few words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::SecondaryLimit => "GitHub asked for fewer requests",
            Self::Trouble => "GitHub does not answer as it should",
        }
    }
}

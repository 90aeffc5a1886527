//! What a request costs against which limit.

use serde::Serialize;

/// What a request does, as GitHub's limits see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Reads.
    Read,
    /// Reads that settle or finish a write which is under way; they may use the reserve.
    Settle,
    /// Changes something without making content: a label, a merge, a reference.
    Write,
    /// Makes content that notifies people: an issue, a comment, a review, a pull request.
    Content,
}

impl Effect {
    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Content)
    }

    /// Points against the limits of a minute: one for a read, five for a write.
    pub(super) fn minute_points(self) -> u32 {
        if self.writes() { 5 } else { 1 }
    }
}

/// One of the two hourly budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Requests to the REST API.
    Rest,
    /// Points of the GraphQL API.
    Graphql,
}

/// What one request will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cost {
    /// One REST request.
    Rest(Effect),
    /// One GraphQL request.
    Graphql {
        /// Its points against the hourly budget, as far as known beforehand; at least one is counted.
        points: u32,
        /// What it does.
        effect: Effect,
    },
}

impl Cost {
    /// A REST request that reads.
    pub const REST_READ: Self = Self::Rest(Effect::Read);

    /// What it does.
    pub fn effect(self) -> Effect {
        match self {
            Self::Rest(effect) | Self::Graphql { effect, .. } => effect,
        }
    }

    /// The hourly budget that it is taken from.
    pub fn resource(self) -> Resource {
        match self {
            Self::Rest(_) => Resource::Rest,
            Self::Graphql { .. } => Resource::Graphql,
        }
    }

    /// What it takes from that budget.
    pub fn points(self) -> u32 {
        match self {
            Self::Rest(_) => 1,
            Self::Graphql { points, .. } => points.max(1),
        }
    }
}

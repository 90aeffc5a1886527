//! The policy's numbers, configurable per repository.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Limits of the rules policy. Defaults are those of 50-execute.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Time that an implementer has to answer a request.
    pub response_time: SignedDuration,
    /// Review requests for one pull request, in all.
    pub review_requests: u32,
    /// Conflict requests for one pull request before Banksman resolves it itself.
    pub conflict_requests: u32,
    /// Red or undecided checks without a new commit for this long call a person.
    pub red_checks: SignedDuration,
    /// A hosted agent that opened no pull request so long after it was handed an issue calls a person.
    pub no_pull: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            response_time: SignedDuration::from_mins(30),
            review_requests: 3,
            conflict_requests: 2,
            red_checks: SignedDuration::from_hours(24),
            no_pull: SignedDuration::from_hours(24),
        }
    }
}

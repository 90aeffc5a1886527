//! What was decided about a pull request: complete, so that the value of another policy can be estimated later without a guess.

use super::Reason;
use crate::{policy::ActionKind, text::BadText};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The policy of actions that a person or a script recorded.
pub const MANUAL_POLICY: &str = "manual";

/// Name and version of a policy, such as `rules-1`: at most 40 of `[A-Za-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyName(Arc<str>);

impl PolicyName {
    /// Checks the shape.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
            return Err(BadText("policy name"));
        }
        Ok(Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for PolicyName {
    type Error = BadText;
    fn try_from(text: String) -> Result<Self, BadText> {
        Self::new(&text)
    }
}

impl From<PolicyName> for String {
    fn from(name: PolicyName) -> String {
        name.0.to_string()
    }
}

/// One action that the policy could have chosen, and how likely it was to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The action.
    pub action: ActionKind,
    /// Its probability, 0 to 1.
    pub probability: f64,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionTaken {
    /// What was chosen.
    pub action: ActionKind,
    /// Why.
    pub reason: Reason,
    /// Who chose.
    pub policy: PolicyName,
    /// Probability with which that policy chooses this action in this state, 0 to 1.
    pub propensity: f64,
    /// Every action that was eligible, the chosen one among them, ascending; their probabilities add up to 1. Empty for actions that
    /// came in as lines, which have no such field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eligible: Vec<Choice>,
}

impl ActionTaken {
    /// A decision of a policy that chooses the same action each time.
    pub fn certain(action: ActionKind, reason: Reason, policy: PolicyName, eligible: &[ActionKind]) -> Self {
        let mut all: Vec<ActionKind> = eligible.to_vec();
        all.push(action);
        all.sort();
        all.dedup();
        let eligible = all
            .into_iter()
            .map(|kind| Choice { action: kind, probability: if kind == action { 1.0 } else { 0.0 } })
            .collect();
        Self { action, reason, policy, propensity: 1.0, eligible }
    }
}

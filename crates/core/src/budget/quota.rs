//! What is granted and what a dispatch costs, in tasks, money and tokens (B1).

use super::Window;
use crate::text::{EngineName, MemberName, ProviderName};
use serde::{Deserialize, Serialize};

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Dispatched tasks.
    Tasks,
    /// Money in minor units: cents.
    Money,
    /// Tokens.
    Tokens,
}

impl Unit {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Money => "cents",
            Self::Tokens => "tokens",
        }
    }
}

/// What something costs in each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Tasks.
    pub tasks: u32,
    /// Money in minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub money: u64,
    /// Tokens.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(amount: &u64) -> bool {
    *amount == 0
}

impl Cost {
    /// One task, and nothing else that is counted.
    pub const TASK: Self = Self { tasks: 1, money: 0, tokens: 0 };

    /// How much of a unit it is.
    pub fn of(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Tasks => u64::from(self.tasks),
            Unit::Money => self.money,
            Unit::Tokens => self.tokens,
        }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            tasks: self.tasks.saturating_add(other.tasks),
            money: self.money.saturating_add(other.money),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }
}

/// Who grants quotas, which implementers use them, and the most that one task costs there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its name.
    pub name: ProviderName,
    /// The engines and hosted agents whose dispatches it counts.
    pub implementers: Vec<EngineName>,
    /// Reserved for each dispatch. Where it is the most that a task costs, money and tokens stay inside their quotas too.
    pub task: Cost,
}

/// How much a member may use of a provider in one window. Several for the same pair hold together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Whose.
    pub member: MemberName,
    /// Of whom.
    pub provider: ProviderName,
    /// What is counted.
    pub unit: Unit,
    /// Most in one window.
    pub most: u64,
    /// Its windows.
    pub window: Window,
}

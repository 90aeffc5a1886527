//! What a plan is made from.

use super::Strategy;
use crate::{audit::Severity, id::Number, text::RepoName};
use jiff::{Timestamp, civil::Time};

/// Everything that a plan depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanInputs {
    /// How much is wanted of the day.
    pub strategy: Strategy,
    /// Tasks that the pools have left today after what is used and reserved; `None`: there is no quota.
    pub pool_left: Option<u32>,
    /// Tasks used and reserved today, of all repositories.
    pub used: u32,
    /// Most that one repository gets, in percent of the day; 100 at most counts.
    pub cap_percent: u32,
    /// The repositories; an order does not matter, a name stands there once.
    pub repos: Vec<RepoWork>,
    /// The time of day in the time zone of the pool.
    pub time: Time,
    /// Now.
    pub now: Timestamp,
}

/// One repository with its work.
#[derive(Debug, Clone, PartialEq)]
pub struct RepoWork {
    /// Its name.
    pub repo: RepoName,
    /// How much it matters, at least 1: from its tier or its configured weight.
    pub tier: u32,
    /// Tasks used and reserved today.
    pub used: u32,
    /// What its own cap of daily tasks leaves; `None`: it has none.
    pub own_left: Option<u32>,
    /// How its checks went of late.
    pub checks: Checks,
    /// Children and issues that are left in it, ready or not.
    pub work_left: u32,
    /// When something of it was dispatched last: among equals the one that waited longest comes first.
    pub last_served: Option<Timestamp>,
    /// What could be dispatched.
    pub ready: Vec<ReadyIssue>,
}

/// How heads of pull requests went through their checks of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// Heads that ended green.
    pub passed: u32,
    /// Heads that ended, green or red.
    pub ended: u32,
}

/// An issue that could be dispatched today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyIssue {
    /// The issue.
    pub number: Number,
    /// Its severity by label, if any.
    pub severity: Option<Severity>,
    /// Open issues that it waits for; 0 where it may start at once.
    pub waits_for: u32,
    /// When it was opened.
    pub created_at: Timestamp,
}

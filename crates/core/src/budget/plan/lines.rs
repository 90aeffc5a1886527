//! The plan itself: one line per repository, each with what its share follows from.

use super::{Checks, ReadyIssue, RepoWork, Strategy};
use crate::{audit::Severity, budget::pacing::Pace, id::Number, text::RepoName};
use jiff::Timestamp;
use serde::Serialize;

/// What to do with the rest of the day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What all lines share.
    pub day: DayPlan,
    /// Tasks of all lines.
    pub total: u32,
    /// One line per repository, by name; also for those that get nothing.
    pub lines: Vec<PlanLine>,
}

/// What is there to be shared, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayPlan {
    /// How much is wanted.
    pub strategy: Strategy,
    /// Tasks of the whole day: what is wanted, or what the pools allow if that is less.
    pub target: u32,
    /// Used and reserved so far.
    pub used: u32,
    /// What the pools have left; `None`: there is no quota.
    pub pool_left: Option<u32>,
    /// Left of the target.
    pub left: u32,
    /// The pace that follows from what was used.
    #[serde(flatten)]
    pub pace: Pace,
    /// Most that one repository gets, in percent of the target.
    pub cap_percent: u32,
    /// Tasks per hour, in tenths, that use up the plan by the end of the day.
    pub tenths_per_hour: u32,
}

/// One repository's share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanLine {
    /// The repository.
    pub repo: RepoName,
    /// Tasks that it gets beside those it used.
    pub tasks: u32,
    /// Tasks that it used today.
    pub used: u32,
    /// Most that it may use today, what it used included.
    pub cap: u32,
    /// Its weight and what that is made of.
    pub weight: Weight,
    /// Why it gets no more.
    pub limit: Limit,
    /// The issues, in their order.
    pub issues: Vec<PlannedIssue>,
}

/// A weight: tier times work times checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Weight {
    /// How much the repository matters.
    pub tier: u32,
    /// One more for each doubling of the work left, so that a heap of findings does not drown the others.
    pub work: u32,
    /// What its checks leave of the weight, in thousandths: 1000 from four heads of five that pass, 250 at the least.
    pub checks: u32,
    /// Share of heads that pass their checks, in thousandths, drawn towards nine of ten while few are known.
    pub pass_rate: u32,
    /// The product.
    pub total: u64,
}

/// Why a repository gets no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Limit {
    /// Nothing in it can be dispatched.
    NothingReady,
    /// All that is ready has its place.
    AllPlaced,
    /// The cap per repository; low where checks fail often.
    Cap {
        /// Tasks of the day.
        cap: u32,
    },
    /// Its own cap of daily tasks.
    OwnCap,
    /// The day is shared out; this is its fair part.
    FairShare {
        /// Issues that are ready and have to wait.
        waiting: u32,
    },
    /// Only what is stuck is helped today.
    Paused,
}

/// One issue with what its place follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedIssue {
    /// The issue.
    pub number: Number,
    /// Its severity, if any.
    pub severity: Option<Severity>,
    /// Open issues that it waits for.
    pub waits_for: u32,
    /// Days since it was opened.
    pub age_days: i64,
}

impl Weight {
    pub(super) fn of(repo: &RepoWork) -> Self {
        let work = 1 + repo.work_left.checked_ilog2().unwrap_or(0);
        let pass_rate = pass_rate(repo.checks);
        let checks = (pass_rate * 1000 / 800).clamp(250, 1000);
        let tier = repo.tier.max(1);
        Self { tier, work, checks, pass_rate, total: u64::from(tier) * u64::from(work) * u64::from(checks) }
    }

    /// Tasks of the day that the repository may use at most; one at least.
    pub(super) fn cap(&self, target: u32, percent: u32) -> u32 {
        let tasks = u64::from(target) * u64::from(percent) * u64::from(self.checks) / 100_000;
        u32::try_from(tasks).unwrap_or(u32::MAX).max(1)
    }
}

/// Thousandths of heads that pass, with five heads of a middling repository added.
fn pass_rate(checks: Checks) -> u32 {
    let passed = u64::from(checks.passed.min(checks.ended));
    let rate = (passed * 1000 + 4500) / (u64::from(checks.ended) + 5);
    u32::try_from(rate).unwrap_or(1000)
}

impl Limit {
    pub(super) fn of(repo: &RepoWork, tasks: u32, cap: u32, alone: bool, pace: Pace) -> Self {
        let ready = u32::try_from(repo.ready.len()).unwrap_or(u32::MAX);
        match pace {
            _ if ready == 0 => Self::NothingReady,
            Pace::UnstickOnly { .. } => Self::Paused,
            _ if tasks >= ready => Self::AllPlaced,
            _ if repo.own_left.is_some_and(|own| tasks >= own) => Self::OwnCap,
            _ if tasks >= cap && !alone => Self::Cap { cap: cap.saturating_add(repo.used) },
            Pace::Steady | Pace::Raised { .. } => Self::FairShare { waiting: ready - tasks },
        }
    }
}

/// The first issues of a repository: by severity, then those that wait for nothing, then the oldest.
pub(super) fn first(repo: &RepoWork, tasks: u32, now: Timestamp) -> Vec<PlannedIssue> {
    let mut order: Vec<&ReadyIssue> = repo.ready.iter().collect();
    let key = |issue: &&ReadyIssue| {
        // No severity comes after the lowest one.
        (issue.severity.is_none(), issue.severity, issue.waits_for, issue.created_at, issue.number)
    };
    let wanted = usize::try_from(tasks).unwrap_or(usize::MAX).min(order.len());
    if wanted < order.len() {
        order.select_nth_unstable_by_key(wanted, key);
        order.truncate(wanted);
    }
    order.sort_unstable_by_key(key);
    order
        .into_iter()
        .map(|issue| PlannedIssue {
            number: issue.number,
            severity: issue.severity,
            waits_for: issue.waits_for,
            age_days: now.duration_since(issue.created_at).as_hours().max(0) / 24,
        })
        .collect()
}

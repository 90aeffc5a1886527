//! The plan of a day (B7): which repository gets how many tasks, which of its issues come first, and why. Pure and deterministic: the
//! same inputs in any order give the same plan.
//!
//! Between repositories tasks are shared by weighted max-min fairness, found by progressive filling (Bertsekas and Gallager, *Data
//! Networks*, 2nd ed., 1992, section 6.5.2) in whole tasks: each next task goes to the repository that has the least for its weight,
//! what it used today counted in, until nothing is left, nothing is ready, or its cap is reached. For a separable increasing measure this
//! greedy is optimal (Ibaraki and Katoh, *Resource Allocation Problems*, 1988): nobody can get more without somebody who has less
//! for its weight getting less.

mod inputs;
mod lines;
mod room;
mod share;
mod strategy;

pub use inputs::{Checks, PlanInputs, ReadyIssue, RepoWork};
pub use lines::{DayPlan, Limit, Plan, PlanLine, PlannedIssue, Weight};
pub use room::{tasks_left, tier_weight};
pub use strategy::{Strategy, UnknownStrategy};

use crate::budget::pacing::{Pace, tenths_per_hour};
use share::{Claim, fill};

/// Default cap per repository in percent of the day (B7).
pub const CAP_PERCENT: u32 = 40;

/// Plans the rest of the day.
pub fn plan(inputs: &PlanInputs) -> Plan {
    let target = match inputs.pool_left {
        Some(left) => inputs.strategy.per_day().min(inputs.used.saturating_add(left)),
        None => inputs.strategy.per_day(),
    };
    let pace = Pace::at(inputs.time, inputs.used, target);
    let left = target.saturating_sub(inputs.used);
    let available = match pace {
        Pace::UnstickOnly { .. } => 0,
        Pace::Steady | Pace::Raised { .. } => left,
    };
    let cap_percent = pace.cap_percent(inputs.cap_percent.min(100));

    let mut repos: Vec<&RepoWork> = inputs.repos.iter().collect();
    repos.sort_by(|a, b| a.repo.cmp(&b.repo));
    let alone = repos.len() == 1;
    let weights: Vec<Weight> = repos.iter().map(|repo| Weight::of(repo)).collect();
    let caps: Vec<u32> = repos
        .iter()
        .zip(&weights)
        // With nobody to share with a cap would only waste the day.
        .map(|(repo, weight)| {
            if alone { target } else { weight.cap(target, cap_percent) }.saturating_sub(repo.used)
        })
        .collect();
    let claims: Vec<Claim> = repos
        .iter()
        .zip(weights.iter().zip(&caps))
        .map(|(repo, (weight, cap))| Claim {
            weight: weight.total,
            has: repo.used,
            most: u32::try_from(repo.ready.len())
                .unwrap_or(u32::MAX)
                .min(*cap)
                .min(repo.own_left.unwrap_or(u32::MAX)),
            last_served: repo.last_served,
        })
        .collect();
    let given = fill(&claims, available);

    let lines: Vec<PlanLine> = repos
        .iter()
        .zip(weights)
        .zip(caps.iter().zip(&given))
        .map(|((repo, weight), (cap, tasks))| {
            let limit = Limit::of(repo, *tasks, *cap, alone, pace);
            PlanLine {
                repo: repo.repo.clone(),
                tasks: *tasks,
                used: repo.used,
                cap: cap.saturating_add(repo.used),
                weight,
                limit,
                issues: lines::first(repo, *tasks, inputs.now),
            }
        })
        .collect();
    let total = given.iter().sum();
    let day = DayPlan {
        strategy: inputs.strategy,
        target,
        used: inputs.used,
        pool_left: inputs.pool_left,
        left,
        pace,
        cap_percent,
        tenths_per_hour: tenths_per_hour(inputs.time, available),
    };
    Plan { day, total, lines }
}

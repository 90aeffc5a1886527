//! Measures `budget::plan::plan` on 500 repositories with 100,000 ready issues: milliseconds of a whole plan, median and spread, and
//! whether the same inputs in another order give the same plan. Run with `cargo run --release -p banksman-core --example plan_rate`; exits 1
//! when the median is over the target or a plan differs.

use banksman_core::{
    audit::Severity,
    budget::plan::{CAP_PERCENT, Checks, PlanInputs, ReadyIssue, RepoWork, Strategy, plan},
    id::Number,
    text::{BadText, RepoName},
};
use jiff::{SignedDuration, Timestamp, civil::time};
use std::{process::ExitCode, time::Instant};

/// Target of the issue.
const TARGET_MS: f64 = 200.0;
/// Plans that the median is taken of.
const SAMPLES: usize = 21;
const REPOS: u64 = 500;
const ISSUES: u64 = 200;

fn main() -> Result<ExitCode, BadText> {
    let inputs = inputs()?;
    let first = plan(&inputs);
    let mut turned = inputs.clone();
    turned.repos.reverse();
    turned.repos.iter_mut().for_each(|repo| repo.ready.reverse());
    let mut same = true;
    let mut samples: Vec<f64> = (0..SAMPLES)
        .map(|round| {
            let inputs = if round % 2 == 0 { &inputs } else { &turned };
            let start = Instant::now();
            let again = plan(inputs);
            let took = start.elapsed().as_secs_f64() * 1e3;
            same &= again == first;
            took
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    let (median, most) = (samples[SAMPLES / 2], samples[SAMPLES - 1]);
    let explained = first.lines.iter().filter(|line| line.issues.len() == line.tasks as usize).count();
    println!(
        "plan: median {median:.2} ms ({:.2} to {most:.2}, n = {SAMPLES}) for {} repositories and {} ready issues, {} tasks planned",
        samples[0],
        REPOS,
        REPOS * ISSUES,
        first.total,
    );
    println!(
        "same plan from inputs in another order: {}; lines with reasons: {explained} of {}",
        if same { "yes" } else { "NO" },
        first.lines.len()
    );
    let ok = same && median < TARGET_MS && explained == first.lines.len();
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn inputs() -> Result<PlanInputs, BadText> {
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 400);
    let repos = (0..REPOS).map(|index| {
        let ready = (0..ISSUES).map(|issue| ReadyIssue {
            number: Number(issue + 1),
            severity: Severity::ALL.get(usize::try_from((issue * 7 + index) % 5).unwrap_or(0)).copied(),
            waits_for: u32::try_from((issue * 13) % 3).unwrap_or(0),
            created_at: Timestamp::UNIX_EPOCH
                + SignedDuration::from_mins(
                    i64::try_from((issue * 7919 + index * 31) % 500_000).unwrap_or(0),
                ),
        });
        Ok(RepoWork {
            repo: RepoName::new(&format!("acme/r{index}"))?,
            tier: u32::try_from(index % 4 + 1).unwrap_or(1),
            used: u32::try_from(index % 3).unwrap_or(0),
            own_left: (index % 10 == 0).then_some(5),
            checks: Checks { passed: u32::try_from(index % 41).unwrap_or(0), ended: 40 },
            work_left: u32::try_from(ISSUES).unwrap_or(0),
            last_served: None,
            ready: ready.collect(),
        })
    });
    let repos = repos.collect::<Result<Vec<_>, BadText>>()?;
    let used = repos.iter().map(|repo| repo.used).sum();
    Ok(PlanInputs {
        // A day of this size is more than any pool has: the sharing is then the longest.
        strategy: Strategy::Tasks(50_000),
        pool_left: Some(60_000),
        used,
        cap_percent: CAP_PERCENT,
        repos,
        time: time(9, 0, 0, 0),
        now,
    })
}

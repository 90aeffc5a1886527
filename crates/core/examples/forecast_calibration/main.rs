//! How well the forecast's dates hold: simulated teams whose parameters the forecast never sees, each with 14 to 28 days of history; then a
//! new epic begins, is forecast, and runs to its end. `cargo run --release -p banksman-core --example forecast_calibration [EPICS]
//! [TRIALS] [FIRST_SEED]`; exits 1 when the P85 date does not hold for 80 to 90 % of the epics. The team's world (`team.rs`) is made in another
//! way than the forecast thinks: log-normal service in two regimes, working hours, outages, random red checks, difficulty by epic.

mod team;

use banksman_core::budget::forecast::{Backtest, Case, Options, backtest_one};
use std::{process::ExitCode, thread};
use team::Team;

/// Threads of the measurement.
const THREADS: u64 = 2;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().unwrap_or(0));
    let epics = args.next().unwrap_or(1000);
    let trials = u32::try_from(args.next().unwrap_or(10_000)).unwrap_or(10_000);
    let first = args.next().unwrap_or(0);
    let parts: Vec<Part> = thread::scope(|scope| {
        let parts: Vec<_> = (0..THREADS)
            .map(|part| {
                let wanted = (epics + part) / THREADS;
                scope.spawn(move || Part::of((first + part..).step_by(THREADS as usize), wanted, trials))
            })
            .collect();
        parts.into_iter().filter_map(|part| part.join().ok()).collect()
    });
    let left_out: u64 = parts.iter().map(|part| part.left_out).sum();
    let cases: Vec<Case> = parts.into_iter().flat_map(|part| part.cases).collect();
    let took: Vec<f64> = sorted(&cases, |case| hours(case, Some(case.ended_at)));
    let promised: Vec<f64> = sorted(&cases, |case| hours(case, case.dates.p85));
    let median = |all: &[f64]| all.get(all.len() / 2).copied().unwrap_or(0.0) / 24.0;
    let result = Backtest::of(cases, 0);
    let held = |percent: u32| {
        let level = result.levels.iter().find(|level| level.percent == percent);
        level.map_or(0.0, |level| 100.0 * f64::from(level.held) / f64::from(level.of.max(1)))
    };
    println!(
        "P85 holds for {:.1} % of {} simulated epics; P50 for {:.1} %, P95 for {:.1} %; an epic takes {:.1} days (median), its P85 is {:.1}",
        held(85),
        result.cases.len(),
        held(50),
        held(95),
        median(&took),
        median(&promised),
    );
    let all: Vec<String> =
        result.levels.iter().map(|level| format!("{}: {:.1}", level.percent, held(level.percent))).collect();
    println!("chance and how often it held, in %: {}", all.join(", "));
    println!("{left_out} more teams had too little history for a forecast, or never ended");
    let whole = u64::try_from(result.cases.len()).unwrap_or(0) == epics;
    if whole && (80.0..=90.0).contains(&held(85)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one thread measured.
struct Part {
    cases: Vec<Case>,
    left_out: u64,
}

impl Part {
    /// The first so many teams of these seeds that can be forecast.
    fn of(seeds: impl Iterator<Item = u64>, wanted: u64, trials: u32) -> Self {
        let mut part = Self { cases: Vec::new(), left_out: 0 };
        for seed in seeds {
            if part.cases.len() as u64 >= wanted {
                break;
            }
            match one(seed, trials) {
                Some(case) => part.cases.push(case),
                None => part.left_out += 1,
            }
        }
        part
    }
}

/// One team: its history, the forecast of its new epic, and the truth.
fn one(seed: u64, trials: u32) -> Option<Case> {
    let (mut record, asked) = Team::new(seed).play()?;
    let began = record.epics.iter().find(|epic| epic.number == asked)?.started_at;
    // Only the new epic is replayed: those that ended before it keep their ends, those that run beside it are open for a forecast
    // in either case.
    for epic in record.epics.iter_mut().filter(|epic| epic.number != asked) {
        epic.ended_at = epic.ended_at.filter(|ended| *ended < began);
    }
    let options = Options { trials, seed, days: 0 };
    backtest_one(&record, asked, &options)
}

fn hours(case: &Case, at: Option<jiff::Timestamp>) -> f64 {
    at.map_or(f64::INFINITY, |at| at.duration_since(case.began_at).as_secs_f64() / 3600.0)
}

fn sorted(cases: &[Case], of: impl Fn(&Case) -> f64) -> Vec<f64> {
    let mut all: Vec<f64> = cases.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all
}

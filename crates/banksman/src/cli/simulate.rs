//! `simulate`: runs the real loops in simulated worlds with faults, and prints what was violated. A seed replays exactly.

use crate::{
    app::App,
    output::{Exit, style},
};
use banksman_sim::{SimOptions, SimReport, Trace, Violation, replay, simulate};
use clap::Args;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// Run the loops in simulated worlds with faults, and check what must always hold.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Seeds to simulate; each makes two worlds, one of the pipeline and one of jobs.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0, value_name = "N")]
    from: u64,
    /// Repositories in each world.
    #[arg(long, default_value_t = 1, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=20))]
    repos: u32,
    /// Most children of an audit in each repository.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u32).range(1..=200))]
    children: u32,
    /// Run this one seed and print everything that happens in it.
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Threads [default: one per core].
    #[arg(long, default_value_t = 0, value_name = "N", hide_default_value = true)]
    threads: usize,
}

/// A report as scripts get it.
#[derive(Serialize)]
struct ReportShown {
    #[serde(flatten)]
    report: SimReport,
    merges_per_day: f64,
}

/// A replayed seed as scripts get it.
#[derive(Serialize)]
struct TraceShown {
    seed: u64,
    hash: String,
    violations: Vec<Violation>,
    lines: Vec<String>,
}

pub(super) fn run(args: &SimulateArgs, app: &App) -> anyhow::Result<Exit> {
    let seeds = match args.seed {
        Some(seed) => seed..seed.saturating_add(1),
        None => args.from..args.from.saturating_add(args.seeds),
    };
    let mut options = SimOptions::new(seeds);
    options.repos = args.repos;
    options.children = args.children;
    options.threads = args.threads;
    let clean = match args.seed {
        Some(seed) => {
            let Trace { hash, lines, violations } = replay(seed, &options);
            let clean = violations.is_empty();
            app.page.write(&TraceShown { seed, hash: format!("{hash:016x}"), violations, lines }, trace)?;
            clean
        }
        None => {
            let live = std::io::stderr().is_terminal();
            let report = simulate(&options, &|done| {
                if live {
                    let (d, total) = (style::DIM, args.seeds);
                    anstream::eprint!("\r{d}{done} of {total} worlds{d:#}\x1b[K");
                    drop(std::io::stderr().flush());
                }
            });
            if live {
                anstream::eprint!("\r\x1b[K");
            }
            let clean = report.violations.is_empty();
            let merges_per_day = report.merges_per_day();
            app.page.write(&ReportShown { report, merges_per_day }, |shown| text(shown, args))?;
            clean
        }
    };
    Ok(if clean { Exit::Success } else { Exit::Failed })
}

fn text(shown: &ReportShown, args: &SimulateArgs) -> String {
    let report = &shown.report;
    let mut out = String::new();
    let (bad, good) = (style::BAD, style::GOOD);
    for violation in &report.violations {
        out.push_str(&format!("{bad}violated{bad:#} {violation}\n"));
        out.push_str(&format!(
            "  banksman simulate --seed {} --repos {} --children {} replays it\n",
            violation.seed, args.repos, args.children
        ));
    }
    let verdict = match report.violations.len() {
        0 => format!("{good}0 violations{good:#}"),
        n => format!("{bad}{n} violations{bad:#}"),
    };
    out.push_str(&format!(
        "{verdict} in {} worlds with {} crashes of processes and {} effects on the forge\n\
         {} merges ({:.1} per simulated day), {} requests to implementers, {} calls for a person\n\
         {:.1} simulated days in {:.1} s\n",
        report.worlds,
        report.crashes,
        report.effects,
        report.merges,
        shown.merges_per_day,
        report.asks,
        report.escalations,
        report.days,
        report.seconds
    ));
    out
}

fn trace(shown: &TraceShown) -> String {
    let mut out: String =
        shown.lines.iter().map(|line| format!("{}\n", crate::output::clean(line))).collect();
    for violation in &shown.violations {
        out.push_str(&format!("violated {violation}\n"));
    }
    out.push_str(&format!("trace {} with {} violations\n", shown.hash, shown.violations.len()));
    out
}

//! `benchmark report`: every number of every implementer, as medians with 95 % intervals.

use super::{Grouping, finished::finished};
use crate::{
    app::App,
    output::{Cell, Exit, Table, clean, style},
};
use banksman_core::benchmark::{Estimate, Metric, Report, report};
use clap::Args;

/// Show what became of finished children, by implementer.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Only this repository [default: all].
    #[arg(long)]
    repo: Option<String>,
    /// What to group by.
    #[arg(long, default_value = "implementer")]
    by: Grouping,
    /// Where chance begins; the same seed gives the same intervals.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

pub(super) fn run(args: &ReportArgs, app: &App) -> anyhow::Result<Exit> {
    let done = finished(app, args.repo.as_deref())?;
    let shown = report(&done.entries, &done.costs, args.by.into(), args.seed);
    app.page.write(&shown, text)?;
    Ok(Exit::Success)
}

fn text(shown: &Report) -> String {
    if shown.groups.is_empty() {
        return "no child is finished yet: there is nothing to compare\n".to_owned();
    }
    let mut out = String::new();
    for group in &shown.groups {
        let head = style::HEAD;
        out.push_str(&format!("{head}{}{head:#}: {} children\n", clean(&group.name), group.children));
        let mut table = Table::new(&["", "middle", "95 % interval", "mean", "children"]);
        for measured in &group.measured {
            let Some(estimate) = measured.estimate else { continue };
            let Estimate { middle, mean, low, high, children } = estimate;
            let number = |value: f64| number(measured.metric, value);
            table.row([
                format!("  {}", measured.metric).into(),
                number(middle).into(),
                Cell::new(format!("{} to {}", number(low), number(high)), style::DIM),
                number(mean).into(),
                children.to_string().into(),
            ]);
        }
        out.push_str(&table.text());
    }
    out.push_str("middle: the median, of a rate the share; `banksman benchmark leaderboard` ranks where that can be said\n");
    out
}

/// A number with its unit.
pub(super) fn number(metric: Metric, value: f64) -> String {
    match metric {
        Metric::MergeRate => format!("{:.0} %", value * 100.0),
        Metric::HoursToMerge | Metric::ResponseHours => hours(value),
        Metric::ReviewCycles | Metric::CiFailures | Metric::ConflictCycles => format!("{value:.1}"),
        Metric::Lines => format!("{value:.0}"),
        Metric::CostUsd => format!("${value:.2}"),
    }
}

fn hours(value: f64) -> String {
    match value * 60.0 {
        minutes if minutes < 2.0 => format!("{:.0} s", minutes * 60.0),
        minutes if minutes < 120.0 => format!("{minutes:.0} min"),
        _ => format!("{value:.1} h"),
    }
}

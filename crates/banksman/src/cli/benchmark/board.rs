//! `benchmark leaderboard`: implementers in the order of one number; a rank only where no other interval reaches.

use super::{Grouping, finished::finished, report::number};
use crate::{
    app::App,
    output::{Cell, Exit, Table, clean, plot, style},
};
use banksman_core::benchmark::{Board, FEWEST, Metric, board, report};
use clap::Args;
use std::path::PathBuf;

/// Columns of an interval.
const WIDTH: usize = 40;

/// Rank implementers by one number, where that can be said.
#[derive(Debug, Args)]
pub(super) struct BoardArgs {
    /// What counts: merge-rate, hours-to-merge, response-hours, review-cycles, ci-failures, conflict-cycles, lines or cost.
    #[arg(long, default_value = "hours-to-merge", value_name = "NUMBER")]
    metric: Metric,
    /// Only this repository [default: all].
    #[arg(long)]
    repo: Option<String>,
    /// What to group by.
    #[arg(long, default_value = "implementer")]
    by: Grouping,
    /// Where chance begins; the same seed gives the same intervals.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Draw it as a picture.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

pub(super) fn run(args: &BoardArgs, app: &App) -> anyhow::Result<Exit> {
    let done = finished(app, args.repo.as_deref())?;
    let shown = board(&report(&done.entries, &done.costs, args.by.into(), args.seed), args.metric);
    if let Some(file) = &args.plot {
        plot::save(&plot::leaderboard(&shown), file)?;
    }
    app.page.write(&shown, text)?;
    Ok(Exit::Success)
}

fn text(shown: &Board) -> String {
    if shown.rows.is_empty() {
        return format!("no finished child has a number for {}\n", shown.metric);
    }
    let most = shown.rows.iter().map(|row| row.estimate.high).fold(0.0, f64::max);
    let mut table =
        Table::new(&["rank", "implementer", shown.metric.word(), "95 % interval", "children", ""]);
    for row in &shown.rows {
        let estimate = &row.estimate;
        let written = |value| number(shown.metric, value);
        table.row([
            row.rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()).into(),
            clean(&row.name).into(),
            written(estimate.middle).into(),
            Cell::new(format!("{} to {}", written(estimate.low), written(estimate.high)), style::DIM),
            estimate.children.to_string().into(),
            plot::interval((estimate.low, estimate.middle, estimate.high), (0.0, most), WIDTH).into(),
        ]);
    }
    let mut out = table.text();
    if shown.rows.iter().any(|row| row.rank.is_none()) {
        out.push_str(&format!(
            "-: no rank, for another interval reaches there, or fewer than {FEWEST} children tell\n"
        ));
    }
    out
}

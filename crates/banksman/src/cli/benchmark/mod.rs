//! `benchmark`: lets implementers take turns on the children of an epic, and compares what became of all finished children (D16).

mod assign;
mod board;
mod finished;
mod report;

use crate::{app::App, output::Exit};
use banksman_core::benchmark::By;
use clap::{Args, Subcommand, ValueEnum};

/// Compare implementers: deal an epic out to several, and see medians with intervals.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchmarkArgs {
    #[command(flatten)]
    assign: assign::AssignArgs,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    Report(report::ReportArgs),
    Leaderboard(board::BoardArgs),
}

/// What finished children are grouped by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Grouping {
    /// The engine or hosted agent; the login where there is none.
    Implementer,
    /// The model, by the table `models` of the configuration.
    Model,
}

impl From<Grouping> for By {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Implementer => Self::Implementer,
            Grouping::Model => Self::Model,
        }
    }
}

pub(super) fn run(args: &BenchmarkArgs, app: &App) -> anyhow::Result<Exit> {
    match &args.what {
        None => assign::run(&args.assign, app),
        Some(What::Report(args)) => report::run(args, app),
        Some(What::Leaderboard(args)) => board::run(args, app),
    }
}

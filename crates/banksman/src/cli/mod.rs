//! The command line: one file per command. What a command does stands in its file; here is only the list.

mod add;
mod audit;
mod benchmark;
pub(crate) mod budget;
mod cancel;
mod completions;
mod config;
mod demo;
mod doctor;
mod epic;
mod fix;
mod forge;
mod from_tracker;
mod insights;
mod items;
mod logs;
mod monitor;
mod onboard;
mod profiles;
mod reference;
mod repos;
mod retry;
mod serve;
mod simulate;
mod standing;
mod status;
mod subject;
mod target;
mod to_tracker;
mod training;
mod worker;

use crate::{app::App, output::Exit};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Directs coding agents by structural signals alone: from audit findings to merged pull requests.
#[derive(Debug, Parser)]
#[command(name = "banksman", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "First steps: `banksman demo` shows the whole way on a small repository; \
`banksman onboard PATH --audit FILE --engine NAME` does it on yours; \
`banksman add FILE.md` and `banksman worker` run single jobs.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print JSON for scripts instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No colours ($NO_COLOR does the same).
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Folder for Banksman's own files ($BANKSMAN_HOME) [default: ~/.local/share/banksman].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Store of a fleet, postgres://HOST/DATABASE ($BANKSMAN_STORE) [default: a file in the home]. With a password
    /// it belongs into the variable: arguments can be read by others.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::DemoArgs),
    Add(add::AddArgs),
    Worker(worker::WorkerArgs),
    Status(status::StatusArgs),
    Logs(logs::LogsArgs),
    Cancel(cancel::CancelArgs),
    Retry(retry::RetryArgs),
    Insights(insights::InsightsArgs),
    Profiles(profiles::ProfilesArgs),
    FromTracker(from_tracker::FromTrackerArgs),
    ToTracker(to_tracker::ToTrackerArgs),
    Items(items::ItemsArgs),
    Serve(serve::ServeArgs),
    Onboard(onboard::OnboardArgs),
    Audit(audit::AuditArgs),
    Epic(epic::EpicArgs),
    Monitor(monitor::MonitorArgs),
    Fix(fix::FixArgs),
    Budget(budget::BudgetArgs),
    Benchmark(benchmark::BenchmarkArgs),
    Training(training::TrainingArgs),
    Forge(forge::ForgeArgs),
    Repos(Box<repos::ReposArgs>),
    Simulate(simulate::SimulateArgs),
    Doctor(doctor::DoctorArgs),
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    DemoAgent(demo::DemoAgentArgs),
    #[command(hide = true)]
    Reference(reference::ReferenceArgs),
}

/// Runs a command.
pub(crate) fn run(command: Command, app: &App) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(&args, app),
        Command::DemoAgent(args) => demo::run_agent(&args),
        Command::Add(args) => add::run(&args, app),
        Command::Worker(args) => worker::run(&args, app),
        Command::Status(args) => status::run(&args, app),
        Command::Logs(args) => logs::run(&args, app),
        Command::Cancel(args) => cancel::run(&args, app),
        Command::Retry(args) => retry::run(&args, app),
        Command::Insights(args) => insights::run(&args, app),
        Command::Profiles(args) => profiles::run(&args, app),
        Command::FromTracker(args) => from_tracker::run(&args, app),
        Command::ToTracker(args) => to_tracker::run(&args, app),
        Command::Items(args) => items::run(args, app),
        Command::Serve(args) => serve::run(&args, app),
        Command::Onboard(args) => onboard::run(&args, app),
        Command::Audit(args) => audit::run(&args, app),
        Command::Epic(args) => epic::run(&args, app),
        Command::Monitor(args) => monitor::run(&args, app),
        Command::Fix(args) => fix::run(&args, app),
        Command::Budget(args) => budget::run(args, app),
        Command::Benchmark(args) => benchmark::run(&args, app),
        Command::Training(args) => training::run(args, app),
        Command::Forge(args) => forge::run(args, app),
        Command::Repos(args) => repos::run(&args, app),
        Command::Simulate(args) => simulate::run(&args, app),
        Command::Doctor(args) => doctor::run(&args, app),
        Command::Config(args) => config::run(&args, app),
        Command::Completions(args) => completions::run(&args),
        Command::Reference(args) => reference::run(&args),
    }
}

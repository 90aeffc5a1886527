//! `training`: what was seen, decided and done about pull requests, and how they ended (70-training.md).

mod capture;
mod export;
mod index;
mod record;
mod show;
mod stats;
mod validate;

use crate::{
    app::App,
    config::Settings,
    home::Home,
    host::open_store,
    output::{Exit, Failure, clean},
};
use banksman_core::text::RepoName;
use banksman_store::Chosen;
use clap::{Args, Subcommand};

/// Look at what is recorded for learning, check it, and give it away as data sets.
#[derive(Debug, Args)]
pub(crate) struct TrainingArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Capture(capture::CaptureArgs),
    RecordAction(record::ActionArgs),
    RecordOutcome(record::OutcomeArgs),
    Stats(stats::StatsArgs),
    Show(show::ShowArgs),
    Validate(validate::ValidateArgs),
    Index(index::IndexArgs),
    Export(export::ExportArgs),
}

pub(super) fn run(args: TrainingArgs, app: &App) -> anyhow::Result<Exit> {
    match args.what {
        What::Capture(args) => capture::run(&args, app),
        What::RecordAction(args) => record::action(&args, app),
        What::RecordOutcome(args) => record::outcome(&args, app),
        What::Stats(args) => stats::run(&args, app),
        What::Show(args) => show::run(&args, app),
        What::Validate(args) => validate::run(&args, app),
        What::Index(args) => index::run(&args, app),
        What::Export(args) => export::run(&args, app),
    }
}

/// The store, if anything was ever recorded: looking at it makes none.
async fn store_if_any(settings: &Settings, home: &Home) -> anyhow::Result<Option<Chosen>> {
    if settings.store.is_none() && !home.store().exists() {
        return Ok(None);
    }
    open_store(settings, home).await.map(Some)
}

/// A repository as people name it: `shop` is the embedded forge's.
fn repo_named(name: &str) -> anyhow::Result<RepoName> {
    let full = if name.contains('/') { name.to_owned() } else { format!("local/{name}") };
    RepoName::new(&full).map_err(|_| {
        Failure::usage(format!("{} is no name of a repository", clean(name)), "write it as acme/shop")
    })
}

//! `worker`: runs what is ready in the queue until stopped.

use crate::{
    app::App,
    home::{Home, Inventory},
    host::{Host, Hosted, WorkerUntil, block_on, interrupted, workable},
    output::Exit,
    surface::Surface,
};
use banksman_tracker::AnyTracker;
use clap::Args;

/// Run jobs of the queue until Ctrl-C, which drains: nothing new is claimed, what runs is asked to end (SIGTERM) and killed after its
/// grace period; its jobs are taken up again by the next worker.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Attempts that run at the same time [default: `at_once` of the configuration].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    at_once: Option<u32>,
    /// End when nothing runs any more and nothing waits that could run here.
    #[arg(long)]
    until_empty: bool,
    /// Say nothing about each job.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &WorkerArgs, app: &App) -> anyhow::Result<Exit> {
    let mut settings = app.config()?.settings;
    if let Some(at_once) = args.at_once {
        settings.at_once = at_once;
    }
    let inventory = Inventory::read(&Home::at(&settings.home).inventory())?;
    let hosted: Vec<Hosted> = inventory
        .all()
        .map(|(repo, entry)| {
            let rules = entry.rules(&repo, &settings)?;
            Ok(Hosted { repo, entry: entry.clone(), rules })
        })
        .collect::<anyhow::Result<_>>()?;
    let tracker = app.tracker(&settings)?.map(|tracker| AnyTracker::open(&tracker)).transpose()?;
    block_on(async {
        let surface = if args.quiet { Surface::silent() } else { Surface::plain(&app.page) };
        let policy = Host::sandbox_policy(&settings);
        // Other jobs do not wait for a token that nobody gave.
        let (hosted, missing) = workable(&settings, hosted);
        if let Some(missing) = missing {
            surface.note(&format!("note: no work for repositories on GitHub: {missing}"));
        }
        let host = Host::open(&settings, policy, hosted, Default::default(), surface.clone()).await?;
        let until = if args.until_empty { WorkerUntil::Empty } else { WorkerUntil::Stopped };
        if until == WorkerUntil::Stopped {
            surface.note(&format!(
                "working on {} jobs at once from {}; Ctrl-C drains",
                settings.at_once,
                settings
                    .store
                    .as_ref()
                    .map_or_else(|| host.home.queue().display().to_string(), |s| s.shown()),
            ));
        }
        host.work(&settings, tracker, until, interrupted()).await?;
        Ok(Exit::Success)
    })
}

//! `monitor`: watches repositories and does what their pull requests and epics need, until stopped.

use crate::{
    app::App,
    home::{Home, Inventory},
    host::{Ended, Host, Hosted, block_on, is_embedded},
    output::{Exit, Failure},
    surface::Surface,
};
use banksman_core::text::RepoName;
use banksman_orchestrator::Until;
use clap::Args;

/// Watch repositories and do what they need, until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    /// Repositories to watch: names (shop, acme/shop) or paths [default: all].
    repos: Vec<String>,
    /// Watch all; the default, written out.
    #[arg(long, conflicts_with = "repos")]
    all: bool,
}

/// The repositories that a command is about, with their rules.
pub(super) fn hosted(app: &App, wanted: &[String]) -> anyhow::Result<(crate::config::Settings, Vec<Hosted>)> {
    let settings = app.config()?.settings;
    let inventory = Inventory::read(&Home::at(&settings.home).inventory())?;
    let entries: Vec<(RepoName, crate::home::Entry)> = if wanted.is_empty() {
        inventory.all().map(|(repo, entry)| (repo, entry.clone())).collect()
    } else {
        let found =
            wanted.iter().map(|name| inventory.find(Some(name)).map(|(repo, entry)| (repo, entry.clone())));
        found.collect::<anyhow::Result<_>>()?
    };
    let hosted: Vec<Hosted> = entries
        .into_iter()
        .map(|(repo, entry)| {
            let rules = entry.rules(&repo, &settings)?;
            Ok(Hosted { repo, entry, rules })
        })
        .collect::<anyhow::Result<_>>()?;
    if hosted.is_empty() {
        return Err(Failure::new(
            "Banksman knows no repository yet",
            "`banksman onboard PATH --audit FILE --engine NAME` adds one and starts",
        ));
    }
    Ok((settings, hosted))
}

pub(super) fn run(args: &MonitorArgs, app: &App) -> anyhow::Result<Exit> {
    let (settings, hosted) = hosted(app, &args.repos)?;
    block_on(async {
        let surface = Surface::fitting(&app.page);
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), surface.clone()).await?;
        // Watching needs no engine; work that needs one that is not there fails with the same words.
        if let Err(error) = host.check_engines().await {
            surface.note(&format!("note: {error}"));
        }
        let _lock = host.recover().await?;
        for hosted in &host.hosted {
            // Titles alone are missing where GitHub does not answer now: the loop of that repository waits for it.
            match super::onboard::cast(&host, &hosted.repo).await {
                Err(error) if !is_embedded(&hosted.repo) => {
                    surface.note(&format!("note: {}: {error:#}", hosted.repo))
                }
                told => told?,
            }
        }
        surface.note(&format!("watching {} repositories; Ctrl-C stops", host.hosted.len()));
        let ended = host.run(Until::Stopped).await;
        surface.finish();
        match ended? {
            Ended::Interrupted | Ended::Settled(_) | Ended::HandedOut => Ok(Exit::Success),
        }
    })
}

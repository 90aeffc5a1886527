//! One look at all repositories for plan and forecast: what the forge says is open, with what the store knows of the past. Changes nothing.

use super::Desk;
use crate::{
    clock::now,
    host::{Host, Hosted, block_on, explain_trouble, workable},
    surface::Surface,
};
use banksman_core::text::RepoName;
use banksman_orchestrator::Picture;
use std::collections::BTreeMap;

/// An open home with what was seen.
pub(crate) struct Seen {
    /// The home.
    pub(crate) host: Host,
    /// What each repository's forge says, in the order of the inventory.
    pub(crate) pictures: Vec<(Hosted, Picture)>,
    /// Repositories that were not looked at, and why.
    pub(crate) missing: BTreeMap<RepoName, String>,
}

/// Looks at every repository of the inventory and works on what was seen.
pub(crate) fn look<T, F: Future<Output = anyhow::Result<T>>>(
    desk: &Desk,
    work: impl FnOnce(Seen) -> F,
) -> anyhow::Result<T> {
    block_on(async { work(looked(desk).await?).await })
}

/// The look itself, for callers that are asynchronous already.
pub(crate) async fn looked(desk: &Desk) -> anyhow::Result<Seen> {
    let mut missing = BTreeMap::new();
    let mut hosted = Vec::new();
    for (repo, entry) in desk.inventory.all() {
        match entry.rules(&repo, &desk.settings) {
            Ok(rules) => hosted.push(Hosted { repo, entry: entry.clone(), rules }),
            Err(error) => drop(missing.insert(repo, error.to_string())),
        }
    }
    let wanted: Vec<RepoName> = hosted.iter().map(|hosted| hosted.repo.clone()).collect();
    let (hosted, why) = workable(&desk.settings, hosted);
    let gone = wanted.into_iter().filter(|repo| !hosted.iter().any(|h| h.repo == *repo));
    let why = why.map(|why| why.to_string()).unwrap_or_default();
    missing.extend(gone.map(|repo| (repo, why.clone())));
    let policy = Host::sandbox_policy(&desk.settings);
    let host = Host::open(&desk.settings, policy, hosted, Default::default(), Surface::silent()).await?;
    seen(host, missing).await
}

/// The same for a home that is open.
async fn seen(host: Host, mut missing: BTreeMap<RepoName, String>) -> anyhow::Result<Seen> {
    let orchestrator = host.orchestrator()?;
    let mut pictures = Vec::with_capacity(host.hosted.len());
    for hosted in &host.hosted {
        match orchestrator.observe(&hosted.rules).await {
            Ok(picture) => pictures.push((hosted.clone(), picture)),
            Err(trouble) => {
                missing.insert(hosted.repo.clone(), explain_trouble(&hosted.repo, trouble).to_string());
            }
        }
    }
    Ok(Seen { host, pictures, missing })
}

impl Seen {
    /// What was not looked at, in words.
    pub(crate) fn notes(missing: &BTreeMap<RepoName, String>) -> String {
        let note = |(repo, why): (&RepoName, &String)| {
            format!("note: {} was not looked at: {}\n", crate::home::short(repo), crate::output::clean(why))
        };
        missing.iter().map(note).collect()
    }

    /// The moment of the look.
    pub(crate) fn at(&self) -> jiff::Timestamp {
        self.pictures.iter().map(|(_, picture)| picture.at).max().unwrap_or_else(now)
    }
}

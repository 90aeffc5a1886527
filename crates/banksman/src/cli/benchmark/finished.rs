//! All finished children of a store with what they cost.

use crate::{
    app::App,
    clock::now,
    config::Settings,
    home::{Home, Inventory},
    host::{block_on, open_store},
};
use banksman_core::{
    benchmark::Costs,
    id::{JobId, Number},
    journal::{JournalEntry, KnownModels},
    port::{Queue as _, Store as _, TaskFilter},
    text::RepoName,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is compared.
pub(super) struct Finished {
    pub(super) entries: Vec<JournalEntry>,
    pub(super) costs: Costs,
}

/// Reads the journals of one repository, or of all.
pub(super) fn finished(app: &App, repo: Option<&str>) -> anyhow::Result<Finished> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    let wanted = match repo {
        Some(name) => Some(Inventory::read(&home.inventory())?.find(Some(name))?.0),
        None => None,
    };
    if settings.store.is_none() && !home.store().exists() {
        return Ok(Finished { entries: Vec::new(), costs: Costs::new() });
    }
    block_on(read(&settings, &home, wanted.as_ref()))
}

async fn read(settings: &Settings, home: &Home, wanted: Option<&RepoName>) -> anyhow::Result<Finished> {
    let store = open_store(settings, home).await?;
    let mut repos = store.repos().await?;
    repos.retain(|repo| wanted.is_none_or(|wanted| wanted == repo));
    let (mut entries, mut about) = (Vec::new(), BTreeMap::new());
    for repo in repos {
        let mut journal = store.journal(&repo).await?;
        named(&mut journal, &settings.models);
        let child_of: BTreeMap<Number, Number> =
            journal.iter().filter_map(|e| Some((e.pull?, e.child))).collect();
        for job in store.tasks(&TaskFilter::Repo(repo.clone())).await? {
            let Some(task) = job.work.task() else { continue };
            let subject = task.subject();
            let child = child_of.get(&subject).copied().unwrap_or(subject);
            about.insert(job.id, (repo.clone(), child));
        }
        entries.extend(journal);
    }
    let mut costs = Costs::new();
    let about: BTreeMap<JobId, (RepoName, Number)> = about;
    for attempt in store.attempts_between(Timestamp::UNIX_EPOCH, now()).await? {
        let (Some(subject), Some(cost)) =
            (about.get(&attempt.record.job), attempt.record.measured.usage.cost_usd)
        else {
            continue;
        };
        *costs.entry(subject.clone()).or_default() += cost;
    }
    Ok(Finished { entries, costs })
}

/// Lines that name no model get the one that the host's table knows by now.
fn named(entries: &mut [JournalEntry], models: &KnownModels) {
    for entry in entries.iter_mut().filter(|entry| entry.model.is_none()) {
        if let Some(known) = models.of(entry.implementer.as_ref(), entry.login.as_ref()) {
            entry.model = Some(known.model.clone());
            entry.provider = Some(known.provider.clone());
        }
    }
}

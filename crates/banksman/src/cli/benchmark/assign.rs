//! `benchmark EPIC --implementers a,b`: deals the children of an epic out in turn, phase by phase. The dispatch of each child follows it.

use crate::{
    app::App,
    cli::{monitor::hosted, subject::Subject},
    clock::now,
    home::{Home, Inventory, short},
    host::{Host, block_on, explain_trouble},
    output::{Exit, Failure, Table},
    surface::Surface,
};
use banksman_core::{
    benchmark::Assignment,
    id::Number,
    port::{PlanRecord, Store as _},
    text::{EngineName, RepoName},
};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

/// How long the repository is held for writing one record.
const HELD_MS: i64 = 10_000;

#[derive(Debug, Args)]
pub(super) struct AssignArgs {
    /// The epic to deal out, as NUMBER or REPO#NUMBER.
    epic: Option<Subject>,
    /// Who takes turns, with commas between: engines and hosted agents that work for the repository.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    implementers: Vec<EngineName>,
    /// The repository: its name (shop, acme/shop) or path [default: the one you are in, or the only one].
    #[arg(long)]
    repo: Option<String>,
}

/// Who gets what, for scripts.
#[derive(Serialize)]
struct Shown {
    repo: RepoName,
    epic: Number,
    #[serde(flatten)]
    assignment: Assignment,
    /// Children that were dispatched before: they stay with whom they are.
    dispatched_before: Vec<Number>,
}

pub(super) fn run(args: &AssignArgs, app: &App) -> anyhow::Result<Exit> {
    let Some(subject) = &args.epic else {
        return Err(Failure::usage(
            "what is to be compared?",
            "`banksman benchmark EPIC --implementers A,B` deals an epic out; \
             `banksman benchmark report` compares what is finished",
        ));
    };
    let home = app.config()?.settings.home;
    let inventory = Inventory::read(&Home::at(&home).inventory())?;
    let (repo, _) = inventory.find(Subject::repo(Some(subject), args.repo.as_deref())?)?;
    let (settings, hosted) = hosted(app, &[short(&repo).to_owned()])?;
    let shown = block_on(async {
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), Surface::silent()).await?;
        deal(&host, &repo, subject.number, &args.implementers).await
    })?;
    app.page.write(&shown, text)?;
    Ok(Exit::Success)
}

async fn deal(
    host: &Host,
    repo: &RepoName,
    epic: Number,
    implementers: &[EngineName],
) -> anyhow::Result<Shown> {
    let rules = host.rules().remove(0);
    if let Some(stranger) = implementers.iter().find(|name| !rules.knows(name) && !rules.is_hosted(name)) {
        return Err(Failure::new(
            format!("{stranger} does not work for {}", short(repo)),
            format!("`banksman repos edit {} --engine {stranger}` adds it", short(repo)),
        ));
    }
    let picture = host.orchestrator()?.observe(&rules).await;
    let picture = picture.map_err(|trouble| explain_trouble(repo, trouble))?;
    let Some(view) = picture.epics.iter().find(|view| view.record.number == epic) else {
        let open: Vec<String> = picture.epics.iter().map(|view| format!("#{}", view.record.number)).collect();
        let help = if open.is_empty() {
            "it has none: `banksman epic create` groups the open issues".to_owned()
        } else {
            format!("its open epics are: {}", open.join(" "))
        };
        return Err(Failure::new(format!("#{epic} is no open epic of {}", short(repo)), help));
    };
    let dealt = Assignment::deal(epic, &view.facts.checklist, implementers)
        .map_err(|error| Failure::usage(error.to_string(), "name them: --implementers A,B"))?;
    // Whoever runs the loops holds the lock; a lease without it is of a process that is gone.
    let _lock = host.recover().await?;
    let store = &host.shared.store;
    let lease = store.lease(repo, &host.holder("benchmark"), now(), HELD_MS).await?.ok_or_else(|| {
        Failure::new(
            format!("another process is at work on {}", short(repo)),
            "stop it, or try again when the repository is quiet",
        )
    })?;
    let plan = serde_json::to_value(&dealt)?;
    let record = PlanRecord { key: Assignment::key(epic), plan, created_at: now(), done_at: None };
    let stored: Assignment = serde_json::from_value(store.plan(&lease, &record).await?.plan)?;
    if stored.implementers != dealt.implementers {
        let names: Vec<&str> = stored.implementers.iter().map(EngineName::as_str).collect();
        return Err(Failure::new(
            format!("epic #{epic} was dealt out already, to {}", names.join(", ")),
            "a comparison keeps its sides to the end; begin another one with another epic",
        ));
    }
    let dispatched =
        view.facts.children.iter().filter(|(_, child)| child.dispatched).map(|(number, _)| *number);
    Ok(Shown { repo: repo.clone(), epic, dispatched_before: dispatched.collect(), assignment: stored })
}

fn text(shown: &Shown) -> String {
    let mut by_name: BTreeMap<&EngineName, Vec<String>> = BTreeMap::new();
    for (child, name) in &shown.assignment.children {
        let before = if shown.dispatched_before.contains(child) { " (dispatched before)" } else { "" };
        by_name.entry(name).or_default().push(format!("#{child}{before}"));
    }
    let mut table = Table::new(&["implementer", "children"]);
    for (name, children) in by_name {
        table.row([name.to_string().into(), children.join(" ").into()]);
    }
    format!(
        "{}#{}: each child goes to its own side\n{}`banksman epic run` does the work, `banksman benchmark report` compares\n",
        short(&shown.repo),
        shown.epic,
        table.text()
    )
}

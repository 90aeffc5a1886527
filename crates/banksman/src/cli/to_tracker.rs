//! `to-tracker`: tells a job's tracker item what became of it (T10 to T13).

use super::from_tracker::{help, tracker};
use crate::{
    app::App,
    home::Home,
    host::{block_on, find_job, open_store},
    output::{Exit, Failure},
    server::CommandClock,
    surface::Surface,
};
use banksman_core::{
    job::{Job, Stage},
    port::tracker::ItemStatus,
    text::ItemId,
};
use banksman_orchestrator::{Echo, Told};
use clap::Args;
use serde::Serialize;

/// Tell the tracker item of a job what became of it: its status, and metrics at the end; never what was asked or answered.
#[derive(Debug, Args)]
pub(crate) struct ToTrackerArgs {
    /// The job: its number or its idempotency key.
    job: String,
}

/// What was told, for scripts.
#[derive(Serialize)]
struct Shown {
    job: u64,
    item: ItemId,
    stage: Stage,
    status: Option<ItemStatus>,
    /// `told`, `told_before` or `nothing`.
    result: &'static str,
}

pub(super) fn run(args: &ToTrackerArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let tracker = tracker(app, &settings)?;
    block_on(async {
        let store = open_store(&settings, &Home::at(&settings.home)).await?;
        let job = find_job(&store, &args.job).await?;
        let Some(item) = job.work.spec().and_then(|spec| spec.tracker_item.clone()) else {
            return Err(no_item(&job));
        };
        let watcher = Surface::silent();
        let echo = Echo { queue: &store, tracker: &tracker, clock: &CommandClock, watcher: &watcher };
        let (result, stage) = match echo.of(job.id).await? {
            Told::Now(stage) => ("told", stage),
            Told::Before(stage) => ("told_before", stage),
            Told::Nothing(stage) => ("nothing", stage),
            Told::NoItem => return Err(no_item(&job)),
            Told::Later(error, due) => {
                let what = format!("item {item} could not be told of job {}: {error}", job.id);
                let later = format!("the job is as it was; a worker tries again at {due:.0}, or you do");
                return Err(Failure::new(what, format!("{}\n{later}", help(&error))));
            }
            Told::Elsewhere => {
                let what = format!("another process has been telling item {item} for a minute");
                return Err(Failure::new(
                    what,
                    "look again later: `banksman status` shows what it was told last",
                ));
            }
        };
        let shown = Shown { job: job.id.0, item, stage, status: ItemStatus::of(stage), result };
        app.page.write(&shown, line)?;
        Ok(Exit::Success)
    })
}

fn no_item(job: &Job) -> anyhow::Error {
    let what = format!("job {} has no tracker item", job.id);
    Failure::new(
        what,
        "jobs made by `banksman from-tracker ITEM`, or with `tracker-item` in their manifest, have one",
    )
}

fn line(shown: &Shown) -> String {
    let Shown { job, item, stage, .. } = shown;
    let status = shown.status.map_or("", ItemStatus::as_str);
    match shown.result {
        "told" => format!("item {item}: {status} (job {job} is {})\n", stage.as_str()),
        "told_before" => format!("item {item}: {status} already; nothing was sent\n"),
        _ => format!("job {job} is in {}: nothing is told of that\n", stage.as_str()),
    }
}

//! `from-tracker`: makes jobs of tracker items (T3 to T9).

use crate::{
    app::App,
    clock::now,
    home::Home,
    host::{block_on, open_store, person},
    output::{Exit, Failure, Form, clean_lines},
    queue::{self, Folders},
};
use anstream::eprintln;
use anyhow::Context as _;
use banksman_core::{
    job::{Body, Stage},
    manifest::Manifest,
    port::{TrackerError, tracker::Fault},
    text::{ItemId, JobName},
};
use banksman_tracker::{AnyTracker, Progress, Pull, PullError, Pulled};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Make jobs of tracker items, each item once.
#[derive(Debug, Args)]
pub(crate) struct FromTrackerArgs {
    /// The item.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    item: Option<ItemId>,
    /// Every open item with the label.
    #[arg(long, requires = "label")]
    all: bool,
    /// The label.
    #[arg(long, requires = "all")]
    label: Option<String>,
}

/// What became of an item, for scripts.
#[derive(Debug, Serialize)]
struct Shown {
    item: ItemId,
    /// `new`, `exists` or `failed`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<JobName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    /// Its file in the inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn run(args: &FromTrackerArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let tracker = tracker(app, &settings)?;
    let cwd = std::env::current_dir().context("cannot tell the current folder")?;
    let now = now();
    let resolve = |manifest: &Manifest, body: Body, name: JobName| {
        queue::resolve(manifest, body, name, &cwd, &settings, now)
    };
    block_on(async {
        let home = Home::at(&settings.home);
        let store = open_store(&settings, &home).await?;
        let folders = Folders::of(&home);
        folders.make()?;
        let pull = Pull { queue: &store, tracker: &tracker, resolve, who: person(), now };
        if let Some(item) = &args.item {
            let pulled = pull.one(item).await.map_err(refused)?;
            let shown = shown(item, pulled, &folders)?;
            app.page.write(&shown, line)?;
            return Ok(Exit::Success);
        }
        let bar = bar(app);
        let (mut all, mut broken) = (Vec::new(), None);
        let label = args.label.as_deref().unwrap_or_default();
        let done = pull.all(label, |progress| match progress {
            Progress::Found(more) => bar.inc_length(more as u64),
            Progress::Item(item, pulled) => {
                bar.inc(1);
                match pulled.map(|pulled| shown(item, pulled, &folders)) {
                    Ok(Ok(shown)) => all.push(shown),
                    Ok(Err(error)) => broken = Some(error),
                    Err(error) => all.push(failed(item, &error)),
                }
            }
        });
        let tally = done.await;
        bar.finish_and_clear();
        let text = |all: &Vec<Shown>| all.iter().map(line).collect::<String>();
        app.page.write(&all, text)?;
        all.iter()
            .filter_map(|shown| shown.error.as_deref())
            .for_each(|error| eprintln!("error: {}", clean_lines(error)));
        let tally = tally.map_err(|error| refused(error.into()))?;
        if let Some(error) = broken {
            return Err(error);
        }
        if app.page.form == Form::Text {
            // Standard output has the names alone.
            eprintln!("{} new, {} there already, {} failed", tally.new, tally.known, tally.failed);
        }
        Ok(if tally.failed == 0 { Exit::Success } else { Exit::Failed })
    })
}

/// The configured tracker.
pub(super) fn tracker(app: &App, settings: &crate::config::Settings) -> anyhow::Result<AnyTracker> {
    let Some(found) = app.tracker(settings)? else {
        return Err(Failure::new(
            "no tracker is configured: there is no token",
            "set AQ_TRACKER_TOKEN (and AQ_TRACKER_API), or AQ_TRACKER_API_CMD; `banksman serve --only tracker` is one of your own",
        ));
    };
    Ok(AnyTracker::open(&found)?)
}

/// What became of an item; the file of a new job is placed here.
fn shown(item: &ItemId, pulled: Pulled, folders: &Folders) -> anyhow::Result<Shown> {
    let nothing = Shown {
        item: item.clone(),
        result: "new",
        job: None,
        name: None,
        stage: None,
        file: None,
        error: None,
    };
    Ok(match pulled {
        Pulled::New { job, name, file } => {
            folders.place(job, &name, &file)?;
            let file = Some(Folders::file_name(job, &name));
            Shown { job: Some(job.0), stage: Some(Stage::Inbox), file, name: Some(name), ..nothing }
        }
        Pulled::Exists(job) => Shown {
            result: "exists",
            job: Some(job.id.0),
            stage: Some(job.state.stage()),
            name: Some(job.name.clone()),
            ..nothing
        },
    })
}

fn failed(item: &ItemId, error: &PullError) -> Shown {
    let error = Some(error.to_string());
    Shown { item: item.clone(), result: "failed", job: None, name: None, stage: None, file: None, error }
}

/// The name of the new file (T7), or the job that is there (T6).
fn line(shown: &Shown) -> String {
    match (&shown.file, shown.job, &shown.name, shown.stage) {
        (Some(file), ..) => format!("{file}\n"),
        (None, Some(job), Some(name), Some(stage)) => {
            format!("job {job} {name}: there already, for item {} ({})\n", shown.item, stage.as_str())
        }
        _ => String::new(),
    }
}

fn bar(app: &App) -> ProgressBar {
    let target = match app.page.form {
        Form::Text => ProgressDrawTarget::stderr(),
        Form::Json => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} items {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Why an item did not become a job, and what to do.
pub(super) fn refused(error: PullError) -> anyhow::Error {
    let help = match &error {
        PullError::Tracker(error) => help(error),
        PullError::Labels(..) => "mend the label in the tracker; no job was made",
        PullError::Resolve(..) => "`banksman profiles` lists the profiles; no job was made",
        PullError::TooLong(_) => "shorten it; no job was made",
        PullError::Add(..) => "no job was made",
        PullError::Store(_) => "",
    };
    Failure::new(error.to_string(), help)
}

/// What to do when a tracker fails.
pub(super) fn help(error: &TrackerError) -> &'static str {
    match error {
        TrackerError::Missing(_) => "check the item's id",
        TrackerError::Refused => {
            "check AQ_TRACKER_TOKEN: it may be wrong, expired, or not allowed to do this"
        }
        TrackerError::WrongProduct(_) => "AQ_PRODUCT_ID names the product that items must belong to",
        TrackerError::Invalid(_) => "check AQ_TRACKER_API and the paths of the tracker",
        TrackerError::Unavailable(Fault::NoProgram) => {
            "check AQ_TRACKER_API_CMD: the program is not there or may not be run"
        }
        TrackerError::Unavailable(_) => "check AQ_TRACKER_API, and whether the tracker runs; then try again",
    }
}

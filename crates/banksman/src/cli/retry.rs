//! `retry`: repeats failed or cancelled jobs, each as a new one.

use crate::{
    app::App,
    clock::now,
    home::Home,
    host::{block_on, find_job, open_store, person},
    output::{Exit, Failure},
    queue::Folders,
};
use banksman_core::{
    job::Stage,
    port::{Queue as _, Retried},
};
use clap::Args;
use serde::Serialize;

/// Repeat failed or cancelled jobs, with a fresh allowance of attempts.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// Numbers or idempotency keys.
    #[arg(required = true)]
    jobs: Vec<String>,
}

/// What became of one, for scripts.
#[derive(Serialize)]
struct Shown {
    job: u64,
    as_job: Option<u64>,
    result: &'static str,
}

pub(super) fn run(args: &RetryArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    block_on(async {
        let home = Home::at(&settings.home);
        let store = open_store(&settings, &home).await?;
        let mut jobs = Vec::new();
        for wanted in &args.jobs {
            let job = find_job(&store, wanted).await?;
            if let stage
            @ (Stage::Inbox | Stage::Building | Stage::Review | Stage::Testing | Stage::Shipped) =
                job.state.stage()
            {
                return Err(Failure::new(
                    format!("job {} is {}: there is nothing to repeat", job.id, stage.as_str()),
                    "failed and cancelled jobs can be repeated; nothing was done",
                ));
            }
            jobs.push(job);
        }
        let folders = Folders::of(&home);
        folders.make()?;
        let who = person();
        let mut shown = Vec::new();
        for job in jobs {
            let (result, as_job) = match store.retry(job.id, &who, now()).await? {
                Retried::As(new) => {
                    copy_file(&folders, &job, new);
                    ("repeated", Some(new.0))
                }
                Retried::Already(new) => ("repeated_before", Some(new.0)),
                Retried::NotEnded(_) => ("not_ended", None),
            };
            shown.push(Shown { job: job.id.0, as_job, result });
        }
        app.page.write(&shown, |shown| shown.iter().map(line).collect())?;
        Ok(Exit::Success)
    })
}

/// Gives the new job a copy of the old one's file, where there is one.
fn copy_file(folders: &Folders, old: &banksman_core::job::Job, new: banksman_core::id::JobId) {
    let path = folders.folder(old.state.stage()).join(Folders::file_name(old.id, &old.name));
    if let Ok(text) = std::fs::read_to_string(path) {
        super::add::folder_of(folders.place(new, &old.name, &text), new);
    }
}

fn line(job: &Shown) -> String {
    match (job.result, job.as_job) {
        ("repeated", Some(new)) => format!("job {}: repeated as job {new}\n", job.job),
        ("repeated_before", Some(new)) => format!("job {}: was repeated before, as job {new}\n", job.job),
        _ => format!("job {}: has not ended\n", job.job),
    }
}

//! `cancel`: ends jobs that have not ended.

use crate::{
    app::App,
    clock::now,
    home::Home,
    host::{block_on, find_job, open_store, person},
    output::Exit,
    queue::{Folders, Mirror, Moved},
};
use banksman_core::{
    job::Stage,
    port::{Cancelled, Queue as _},
};
use clap::Args;
use serde::Serialize;

/// Cancel jobs; what depends on them fails.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// Numbers or idempotency keys.
    #[arg(required = true)]
    jobs: Vec<String>,
}

/// What became of one, for scripts.
#[derive(Serialize)]
struct Shown {
    job: u64,
    result: &'static str,
    stage: Stage,
}

pub(super) fn run(args: &CancelArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    block_on(async {
        let home = Home::at(&settings.home);
        let store = open_store(&settings, &home).await?;
        // All names first, so that a wrong one cancels nothing.
        let mut jobs = Vec::new();
        for wanted in &args.jobs {
            jobs.push(find_job(&store, wanted).await?);
        }
        let who = person();
        let mut shown = Vec::new();
        for job in jobs {
            let (result, stage) = match store.cancel(job.id, &who, now()).await? {
                Cancelled::Now => ("cancelled", Stage::Cancelled),
                Cancelled::WhileRunning => ("cancelled_while_running", Stage::Cancelled),
                Cancelled::Ended(stage) => ("ended_before", stage),
            };
            if stage == Stage::Cancelled {
                Mirror::new(Folders::of(&home)).follow(&Moved { job: job.id, name: job.name, to: stage });
            }
            shown.push(Shown { job: job.id.0, result, stage });
        }
        app.page.write(&shown, |shown| shown.iter().map(line).collect())?;
        let late = shown.iter().any(|job| job.result == "ended_before" && job.stage != Stage::Cancelled);
        Ok(if late { Exit::Failed } else { Exit::Success })
    })
}

fn line(job: &Shown) -> String {
    match job.result {
        "cancelled" => format!("job {}: cancelled\n", job.job),
        "cancelled_while_running" => format!("job {}: cancelled; its worker ends it\n", job.job),
        _ => format!("job {}: had ended before ({})\n", job.job, job.stage.as_str()),
    }
}

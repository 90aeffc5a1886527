//! `logs`: what an attempt printed, readable while it grows (Q15). Foreign text, cleaned before a person sees it (S20).

use crate::{
    app::App,
    home::Home,
    host::{block_on, find_job, open_store},
    output::{Exit, Failure, clean_lines, put},
};
use banksman_core::{
    id::{AttemptId, JobId},
    port::Queue,
};
use clap::Args;
use serde::Serialize;
use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

/// How often a growing log is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Most that is read at once.
const CHUNK: u64 = 1 << 20;

/// Show what an attempt at a job printed.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The job: its number or idempotency key.
    job: String,
    /// Go on until the job has ended.
    #[arg(short, long)]
    follow: bool,
    /// Which attempt [default: the last one].
    #[arg(long, value_name = "NUMBER")]
    attempt: Option<u64>,
}

/// Where a log lies, for scripts.
#[derive(Serialize)]
struct Shown {
    job: JobId,
    attempt: AttemptId,
    log: PathBuf,
}

pub(super) fn run(args: &LogsArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    block_on(async {
        let home = Home::at(&settings.home);
        let store = open_store(&settings, &home).await?;
        let job = find_job(&store, &args.job).await?;
        let attempt = loop {
            let attempts = store.attempts(job.id).await?;
            let found = match args.attempt {
                Some(wanted) => attempts.iter().find(|a| a.attempt.0 == wanted),
                None => attempts.last(),
            };
            match found {
                Some(record) => break record.attempt,
                None if args.follow && args.attempt.is_none() && !ended(&store, job.id).await? => {
                    tokio::time::sleep(LOOK).await;
                }
                None => {
                    return Err(Failure::new(
                        format!("job {} has no such attempt", job.id),
                        "`banksman status JOB` lists the attempts; --follow waits for the first one",
                    ));
                }
            }
        };
        let log = home.attempt_log(attempt);
        if app.page.form == crate::output::Form::Json {
            app.page.write(&Shown { job: job.id, attempt, log }, |_| String::new())?;
            return Ok(Exit::Success);
        }
        if !log.exists() && !args.follow {
            return Err(Failure::new(
                format!("there is no log of attempt {attempt} on this host"),
                "another host ran it, or it never started a process",
            ));
        }
        let mut reader = Reader::new(&log);
        loop {
            // Asked before reading, so that the last words are not missed.
            let over = !args.follow || over(&store, job.id, attempt).await?;
            while reader.print()? {}
            if over {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        reader.finish()?;
        Ok(Exit::Success)
    })
}

async fn ended<Q: Queue>(store: &Q, job: JobId) -> anyhow::Result<bool> {
    Ok(store.job(job).await?.is_none_or(|job| job.state.is_final()))
}

/// Whether an attempt is over.
async fn over<Q: Queue>(store: &Q, job: JobId, attempt: AttemptId) -> anyhow::Result<bool> {
    let job = store.job(job).await?;
    Ok(job.is_none_or(|job| job.state.held().is_none_or(|held| held.attempt != attempt)))
}

/// Reads a file that grows.
struct Reader {
    path: PathBuf,
    at: u64,
    /// Bytes of a character or line that is not whole yet.
    rest: Vec<u8>,
}

impl Reader {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), at: 0, rest: Vec::new() }
    }

    /// Prints what is new; whether there was something.
    fn print(&mut self) -> anyhow::Result<bool> {
        let Ok(mut file) = File::open(&self.path) else { return Ok(false) };
        let length = file.metadata()?.len();
        if length < self.at {
            // The middle of a log that ended over its cap was dropped: what follows was seen.
            self.at = length;
        }
        file.seek(SeekFrom::Start(self.at))?;
        let mut new = Vec::new();
        let read = file.take(CHUNK).read_to_end(&mut new)? as u64;
        self.at += read;
        self.rest.extend(new);
        // Whole characters only; a stray byte is shown as such.
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.rest.len(),
        };
        let rest = self.rest.split_off(whole);
        let text = std::mem::replace(&mut self.rest, rest);
        put(&clean_lines(&String::from_utf8_lossy(&text)))?;
        Ok(read > 0)
    }

    fn finish(self) -> anyhow::Result<()> {
        put(&clean_lines(&String::from_utf8_lossy(&self.rest)))
    }
}

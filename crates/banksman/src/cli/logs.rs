//! `logs`: what an attempt printed, readable while it grows (Q15). Foreign text, cleaned before a person sees it (S20).

use crate::{
    app::App,
    home::Home,
    host::{block_on, find_job, open_store},
    output::{Exit, Failure, clean_lines, put},
};
use anstream::eprintln;
use banksman_core::{
    id::{AttemptId, JobId},
    port::{Hosts as _, Life, Queue},
};
use banksman_engine::{LogReader, ThisHost};
use clap::Args;
use serde::Serialize;
use std::{
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
        let record = loop {
            let attempts = store.attempts(job.id).await?;
            let found = match args.attempt {
                Some(wanted) => attempts.iter().find(|a| a.attempt.0 == wanted),
                None => attempts.last(),
            };
            match found {
                Some(record) => break record.clone(),
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
        let (attempt, log) = (record.attempt, home.attempt_log(record.attempt));
        if app.page.form == crate::output::Form::Json {
            app.page.write(&Shown { job: job.id, attempt, log }, |_| String::new())?;
            return Ok(Exit::Success);
        }
        let mut printed = Printer::new(&log);
        loop {
            // Asked before reading, so that the last words are not missed.
            let over = !args.follow || over(&store, job.id, attempt).await?;
            while printed.goes_on()? {}
            if over {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        if printed.finish()? == Said::Nothing && !log.exists() {
            let own = ThisHost::of(home.folder()).life(&record.holder) != Life::Elsewhere;
            if !own {
                return Err(Failure::new(
                    format!("there is no log of attempt {attempt} on this host"),
                    format!(
                        "it printed nothing, its log was removed, or another host has it: {} ran it",
                        crate::output::clean(record.holder.as_str())
                    ),
                ));
            }
            let so_far =
                if record.ended_at.is_some() { "printed nothing" } else { "has printed nothing yet" };
            eprintln!("attempt {attempt} {so_far}");
        }
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

/// Whether an attempt printed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Something,
    Nothing,
}

/// Prints a log that grows.
struct Printer {
    log: LogReader,
    said: Said,
    /// Bytes of a character that is not whole yet.
    rest: Vec<u8>,
}

impl Printer {
    fn new(log: &Path) -> Self {
        Self { log: LogReader::new(log), said: Said::Nothing, rest: Vec::new() }
    }

    /// Prints what is new; whether there was something.
    fn goes_on(&mut self) -> anyhow::Result<bool> {
        let new = self.log.read(CHUNK)?;
        if new.is_empty() {
            return Ok(false);
        }
        self.said = Said::Something;
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
        Ok(true)
    }

    fn finish(self) -> anyhow::Result<Said> {
        put(&clean_lines(&String::from_utf8_lossy(&self.rest)))?;
        Ok(self.said)
    }
}

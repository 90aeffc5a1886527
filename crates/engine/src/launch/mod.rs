//! Runs one process group to its end: output taken into a capped log the whole time, time limit, TERM, grace, KILL, and no
//! process left behind, even when the caller goes away (Q14, Q15, S14).
//!
//! Processes are started on the `posix_spawn` path: the group is set by the builder, and limits and sandbox are programs in front of
//! the engine, never code between fork and exec. Each has one thread that starts it, takes its output and outlives it: a sandbox ends
//! when the thread that started it does.

mod children;
mod end;
mod exit;
mod log;
mod output;
mod parts;
mod reader;
mod ready;
mod supervise;

pub(crate) use end::adopt_runaways;
pub(crate) use log::{CappedLog, tail};
pub(crate) use output::{Budget, Output, Recent, Talk};
pub(crate) use parts::rejoin;
pub use reader::LogReader;

use crate::usage::Limited;
use banksman_core::work::{SandboxLevel, Usage};
use std::{ffi::OsString, io, os::unix::net::UnixStream, path::PathBuf, time::Duration};
use tokio::sync::watch;

/// A program with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Argv {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
}

/// What a process finds on its standard input.
#[derive(Debug)]
pub(crate) enum Input {
    /// Nothing.
    Empty,
    /// This file.
    File(PathBuf),
    /// What somebody says who talks with it.
    Talk(Talk),
}

/// Everything that a start needs.
#[derive(Debug)]
pub(crate) struct Launch {
    /// What is started: sandbox and limits in front of the engine.
    pub(crate) argv: Argv,
    /// The whole environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Where it starts.
    pub(crate) cwd: PathBuf,
    /// Its standard input.
    pub(crate) input: Input,
    /// Time limit.
    pub(crate) timeout: Duration,
    /// Time between TERM and KILL.
    pub(crate) grace: Duration,
    /// What it may use before it is ended.
    pub(crate) budget: Budget,
    /// How it is kept in its place.
    pub(crate) level: SandboxLevel,
    /// Mark in the environment of all its processes.
    pub(crate) mark: String,
    /// Where pid and start are written for a later start.
    pub(crate) record: PathBuf,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// At its time limit.
    TimedOut,
    /// Because it used more than its budget.
    OverBudget,
    /// Because somebody wanted it to end.
    Stopped,
}

/// What is known after the end.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) ended: Ended,
    /// What the process and all that it waited for used.
    pub(crate) spent: Spent,
    pub(crate) usage: Usage,
    /// Whether the engine said that its quota is used up.
    pub(crate) limited: Option<Limited>,
    /// The log; not finished, so that another process may go on with it.
    pub(crate) log: CappedLog,
    /// The end of the output.
    pub(crate) recent: Recent,
}

/// What a process used, from its parent's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spent {
    pub(crate) exit_code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// CPU time, user and system, in milliseconds.
    pub(crate) cpu_ms: u64,
    /// Largest resident memory of one process, in KiB.
    pub(crate) peak_kib: u64,
}

/// Whether processes are wanted to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// They may run.
    NotYet,
    /// TERM, grace, KILL.
    Now,
}

/// Tells a supervising thread that somebody wants the end: a byte, or the end of the stream when the caller is gone.
#[derive(Debug)]
pub(crate) struct Told(UnixStream);

/// The byte.
const STOP: u8 = b's';

/// Does work on a thread of its own that starts processes and outlives them. When the returned future is dropped, they are killed.
pub(crate) async fn supervised<T: Send + 'static>(
    work: impl FnOnce(&Told) -> io::Result<T> + Send + 'static,
    mut stop: watch::Receiver<Stop>,
) -> io::Result<T> {
    let (told, teller) = UnixStream::pair()?;
    let supervised = tokio::task::spawn_blocking(move || work(&Told(told)));
    tokio::pin!(supervised);
    tokio::select! {
        biased;
        ended = &mut supervised => return ended.map_err(io::Error::other)?,
        () = stopped(&mut stop) => {}
    }
    // A thread that has ended meanwhile does not read it.
    let _ = io::Write::write_all(&mut &teller, &[STOP]);
    supervised.await.map_err(io::Error::other)?
}

/// Runs one process group to its end; on a supervising thread.
pub(crate) fn run_to_end(launch: Launch, output: Output, told: &Told) -> io::Result<Launched> {
    supervise::supervise(launch, output, &told.0)
}

async fn stopped(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop == Stop::Now).await.is_err() {
        // The host is gone; whoever dropped it drops this future too.
        std::future::pending::<()>().await;
    }
}

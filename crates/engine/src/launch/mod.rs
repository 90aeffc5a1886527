//! Runs one process group to its end: output drained into a capped log the whole time, time limit, TERM, grace, KILL, and no
//! process left behind, even when the caller goes away (Q14, Q15, S14).
//!
//! Processes are started on the `posix_spawn` path: the group is set by the builder, and limits and sandbox are programs in front of
//! the engine, never code between fork and exec.

mod drain;
mod end;
mod log;
mod spawner;

pub(crate) use end::adopt_runaways;
pub(crate) use log::{CappedLog, tail};
pub(crate) use spawner::Spawner;

use crate::{procs, usage::UsageReader};
use banksman_core::work::{SandboxLevel, Usage};
use drain::{Output, drain};
use end::Family;
use rustix::process::{Pid, WaitId, WaitIdOptions};
use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};
use tokio::{
    process::{ChildStderr, ChildStdout},
    sync::{oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

/// Longest time limit that is kept: a larger one would not fit the clock.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// A program with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Argv {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
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
    /// File on standard input; none: empty.
    pub(crate) stdin: Option<PathBuf>,
    /// Time limit.
    pub(crate) timeout: Duration,
    /// Time between TERM and KILL.
    pub(crate) grace: Duration,
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
    Signalled,
    /// At its time limit.
    TimedOut,
    /// Because the host is shutting down.
    Stopped,
}

/// What is known after the end.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) ended: Ended,
    pub(crate) usage: Usage,
    /// The finished log, or why it could not be written.
    pub(crate) log: Result<PathBuf, io::Error>,
}

/// Whether the host wants its attempts to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// They may run.
    NotYet,
    /// TERM, grace, KILL.
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    TimedOut,
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Runs,
    /// TERM was sent.
    Terminating(Why),
    /// KILL was sent.
    Killing(Why),
    /// The launcher of the sandbox was killed as well; nothing more can be done.
    Killed(Why),
}

/// Runs it. When the returned future is dropped, everything that it started is killed.
pub(crate) async fn launch(
    spawner: &Spawner,
    launch: Launch,
    log: CappedLog,
    usage: UsageReader,
    mut stop: watch::Receiver<Stop>,
) -> io::Result<Launched> {
    let mut running = Running::start(spawner, &launch).await?;
    let (ended, ended_rx) = oneshot::channel();
    let (stdout, stderr) = running.take_streams();
    let drained = drain(stdout, stderr, Output { log, usage }, ended_rx);
    tokio::pin!(drained);
    let mut output = None;
    let mut phase = Phase::Runs;
    let mut deadline = Instant::now() + launch.timeout.min(LONGEST);
    loop {
        tokio::select! {
            _ = &mut running.exited => break,
            result = &mut drained, if output.is_none() => output = Some(result),
            () = tokio::time::sleep_until(deadline), if !matches!(phase, Phase::Killed(_)) => {
                let pause;
                (phase, pause) = running.press(phase, Why::TimedOut, launch.grace);
                deadline = Instant::now() + pause;
            }
            () = stopped(&mut stop), if phase == Phase::Runs => {
                let pause;
                (phase, pause) = running.press(phase, Why::Stopped, launch.grace);
                deadline = Instant::now() + pause;
            }
        }
    }
    let status = running.finish().await?;
    // Nobody listens any more when the output has ended already.
    let _ = ended.send(());
    let output = match output {
        Some(output) => output?,
        None => drained.await?,
    };
    let Output { log, usage } = output;
    let finished = tokio::task::spawn_blocking(move || (log.finish(), usage.finish()));
    let (log, usage) = finished.await.map_err(io::Error::other)?;
    Ok(Launched { ended: ended_how(phase, status, launch.level), usage, log })
}

fn ended_how(phase: Phase, status: ExitStatus, level: SandboxLevel) -> Ended {
    match (phase, status.code()) {
        (Phase::Runs, Some(code)) if code > 128 && level == SandboxLevel::Bubblewrap => Ended::Signalled,
        (Phase::Runs, Some(code)) => Ended::Exited(code),
        (Phase::Runs, None) => Ended::Signalled,
        (Phase::Terminating(why) | Phase::Killing(why) | Phase::Killed(why), _) => match why {
            Why::TimedOut => Ended::TimedOut,
            Why::Stopped => Ended::Stopped,
        },
    }
}

async fn stopped(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop == Stop::Now).await.is_err() {
        // The host is gone; whoever dropped it drops this future too.
        std::future::pending::<()>().await;
    }
}

/// A started process group. Dropping it kills all of it.
struct Running {
    family: Option<Family>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    exited: oneshot::Receiver<()>,
    /// Lets the waiting thread reap the leader; by being dropped as well.
    release: mpsc::Sender<()>,
    reaped: JoinHandle<io::Result<ExitStatus>>,
    record: PathBuf,
}

impl Running {
    async fn start(spawner: &Spawner, launch: &Launch) -> io::Result<Self> {
        let mut command = Command::new(&launch.argv.program);
        command.args(&launch.argv.args).env_clear().envs(launch.env.iter().map(|(n, v)| (n, v)));
        command.env(procs::MARK, &launch.mark).current_dir(&launch.cwd).process_group(0);
        let stdin = match &launch.stdin {
            Some(path) => Stdio::from(File::open(path)?),
            None => Stdio::null(),
        };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawner.spawn(command).await?;
        let pid = Pid::from_child(&child);
        let family = Family::new(pid, launch.mark.clone(), launch.level);
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let (exited_tx, exited) = oneshot::channel();
        let (release, released) = mpsc::channel();
        let reaped = tokio::task::spawn_blocking(move || wait(child, pid, exited_tx, &released));
        let mut running = Self {
            family: Some(family),
            stdout: None,
            stderr: None,
            exited,
            release,
            reaped,
            record: launch.record.clone(),
        };
        running.stdout = stdout.map(ChildStdout::from_std).transpose()?;
        running.stderr = stderr.map(ChildStderr::from_std).transpose()?;
        record(pid, &launch.record)?;
        Ok(running)
    }

    fn take_streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.stdout.take(), self.stderr.take())
    }

    /// The next degree of force, and how long to wait for its effect.
    fn press(&self, phase: Phase, why: Why, grace: Duration) -> (Phase, Duration) {
        let Some(family) = &self.family else { return (phase, grace) };
        match phase {
            Phase::Runs => {
                family.terminate();
                (Phase::Terminating(why), grace)
            }
            Phase::Terminating(why) => {
                family.kill();
                (Phase::Killing(why), Duration::from_secs(1))
            }
            Phase::Killing(why) | Phase::Killed(why) => {
                family.kill();
                family.kill_group();
                (Phase::Killed(why), grace)
            }
        }
    }

    /// After the leader ended: kills the rest of its group while its id is still taken, reaps it, ends runaways.
    async fn finish(mut self) -> io::Result<ExitStatus> {
        let Some(family) = self.family.take() else { return Err(io::Error::other("finished twice")) };
        family.kill_group();
        let _ = self.release.send(());
        let status = (&mut self.reaped).await.map_err(io::Error::other)??;
        let survivors =
            tokio::task::spawn_blocking(move || family.extinguish()).await.map_err(io::Error::other)?;
        if survivors > 0 {
            tracing::error!(survivors, "processes of an attempt could not be ended");
        }
        let _ = std::fs::remove_file(&self.record);
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(family) = self.family.take() {
            family.kill();
            family.kill_group();
            // The waiting thread reaps the leader; runaways take a moment longer and a thread that may block.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn_blocking(move || family.extinguish());
            } else {
                family.extinguish();
            }
        }
    }
}

/// Waits for the end of the leader without reaping it, tells, and reaps it when that is allowed.
fn wait(
    mut child: Child,
    pid: Pid,
    exited: oneshot::Sender<()>,
    released: &mpsc::Receiver<()>,
) -> io::Result<ExitStatus> {
    let end = || rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    while let Err(rustix::io::Errno::INTR) = end() {}
    let _ = exited.send(());
    let _ = released.recv();
    child.wait()
}

fn record(pid: Pid, path: &Path) -> io::Result<()> {
    match procs::Record::of(pid.as_raw_nonzero().get()) {
        Some(record) => record.write(path),
        None => Ok(()),
    }
}

//! Runs commands of the host's configuration in a fresh checkout of a commit, in the sandbox: the forge's checks, and the
//! verification of a resolved conflict.

use crate::{
    control::Control,
    git::is_disk_full,
    halt::Halt,
    host::{EngineHost, RepositorySetup, Room as Disk},
    launch::{Argv, Budget, CappedLog, Ended, Input, Stop, tail},
    room::{self, Clone, Home},
    session::{Start, What, start_in},
    usage::UsageFormat,
    workspace::{Checkout, Workspace, run as off_thread},
};
use banksman_core::{
    port::{CheckOrder, CheckReport, EngineError},
    tainted::Tainted,
    text::{BranchName, Sha},
    work::FailReason,
};
use std::{fs::File, io, io::Write, time::Duration};
use tokio::sync::watch;

/// What is kept of a check's output for the implementer, in bytes.
const TAIL: u64 = 16 << 10;

/// Commands to be run in one checkout.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// Names workspace and logs.
    pub(crate) name: &'a str,
    pub(crate) setup: &'a RepositorySetup,
    pub(crate) control: &'a Control,
    pub(crate) sha: &'a Sha,
    pub(crate) timeout: Duration,
    /// Whether it is to end.
    pub(crate) stop: watch::Receiver<Stop>,
    /// Name and shell text.
    pub(crate) commands: &'a [(&'a str, &'a str)],
}

/// Whether a command exited 0 in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    Yes,
    No,
}

/// How one command ended.
pub(crate) struct Outcome {
    pub(crate) passed: Passed,
    pub(crate) log: String,
}

/// Runs the checks of an order.
pub(crate) async fn check(host: &EngineHost, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
    let name = format!("check-{}", order.run);
    let checked: Result<_, Halt> = async {
        let control = {
            let (control, _lock) = host.control(&order.repo).await?;
            control.fetch_sha(&order.sha).await?;
            control
        };
        let commands: Vec<(&str, &str)> =
            order.checks.iter().map(|(n, c)| (n.as_str(), c.as_str())).collect();
        let run = Run {
            name: &name,
            setup: host.setup(&order.repo)?,
            control: &control,
            sha: &order.sha,
            timeout: Duration::try_from(order.timeout).unwrap_or(Duration::ZERO),
            stop: host.stops.of_all(),
            commands: &commands,
        };
        self::run(host, &run).await
    }
    .await;
    let reports = order.checks.iter().zip(checked?).map(|((name, _), outcome)| CheckReport {
        name: name.clone(),
        passed: outcome.passed == Passed::Yes,
        log: Tainted::new(outcome.log),
    });
    Ok(reports.collect())
}

/// Runs the commands one after the other; each of them, whether the one before passed or not.
pub(crate) async fn run(host: &EngineHost, run: &Run<'_>) -> Result<Vec<Outcome>, Halt> {
    let level = host.sandbox.level()?;
    if host.has_room() == Disk::None {
        return Err(FailReason::DiskFull.into());
    }
    let workspace = Workspace::create(&host.config.home, run.name).await?;
    let outcomes: Result<Vec<Outcome>, Halt> = async {
        let branch = BranchName::new("check").map_err(|_| EngineError::Host("no branch for checks"))?;
        workspace.clone(run.control, &Checkout { branch: &branch, start: run.sha, base: None }).await?;
        let room = room::room(host, run.setup, &workspace, None, Clone::Writable);
        let full = host.log_path(&format!("{}.log", run.name));
        let mut whole = off_thread(move || File::create(full)).await?;
        let mut outcomes = Vec::with_capacity(run.commands.len());
        for (name, command) in run.commands {
            let part = workspace.root().join("check.log");
            let log = CappedLog::create(part, host.config.output_cap)?;
            let env = room::environment(
                host,
                Home::Private(&workspace),
                level,
                std::iter::empty(),
                &[("CI", "true".into())],
            );
            let start = Start {
                name: run.name.to_owned(),
                what: What::Program(shell(command)),
                env,
                room: &room,
                input: Input::Empty,
                timeout: run.timeout,
                budget: Budget::default(),
                log,
                record: workspace.record(),
                usage: UsageFormat::None,
            };
            let launched = start_in(host, level, start, run.stop.clone()).await?;
            let part = match off_thread(move || launched.log.finish()).await {
                Err(error) if is_disk_full(&error) => return Err(FailReason::DiskFull.into()),
                log => log?,
            };
            let header = format!("== {name}\n");
            let (text, back) = off_thread(move || {
                whole.write_all(header.as_bytes())?;
                io::copy(&mut File::open(&part)?, &mut whole)?;
                Ok((tail(&part, TAIL)?, whole))
            })
            .await?;
            whole = back;
            outcomes.push(outcome(launched.ended, text, run.timeout)?);
        }
        Ok(outcomes)
    }
    .await;
    workspace.remove().await;
    outcomes
}

/// A shell command whose two streams are one, so that a log keeps their order.
pub(crate) fn shell(command: &str) -> Argv {
    let script = format!("exec 2>&1\n{command}");
    Argv { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
}

fn outcome(ended: Ended, mut log: String, timeout: Duration) -> Result<Outcome, Halt> {
    let passed = match ended {
        Ended::Exited(0) => Passed::Yes,
        Ended::Exited(_) | Ended::Signalled(_) | Ended::OverBudget => Passed::No,
        Ended::TimedOut => {
            log.push_str(&format!("\n[banksman: ended at its time limit of {} s]\n", timeout.as_secs_f32()));
            Passed::No
        }
        Ended::Stopped => return Err(EngineError::Interrupted.into()),
    };
    Ok(Outcome { passed, log })
}

//! Brings what an agent made into the control repository: gathered in a sandbox of its own, bundled, taken in object by object, looked at.

use crate::{
    attempt::Commits,
    collect::{self, Gather, NOTHING, open_regular},
    control::Control,
    git::is_disk_full,
    halt::Halt,
    host::EngineHost,
    inspect::{Against, inspect},
    launch::{Budget, CappedLog, Ended, Input},
    room,
    session::{Start, What, start_in},
    usage::UsageFormat,
    workspace::{PROCESS_RECORDS, Workspace, run as off_thread},
};
use banksman_core::{id::AttemptId, port::EngineError, text::Sha, work::FailReason};
use std::{io, path::Path, time::Duration};

/// Longest time that gathering an agent's work may take.
const GATHER_TIMEOUT: Duration = Duration::from_secs(600);

/// What an agent made, and where.
#[derive(Debug)]
pub(crate) struct Made<'a> {
    pub(crate) attempt: AttemptId,
    pub(crate) control: &'a Control,
    pub(crate) commits: &'a Commits,
    pub(crate) workspace: &'a Workspace,
    /// The head that it was to merge.
    pub(crate) merged: Option<&'a Sha>,
}

/// Brings what the agent made into the control repository and looks at it.
pub(crate) async fn bring_in(host: &EngineHost, made: &Made<'_>) -> Result<Sha, Halt> {
    let &Made { control, commits, merged, .. } = made;
    let work = gather(host, made).await?;
    match inspect(control, &work, &Against { start: &commits.start, merged }).await {
        Ok(()) => Ok(work),
        Err(Ok(reason)) => Err(reason.into()),
        Err(Err(error)) => Err(error.into()),
    }
}

/// Brings what the agent made into the control repository, whatever it is.
pub(crate) async fn gather(host: &EngineHost, made: &Made<'_>) -> Result<Sha, Halt> {
    let &Made { attempt, control, commits, workspace, merged } = made;
    let root = workspace.root().to_owned();
    let stand =
        off_thread(move || collect::stand(&root)).await.ok().flatten().ok_or(FailReason::BadObjects)?;
    let known: Vec<&Sha> = [Some(&commits.start), commits.base.as_ref()].into_iter().flatten().collect();
    let gather = Gather {
        second_parent: merged.filter(|base| stand.merging.as_ref() == Some(base)),
        stand: &stand,
        known: &known,
        message: "Commit what the engine left uncommitted",
    };
    workspace.prepare_gathering(control, &stand.head).await?;
    let (inner, env) = collect::command(host.git.program(), &host.path, workspace, &gather);
    let log = CappedLog::create(workspace.after().join("gather.log"), 1 << 20)?;
    let launched = start_in(
        host,
        host.sandbox.level()?,
        Start {
            name: workspace.name(),
            what: What::Program(inner),
            env: env.into_iter().collect(),
            room: &room::gathering(host, workspace),
            input: Input::Empty,
            timeout: GATHER_TIMEOUT,
            budget: Budget::default(),
            log,
            record: workspace.root().join(PROCESS_RECORDS[1]),
            usage: UsageFormat::None,
        },
        host.stops.of(attempt),
    )
    .await?;
    match launched.ended {
        Ended::Exited(0) => fetch_bundle(host, attempt, control, workspace).await,
        Ended::Exited(NOTHING) => Ok(stand.head),
        Ended::Stopped => Err(EngineError::Interrupted.into()),
        Ended::Exited(_) | Ended::Signalled(_) | Ended::TimedOut | Ended::OverBudget => {
            Err(FailReason::BadObjects.into())
        }
    }
}

async fn fetch_bundle(
    host: &EngineHost,
    attempt: AttemptId,
    control: &Control,
    workspace: &Workspace,
) -> Result<Sha, Halt> {
    let (root, taken) = (workspace.root().to_owned(), workspace.after().join("taken.bundle"));
    let (to, cap) = (taken.clone(), host.config.bundle_cap);
    let copied = off_thread(move || {
        let mut from = open_regular(&root, Path::new("after/collect/work.bundle"), cap)?;
        io::copy(&mut from, &mut std::fs::File::create(to)?)
    });
    match copied.await {
        Ok(_) => {}
        Err(error) if is_disk_full(&error) => return Err(FailReason::DiskFull.into()),
        Err(_) => return Err(FailReason::BadObjects.into()),
    }
    let _lock = host.lock(control).await?;
    match control.fetch_bundle(&taken, attempt).await {
        Ok(sha) => Ok(sha),
        Err(error) if error.disk_full() => Err(FailReason::DiskFull.into()),
        Err(_) => Err(FailReason::BadObjects.into()),
    }
}

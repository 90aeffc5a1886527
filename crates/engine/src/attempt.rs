//! One attempt, from the order to the report: clone, run, gather, look, publish.

use crate::{
    bring_in::{Made, bring_in},
    control::Control,
    halt::Halt,
    host::{EngineHost, Room as Disk},
    launch::Stop,
    publish::{CheckedOut, Published, publish},
    resolve, review,
    room::Clone,
    session::run_engine,
    workspace::{Checkout, Workspace, run as off_thread},
};
use banksman_core::{
    id::AttemptId,
    port::{EngineError, Measured, Order, Report, ReportResult},
    tainted::Tainted,
    text::{EngineName, Sha},
    work::{FailReason, Task},
};
use tokio::sync::OwnedSemaphorePermit;

/// The commits that an attempt works on.
#[derive(Debug)]
pub(crate) struct Commits {
    /// Where the work starts.
    pub(crate) start: Sha,
    /// Head of the base, if there is one.
    pub(crate) base: Option<Sha>,
}

/// Runs one attempt.
pub(crate) async fn run(host: &EngineHost, order: &Order, brief: Tainted) -> Result<Report, EngineError> {
    let mut measured = Measured::default();
    let result = match run_to_result(host, order, brief, &mut measured).await {
        Ok(result) => result,
        Err(Halt::Failed(reason)) => ReportResult::Failed { reason },
        Err(Halt::Limited(until)) => ReportResult::Limited { until },
        Err(Halt::Error(error)) => return Err(error),
    };
    Ok(Report { result, measured })
}

async fn run_to_result(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    measured: &mut Measured,
) -> Result<ReportResult, Halt> {
    host.setup(&order.repo)?;
    let _slot = slot(host, &order.engine, order.attempt).await?;
    if host.has_room() == Disk::None {
        return Err(FailReason::DiskFull.into());
    }
    let (control, commits) = fetch(host, order).await?;
    let workspace = Workspace::create(&host.config.home, &order.attempt.to_string()).await?;
    let result = work(host, order, brief, measured, &control, &commits, &workspace).await;
    workspace.remove().await;
    let _lock = host.lock(&control).await?;
    if let Err(error) = control.forget(order.attempt).await {
        tracing::warn!(attempt = %order.attempt, %error, "the ref of an attempt stays behind");
    }
    match result {
        // What a full disk breaks looks like anything.
        Err(Halt::Failed(_)) if host.has_room() == Disk::None => Err(FailReason::DiskFull.into()),
        result => result,
    }
}

/// Waits for a free slot of an engine, or for the wish that the attempt ends.
pub(crate) async fn slot(
    host: &EngineHost,
    engine: &EngineName,
    attempt: AttemptId,
) -> Result<OwnedSemaphorePermit, Halt> {
    let slot = host.slot(engine).ok_or(FailReason::EngineMissing)?;
    let mut stop = host.stops.of(attempt);
    if *stop.borrow() == Stop::Now {
        return Err(EngineError::Interrupted.into());
    }
    tokio::select! {
        slot = slot.acquire_owned() => slot.map_err(|_| EngineError::Interrupted.into()),
        _ = stop.wait_for(|stop| *stop == Stop::Now) => Err(EngineError::Interrupted.into()),
    }
}

/// Fetches what the order names, and makes sure that the forge is where the order says.
async fn fetch(host: &EngineHost, order: &Order) -> Result<(Control, Commits), Halt> {
    let (control, _lock) = host.control(&order.repo).await?;
    let [base, head] = control.fetch_branches([&order.base, &order.branch]).await?;
    let start = match (&order.task, &order.head) {
        (Task::Review { head, .. }, _) => {
            control.fetch_sha(head).await?;
            head.clone()
        }
        (_, expected) if head != *expected => return Err(FailReason::Stale.into()),
        (_, Some(head)) => head.clone(),
        (_, None) => base.clone().ok_or(FailReason::Stale)?,
    };
    Ok((control, Commits { start, base }))
}

async fn work(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    measured: &mut Measured,
    control: &Control,
    commits: &Commits,
    workspace: &Workspace,
) -> Result<ReportResult, Halt> {
    let base = commits.base.as_ref().map(|sha| (&order.base, sha));
    workspace.clone(control, &Checkout { branch: &order.branch, start: &commits.start, base }).await?;
    match &order.task {
        Task::Review { .. } => {
            run_engine(host, order, brief, measured, workspace, Clone::ReadOnly).await?;
            let root = workspace.root().to_owned();
            let found = off_thread(move || Ok(review::verdict(&root, "task/verdict.json"))).await?;
            let (verdict, threads) = found.ok_or(FailReason::BadVerdict)?;
            Ok(ReportResult::Reviewed { verdict, threads })
        }
        Task::ResolveConflict { .. } => {
            resolve::resolve(host, order, brief, measured, control, commits, workspace).await
        }
        Task::FixConflict { .. } => {
            run_engine(host, order, brief, measured, workspace, Clone::Writable).await?;
            let merged = commits.base.as_ref().ok_or(FailReason::Stale)?;
            let made = Made { attempt: order.attempt, control, commits, workspace, merged: Some(merged) };
            let sha = bring_in(host, &made).await?;
            count(measured, control, commits, &sha).await;
            push(host, order, control, &sha).await
        }
        Task::Implement { .. } | Task::FixReviews { .. } | Task::FixChecks { .. } => {
            run_engine(host, order, brief, measured, workspace, Clone::Writable).await?;
            let made = Made { attempt: order.attempt, control, commits, workspace, merged: None };
            let sha = bring_in(host, &made).await?;
            count(measured, control, commits, &sha).await;
            push(host, order, control, &sha).await
        }
    }
}

/// Counts what the work changes. Nothing depends on it.
pub(crate) async fn count(measured: &mut Measured, control: &Control, commits: &Commits, work: &Sha) {
    match control.measure(&commits.start, work).await {
        Ok(change) => {
            measured.files = Some(change.files);
            measured.added = Some(change.added);
            measured.removed = Some(change.removed);
        }
        Err(error) => tracing::warn!(%error, "what an attempt changes could not be counted"),
    }
}

/// Publishes the work.
pub(crate) async fn push(
    host: &EngineHost,
    order: &Order,
    control: &Control,
    sha: &Sha,
) -> Result<ReportResult, Halt> {
    let _lock = host.lock(control).await?;
    match publish(control, &order.branch, order.head.as_ref(), sha, CheckedOut::Moves).await? {
        Published::There => Ok(ReportResult::Published { sha: sha.clone() }),
        Published::Stale => Err(FailReason::Stale.into()),
        Published::Refused(why) => Err(EngineError::Host(why.describe()).into()),
    }
}

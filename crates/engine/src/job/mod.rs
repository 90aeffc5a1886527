//! One attempt at the job of a manifest, step by step: the engine builds, a second one reviews, the commands of `verify` run, the work
//! lands. The steps share one workspace, one log and one time limit. Where `cwd` is in a git repository the work is done in a private
//! clone and comes back through a control repository, as attempts of the pipeline do (S11); else it is done in the folder itself.

mod build;
mod clone;
mod findings;
mod folder;
mod land;
mod place;
mod prompt;
mod review;
mod verify;

use crate::{
    halt::Halt,
    host::{EngineHost, Room as Disk},
    launch::{CappedLog, Stop},
    leftovers::log_path,
    room::Home,
    workspace::{Workspace, run as off_thread},
};
use banksman_core::{
    id::AttemptId,
    job::Body,
    port::{EngineError, JobOrder, Measured, Step, StepReport, StepResult},
    work::FailReason,
};
use clone::Cloned;
use findings::Findings;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Attempts whose workspaces are there, between their steps too.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<HashMap<AttemptId, Arc<tokio::sync::Mutex<Attempt>>>>);

/// What is known of an attempt between its steps.
#[derive(Debug)]
struct Attempt {
    began: Instant,
    measured: Measured,
    /// Where it works, as soon as that is clear.
    site: Option<Site>,
    /// One log for all steps.
    log: Option<CappedLog>,
    /// What sent it back to building.
    findings: Option<Findings>,
}

/// Where an attempt works.
#[derive(Debug)]
enum Site {
    /// In the folder itself.
    Folder { cwd: PathBuf, workspace: Workspace },
    /// In a clone of its own.
    Clone(Cloned),
    /// In a folder, and nothing is left to be done there.
    Over,
}

impl Site {
    fn workspace(&self) -> Result<&Workspace, Halt> {
        match self {
            Self::Folder { workspace, .. } => Ok(workspace),
            Self::Clone(cloned) => Ok(&cloned.workspace),
            Self::Over => Err(OUT_OF_ORDER),
        }
    }

    /// Where the attempt works and where in it processes start.
    fn paths(&self) -> (PathBuf, PathBuf) {
        match self {
            Self::Folder { cwd, .. } => (cwd.clone(), PathBuf::new()),
            Self::Clone(cloned) => (cloned.workspace.repo(), cloned.below.clone()),
            Self::Over => (PathBuf::new(), PathBuf::new()),
        }
    }

    /// The home of an unconfined process.
    fn home(&self) -> Home<'_> {
        match self {
            Self::Folder { .. } | Self::Over => Home::Users,
            Self::Clone(cloned) => Home::Private(&cloned.workspace),
        }
    }

    fn cloned(&self) -> Option<&Cloned> {
        match self {
            Self::Clone(cloned) => Some(cloned),
            Self::Folder { .. } | Self::Over => None,
        }
    }
}

/// The caller asked for a step at the wrong time.
const OUT_OF_ORDER: Halt = Halt::Error(EngineError::Host("the steps of a job came out of order"));

impl Attempt {
    fn new() -> Self {
        Self { began: Instant::now(), measured: Measured::default(), site: None, log: None, findings: None }
    }

    /// What is left of the time limit, which all steps share.
    fn time_left(&self, order: &JobOrder) -> Result<Duration, Halt> {
        let limit = Duration::try_from(order.spec.timeout).unwrap_or(Duration::ZERO);
        match limit.checked_sub(self.began.elapsed()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(FailReason::TimedOut.into()),
        }
    }

    /// The log, for the next process.
    async fn take_log(&mut self, host: &EngineHost, order: &JobOrder) -> Result<CappedLog, Halt> {
        if let Some(log) = self.log.take() {
            return Ok(log);
        }
        let (path, cap) = (log_path(&host.config.home, order.attempt), host.config.output_cap);
        Ok(off_thread(move || CappedLog::silent(path, cap)).await?)
    }

    /// The site, once the first build has found it.
    fn site(&self) -> Result<&Site, Halt> {
        self.site
            .as_ref()
            .ok_or(Halt::Error(EngineError::Host("a step of a job came before its first build")))
    }
}

impl Jobs {
    fn of(&self, attempt: AttemptId) -> Arc<tokio::sync::Mutex<Attempt>> {
        self.all(|all| {
            all.entry(attempt).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Attempt::new()))).clone()
        })
    }

    fn remove(&self, attempt: AttemptId) -> Option<Arc<tokio::sync::Mutex<Attempt>>> {
        self.all(|all| all.remove(&attempt))
    }

    fn all<T>(&self, look: impl FnOnce(&mut HashMap<AttemptId, Arc<tokio::sync::Mutex<Attempt>>>) -> T) -> T {
        // A panic elsewhere cannot leave the map half changed.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs one step.
pub(crate) async fn step(
    host: &EngineHost,
    order: &JobOrder,
    step: Step,
    body: &Body,
) -> Result<StepReport, EngineError> {
    if *host.stops.of(order.attempt).borrow() == Stop::Now {
        return Err(EngineError::Interrupted);
    }
    let attempt = host.jobs.of(order.attempt);
    let mut attempt = attempt.lock().await;
    let result = match step {
        Step::Build { round } => build::build(host, order, round, body, &mut attempt).await,
        Step::Review => review::review(host, order, body, &mut attempt).await,
        Step::Verify => verify::verify(host, order, &mut attempt).await,
        Step::Land => land::land(host, order, &mut attempt).await,
    };
    let result = match result {
        Ok(result) => result,
        // What a full disk breaks looks like anything.
        Err(Halt::Failed(_)) if host.has_room() == Disk::None => StepResult::Failed(FailReason::DiskFull),
        Err(Halt::Failed(reason)) => StepResult::Failed(reason),
        Err(Halt::Limited(until)) => {
            if let (Step::Review, Some(Site::Clone(cloned))) = (step, &attempt.site) {
                clone::keep_for_review(host, order, cloned).await;
            }
            let engine = match step {
                Step::Review => review::reviewer(host, order).map_or(&order.engine, |(name, _)| name),
                Step::Build { .. } | Step::Verify | Step::Land => &order.engine,
            };
            StepResult::Limited { engine: engine.clone(), until }
        }
        Err(Halt::Error(EngineError::Interrupted)) => StepResult::Interrupted,
        Err(Halt::Error(error)) => return Err(error),
    };
    Ok(StepReport { result, measured: attempt.measured.clone() })
}

/// Removes what an attempt left but its log.
pub(crate) async fn leave(host: &EngineHost, attempt: AttemptId) {
    host.stops.forget(attempt);
    let Some(left) = host.jobs.remove(attempt) else { return };
    let mut left = left.lock().await;
    let (site, log) = (left.site.take(), left.log.take());
    let (workspace, cloned) = match site {
        None | Some(Site::Over) => (None, None),
        Some(Site::Folder { workspace, .. }) => (Some(workspace), None),
        Some(Site::Clone(cloned)) => (Some(cloned.workspace), Some(cloned.control)),
    };
    if workspace.is_none() && log.is_none() {
        return;
    }
    let tidied = off_thread(move || {
        if let Some(workspace) = workspace {
            workspace.remove_now();
        }
        log.map_or(Ok(()), |log| log.finish().map(drop))
    });
    if let Err(error) = tidied.await {
        tracing::warn!(%attempt, %error, "the log of an attempt is not whole");
    }
    if let Some(control) = cloned {
        clone::forget(host, &control, attempt).await;
    }
}

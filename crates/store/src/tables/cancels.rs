//! Jobs that somebody ends.

use super::{
    Stop, jobs,
    leases::Held,
    steps::{self, Course, Step},
};
use crate::sqlite::Tx;
use banksman_core::{
    id::JobId,
    job::{Job, JobEvent},
    port::{Cancelled, StoreError},
    text::Holder,
};
use jiff::Timestamp;

/// Ends a job. What a worker holds of it stays held until its processes are gone.
pub(crate) fn cancel(tx: &Tx<'_>, id: JobId, who: &Holder, now: Timestamp) -> Result<Cancelled, Stop> {
    let job = jobs::known(tx, id)?;
    if job.state.is_final() {
        return Ok(Cancelled::Ended(job.state.stage()));
    }
    end(tx, &job, who, now)?;
    Ok(if job.state.is_waiting() { Cancelled::Now } else { Cancelled::WhileRunning })
}

/// Ends a waiting job of the pipeline; any other one of the repository is left alone.
pub(crate) fn withdraw(
    tx: &Tx<'_>,
    held: &Held<'_>,
    id: JobId,
    who: &Holder,
    now: Timestamp,
) -> Result<(), Stop> {
    let job = of_pipeline(tx, held, id)?;
    if job.state.is_waiting() { end(tx, &job, who, now) } else { Ok(()) }
}

/// A job of the pipeline, of the repository whose lease is held.
pub(crate) fn of_pipeline(tx: &Tx<'_>, held: &Held<'_>, id: JobId) -> Result<Job, Stop> {
    let job = jobs::known(tx, id)?;
    if job.work.repo() == Some(held.repo) { Ok(job) } else { Err(StoreError::Missing("job").into()) }
}

fn end(tx: &Tx<'_>, job: &Job, who: &Holder, now: Timestamp) -> Result<(), Stop> {
    let course = Course::of(&job.state, [JobEvent::Cancelled { at: now }])?;
    let token = jobs::token(tx, job.id)?;
    steps::take(tx, &Step { job: job.id, token, course: &course, failures: 0, losses: 0, who, now })
}

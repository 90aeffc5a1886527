//! Jobs that somebody ends.

use super::{
    dependencies, echoes,
    leases::Held,
    moves,
    states::{self, Course},
};
use crate::postgres::{
    columns::{Columns, int, nanos},
    error::Stop,
    link::Tx,
    trial::Try,
};
use banksman_core::{
    id::{AttemptId, JobId},
    job::{JobEvent, JobState, Why},
    port::{Cancelled, StoreError},
    text::Holder,
};
use jiff::Timestamp;

/// Ends a job. What a worker holds of it stays held until its processes are gone. When an answer was lost, a job that this process
/// cancelled at this very time is this call's own.
pub(in crate::postgres) async fn cancel(
    tx: &Tx<'_>,
    id: JobId,
    who: &Holder,
    now: Timestamp,
    which: Try,
) -> Result<Cancelled, Stop> {
    let state = locked(tx, id).await?.ok_or(StoreError::Missing("job"))?;
    if state.is_final() {
        return ended(tx, id, &state, who, now, which).await;
    }
    end(tx, id, &state, who, now).await?;
    Ok(if state.is_waiting() { Cancelled::Now } else { Cancelled::WhileRunning })
}

async fn ended(
    tx: &Tx<'_>,
    id: JobId,
    state: &JobState,
    who: &Holder,
    now: Timestamp,
    which: Try,
) -> Result<Cancelled, Stop> {
    if which == Try::Again && matches!(state, JobState::Cancelled { at } if *at == now) {
        let row = tx.one("SELECT attempt FROM job WHERE id = $1", &[&int(id.0)]).await?;
        let attempt = row.col::<Option<i64>>(0)?.map(|id| AttemptId(id.unsigned_abs()));
        if moves::is_recorded(tx, id, Why::Cancelled, who, attempt, now).await? {
            return Ok(if attempt.is_some() { Cancelled::WhileRunning } else { Cancelled::Now });
        }
    }
    Ok(Cancelled::Ended(state.stage()))
}

/// Ends a waiting job of the pipeline; any other one of the repository is left alone. The same when it is done twice.
pub(in crate::postgres) async fn withdraw(
    tx: &Tx<'_>,
    held: &Held<'_>,
    id: JobId,
    who: &Holder,
    now: Timestamp,
) -> Result<(), Stop> {
    super::adds::of_pipeline(tx, held, id).await?;
    let state = locked(tx, id).await?.ok_or(StoreError::Missing("job"))?;
    if state.is_waiting() { end(tx, id, &state, who, now).await } else { Ok(()) }
}

async fn locked(tx: &Tx<'_>, id: JobId) -> Result<Option<JobState>, Stop> {
    let row = tx
        .maybe(
            "SELECT state, not_before, attempt, holder, token, until, ended_at, outcome, reason FROM job
             WHERE id = $1 FOR UPDATE",
            &[&int(id.0)],
        )
        .await?;
    row.map(|row| states::read(&row, 0)).transpose()
}

async fn end(tx: &Tx<'_>, id: JobId, state: &JobState, who: &Holder, now: Timestamp) -> Result<(), Stop> {
    let course = Course::of(state, vec![JobEvent::Cancelled { at: now }])?;
    tx.run(
        "UPDATE job SET state = 'cancelled', ended_at = $2, not_before = NULL, waits_for = 0 WHERE id = $1",
        &[&int(id.0), &nanos(now)],
    )
    .await?;
    let attempt = state.held().map(|held| held.attempt);
    moves::add(tx, id, &course.legs, who, attempt, now).await?;
    echoes::wish_auto(tx, &[int(id.0)], now).await?;
    dependencies::fail_dependents(tx, id, who, now).await
}

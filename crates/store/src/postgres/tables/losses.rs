//! Claims that last longer, that are let go, that are lost; and what is held.

use super::{
    attempts, echoes,
    jobs::{self, JOB_COLUMNS, job_columns},
    moves,
    states::{Course, StateColumns},
};
use crate::postgres::{
    columns::{Columns, int, nanos},
    error::Stop,
    link::{Link, Tx},
    trial::Try,
};
use banksman_core::{
    id::{AttemptId, Token},
    job::{JobEvent, JobState, Why},
    port::{AttemptRecord, Claim, StoreError},
    text::Holder,
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// Moves the end of a claim whose job is still held by it. The same when it is done twice.
pub(in crate::postgres) async fn renew(tx: &Tx<'_>, claim: &Claim, until: Timestamp) -> Result<(), Stop> {
    let renewed = tx
        .run(
            "UPDATE job SET until = $5 WHERE id = $1 AND attempt = $2 AND token = $3 AND holder = $4
                AND state IN ('building', 'review', 'testing')",
            &[
                &int(claim.job.id.0),
                &int(claim.attempt.0),
                &int(claim.token.0),
                &claim.holder.as_str(),
                &nanos(until),
            ],
        )
        .await?;
    if renewed == 1 { Ok(()) } else { Err(StoreError::Fenced.into()) }
}

/// Frees what the claim of a cancelled job holds; of any other it changes nothing. The same when it is done twice.
pub(in crate::postgres) async fn let_go(
    tx: &Tx<'_>,
    claim: &Claim,
    end: Option<&AttemptRecord>,
) -> Result<(), Stop> {
    if free_cancelled(tx, claim).await?
        && let Some(record) = end
    {
        attempts::end(tx, record).await?;
    }
    Ok(())
}

async fn free_cancelled(tx: &Tx<'_>, claim: &Claim) -> Result<bool, Stop> {
    let freed = tx
        .run(
            "UPDATE job SET attempt = NULL, holder = NULL, until = NULL
             WHERE id = $1 AND attempt = $2 AND token = $3 AND holder = $4 AND state = 'cancelled'",
            &[&int(claim.job.id.0), &int(claim.attempt.0), &int(claim.token.0), &claim.holder.as_str()],
        )
        .await?;
    free_lock(tx, claim).await?;
    Ok(freed == 1)
}

/// Only if the job does not hold it any more.
async fn free_lock(tx: &Tx<'_>, claim: &Claim) -> Result<(), Stop> {
    if let Some(lock) = claim.job.work.lock() {
        tx.run(
            "DELETE FROM held_lock WHERE name = $1 AND attempt = $2
                AND NOT EXISTS (SELECT 1 FROM job WHERE id = $3 AND attempt = $2)",
            &[&lock.as_str(), &int(claim.attempt.0), &int(claim.job.id.0)],
        )
        .await?;
    }
    Ok(())
}

/// Ends a claim for somebody else, unless it was renewed since it was read. When an answer was lost, a loss that this process
/// recorded at this very time is this call's own; of a cancelled job the answer may then be `false` though it was freed.
pub(in crate::postgres) async fn lose(
    tx: &Tx<'_>,
    claim: &Claim,
    who: &Holder,
    now: Timestamp,
    which: Try,
) -> Result<bool, Stop> {
    if which == Try::Again
        && moves::is_recorded(tx, claim.job.id, Why::Lost, who, Some(claim.attempt), now).await?
    {
        return Ok(true);
    }
    let row = tx
        .maybe(
            "SELECT state, not_before, attempt, holder, token, until, ended_at, outcome, reason FROM job
             WHERE id = $1 AND attempt = $2 AND token = $3 AND holder = $4 AND until = $5 FOR UPDATE",
            &[
                &int(claim.job.id.0),
                &int(claim.attempt.0),
                &int(claim.token.0),
                &claim.holder.as_str(),
                &nanos(claim.until),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let state = super::states::read(&row, 0)?;
    if let JobState::Cancelled { .. } = state {
        return free_cancelled(tx, claim).await;
    }
    let course = Course::of(&state, vec![JobEvent::Again { not_before: now, why: Why::Lost }])?;
    let after = StateColumns::of(&course.after)?;
    tx.run(
        "UPDATE job SET state = $2, not_before = $3, attempt = NULL, holder = NULL, until = NULL, losses = losses + 1
         WHERE id = $1",
        &[&int(claim.job.id.0), &after.name, &after.not_before],
    )
    .await?;
    free_lock(tx, claim).await?;
    moves::add(tx, claim.job.id, &course.legs, who, Some(claim.attempt), now).await?;
    if course.changes_stage() {
        echoes::wish_auto(tx, &[int(claim.job.id.0)], now).await?;
    }
    Ok(true)
}

/// All claims that hold something, oldest first.
pub(in crate::postgres) async fn held(db: &Link) -> Result<Vec<Claim>, Stop> {
    let rows = db
        .rows(
            concat!(
                "SELECT ",
                job_columns!(),
                ", a.engine, a.started_at FROM job j JOIN job_work w ON w.job = j.id JOIN attempt a ON a.id = j.attempt
                 WHERE j.holder IS NOT NULL ORDER BY j.attempt"
            ),
            &[],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A claim from the columns of its job, the engine and the beginning.
pub(in crate::postgres) fn read(row: &Row) -> Result<Claim, Stop> {
    Ok(Claim {
        job: jobs::read(row)?,
        attempt: AttemptId(row.uint(11)?),
        holder: row.word(12, "job.holder")?,
        token: Token(row.uint(13)?),
        until: row.time(14)?,
        engine: row.word(JOB_COLUMNS, "attempt.engine")?,
        since: row.time(JOB_COLUMNS + 1)?,
    })
}

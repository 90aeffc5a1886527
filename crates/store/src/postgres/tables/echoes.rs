//! What trackers are to be told about jobs, and were told (T12, T13).

use crate::postgres::{
    columns::{Columns, int, nanos, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::JobId,
    port::{EchoRecord, StoreError},
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// What [`read`] expects.
macro_rules! echo_columns {
    () => {
        "job, patched, comment_begun, commented, tries, due, wished"
    };
}

/// A wish for each of these jobs that has auto-echo.
pub(in crate::postgres) async fn wish_auto(tx: &Tx<'_>, jobs: &[i64], at: Timestamp) -> Result<(), Stop> {
    tx.run(
        "INSERT INTO echo (job, due, wished) SELECT id, $2, 1 FROM job WHERE id = ANY ($1) AND auto_echo ORDER BY id
         ON CONFLICT (job) DO UPDATE SET wished = echo.wished + 1, due = least(echo.due, excluded.due)",
        &[&jobs, &nanos(at)],
    )
    .await?;
    Ok(())
}

/// A wish. When it is done twice, there is one wish more than needed.
pub(in crate::postgres) async fn wish(tx: &Tx<'_>, job: JobId, at: Timestamp) -> Result<(), Stop> {
    let wished = tx
        .run(
            "INSERT INTO echo (job, due, wished) SELECT id, $2, 1 FROM job WHERE id = $1 AND item IS NOT NULL
             ON CONFLICT (job) DO UPDATE SET wished = echo.wished + 1, due = least(echo.due, excluded.due)",
            &[&int(job.0), &nanos(at)],
        )
        .await?;
    if wished == 0 { Err(StoreError::Missing("job with a tracker item").into()) } else { Ok(()) }
}

/// Takes the echo that is due longest. When an answer was lost, what it took is due again after its time.
pub(in crate::postgres) async fn take(
    tx: &Tx<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<EchoRecord>, Stop> {
    let row = tx
        .maybe(
            concat!(
                "UPDATE echo SET taken_until = $2 WHERE job = (
                    SELECT job FROM echo WHERE due <= $1 AND coalesce(taken_until <= $1, true)
                    ORDER BY due, job LIMIT 1 FOR UPDATE SKIP LOCKED)
                 RETURNING ",
                echo_columns!()
            ),
            &[&nanos(now), &nanos(until)],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// Writes what became of an echo; the same when it is done twice. A wish that came meanwhile stays due.
pub(in crate::postgres) async fn put(tx: &Tx<'_>, echo: &EchoRecord) -> Result<(), Stop> {
    let stage = |stage: &Option<_>| stage.as_ref().map(word).transpose();
    let written = tx
        .run(
            "UPDATE echo SET patched = $2, comment_begun = $3, commented = $4, tries = $5, taken_until = NULL,
                due = CASE WHEN wished > $7 THEN due ELSE $6 END
             WHERE job = $1",
            &[
                &int(echo.job.0),
                &stage(&echo.patched)?,
                &stage(&echo.comment_begun)?,
                &stage(&echo.commented)?,
                &i32::try_from(echo.tries).unwrap_or(i32::MAX),
                &echo.due.map(nanos),
                &int(echo.wished),
            ],
        )
        .await?;
    if written == 0 { Err(StoreError::Missing("echo").into()) } else { Ok(()) }
}

/// Writes how far an echo has come that was taken; the same when it is done twice.
pub(in crate::postgres) async fn note(tx: &Tx<'_>, echo: &EchoRecord) -> Result<(), Stop> {
    let stage = |stage: &Option<_>| stage.as_ref().map(word).transpose();
    let written = tx
        .run(
            "UPDATE echo SET patched = $2, comment_begun = $3, commented = $4, tries = $5 WHERE job = $1",
            &[
                &int(echo.job.0),
                &stage(&echo.patched)?,
                &stage(&echo.comment_begun)?,
                &stage(&echo.commented)?,
                &i32::try_from(echo.tries).unwrap_or(i32::MAX),
            ],
        )
        .await?;
    if written == 0 { Err(StoreError::Missing("echo").into()) } else { Ok(()) }
}

/// What a job's item was told.
pub(in crate::postgres) async fn of(db: &Link, job: JobId) -> Result<Option<EchoRecord>, Stop> {
    let row =
        db.maybe(concat!("SELECT ", echo_columns!(), " FROM echo WHERE job = $1"), &[&int(job.0)]).await?;
    row.map(|row| read(&row)).transpose()
}

fn read(row: &Row) -> Result<EchoRecord, Stop> {
    Ok(EchoRecord {
        job: JobId(row.uint(0)?),
        patched: row.maybe_word(1, "echo.patched")?,
        comment_begun: row.maybe_word(2, "echo.comment_begun")?,
        commented: row.maybe_word(3, "echo.commented")?,
        tries: row.count(4)?,
        due: row.maybe_time(5)?,
        wished: row.uint(6)?,
    })
}

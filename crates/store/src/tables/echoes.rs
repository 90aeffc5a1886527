//! What trackers were told about jobs, and what they are still to be told (T12 to T14).

use super::Stop;
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::JobId,
    port::{EchoRecord, StoreError},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// What every query selects, in the order that [`read`] expects.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT job, patched, comment_begun, commented, tries, due, wished FROM echo ", $rest)
    };
}

/// Notes that a job's stage is to be told; changes that overtake each other are one.
pub(crate) fn wish(tx: &Tx<'_>, job: JobId, at: Timestamp) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT INTO echo (job, wished, due) VALUES (?1, 1, ?2)
         ON CONFLICT (job) DO UPDATE SET wished = wished + 1, due = min(coalesce(due, excluded.due), excluded.due)",
    )?
    .execute(params![job.0, Nanos(at)])?;
    Ok(())
}

/// The same for a job that must have an item.
pub(crate) fn want(tx: &Tx<'_>, job: JobId, at: Timestamp) -> Result<(), Stop> {
    let item: Option<bool> = tx
        .prepare_cached("SELECT item IS NOT NULL FROM job WHERE id = ?1")?
        .query_row([job.0], |row| row.get(0))
        .optional()?;
    match item {
        Some(true) => wish(tx, job, at),
        Some(false) => Err(StoreError::Missing("tracker item of the job").into()),
        None => Err(StoreError::Missing("job").into()),
    }
}

/// Takes the one that is due longest, for a while.
pub(crate) fn take(tx: &Tx<'_>, now: Timestamp, until: Timestamp) -> Result<Option<EchoRecord>, Stop> {
    let echo = tx
        .prepare_cached(select!(
            "WHERE due <= ?1 AND (taken_until IS NULL OR taken_until <= ?1) ORDER BY due, job LIMIT 1"
        ))?
        .query_row([Nanos(now)], read)
        .optional()?;
    if let Some(echo) = &echo {
        tx.prepare_cached("UPDATE echo SET taken_until = ?2 WHERE job = ?1")?
            .execute(params![echo.job.0, Nanos(until)])?;
    }
    Ok(echo)
}

/// Writes what became of one; where it was wished for again meanwhile, it stays due.
pub(crate) fn put(tx: &Tx<'_>, echo: &EchoRecord) -> Result<(), Stop> {
    let written = tx
        .prepare_cached(
            "UPDATE echo SET patched = ?2, comment_begun = ?3, commented = ?4, tries = ?5,
                due = CASE WHEN wished > ?7 THEN due ELSE ?6 END, taken_until = NULL
             WHERE job = ?1",
        )?
        .execute(params![
            echo.job.0,
            echo.patched.map(Word),
            echo.comment_begun.map(Word),
            echo.commented.map(Word),
            echo.tries,
            echo.due.map(Nanos),
            echo.wished,
        ])?;
    if written == 1 { Ok(()) } else { Err(StoreError::Missing("echo").into()) }
}

/// Writes how far one has come that was taken.
pub(crate) fn note(tx: &Tx<'_>, echo: &EchoRecord) -> Result<(), Stop> {
    let written = tx
        .prepare_cached(
            "UPDATE echo SET patched = ?2, comment_begun = ?3, commented = ?4, tries = ?5 WHERE job = ?1",
        )?
        .execute(params![
            echo.job.0,
            echo.patched.map(Word),
            echo.comment_begun.map(Word),
            echo.commented.map(Word),
            echo.tries,
        ])?;
    if written == 1 { Ok(()) } else { Err(StoreError::Missing("echo").into()) }
}

/// The one of a job.
pub(crate) fn of(db: &Connection, job: JobId) -> Result<Option<EchoRecord>, Stop> {
    Ok(db.prepare_cached(select!("WHERE job = ?1"))?.query_row([job.0], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<EchoRecord> {
    let stage = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<Word<_>>>(column)?.map(|w| w.0));
    Ok(EchoRecord {
        job: JobId(row.get(0)?),
        patched: stage(1)?,
        comment_begun: stage(2)?,
        commented: stage(3)?,
        tries: row.get(4)?,
        due: row.get::<_, Option<Nanos>>(5)?.map(|t| t.0),
        wished: row.get(6)?,
    })
}

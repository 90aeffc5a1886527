//! What is kept of each attempt (Q22).

use super::Stop;
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::{AttemptId, JobId},
    port::{AttemptFacts, AttemptRecord, Measured},
    text::{EngineName, Holder},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

/// What every query of attempts `a` selects first, in the order that [`read`] expects.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.job, a.engine, a.holder, a.started_at, a.ended_at, a.failure, a.sandbox, a.exit_code, a.signal,
                a.cpu_ms, a.peak_kib, a.files, a.added, a.removed, a.usage",
            $rest
        )
    };
}

/// A new attempt, begun now.
pub(crate) fn begin(
    tx: &Tx<'_>,
    job: JobId,
    engine: &EngineName,
    holder: &Holder,
    now: Timestamp,
) -> Result<AttemptId, Stop> {
    let id = tx
        .prepare_cached("INSERT INTO attempt (job, engine, holder, started_at) VALUES (?1, ?2, ?3, ?4)")?
        .insert(params![job.0, engine.as_str(), holder.as_str(), Nanos(now)])?;
    Ok(AttemptId(id.unsigned_abs()))
}

/// How an attempt ended.
pub(crate) fn end(tx: &Tx<'_>, attempt: AttemptId, record: &AttemptRecord) -> Result<(), Stop> {
    let measured = &record.measured;
    tx.prepare_cached(
        "UPDATE attempt SET ended_at = ?2, failure = ?3, sandbox = ?4, exit_code = ?5, signal = ?6, cpu_ms = ?7,
            peak_kib = ?8, files = ?9, added = ?10, removed = ?11, usage = ?12
         WHERE id = ?1",
    )?
    .execute(params![
        attempt.0,
        record.ended_at.map(Nanos),
        record.failure.map(Word),
        measured.sandbox.map(Word),
        measured.exit_code,
        measured.signal,
        measured.cpu_ms,
        measured.peak_kib,
        measured.files,
        measured.added,
        measured.removed,
        Json(&measured.usage),
    ])?;
    Ok(())
}

/// Those at one job, ascending.
pub(crate) fn of(db: &Connection, job: JobId) -> Result<Vec<AttemptRecord>, Stop> {
    let mut query = db.prepare_cached(select!(" FROM attempt a WHERE a.job = ?1 ORDER BY a.id"))?;
    let rows = query.query_map([job.0], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those that began in a period, ascending, with what they were about.
pub(crate) fn between(
    db: &Connection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<AttemptFacts>, Stop> {
    let mut query = db.prepare_cached(select!(
        ", l.profile, coalesce(l.repo, b.spec ->> 'cwd'), j.stage
         FROM attempt a JOIN job j ON j.id = a.job JOIN lane l ON l.id = j.lane LEFT JOIN job_body b ON b.job = j.id
         WHERE a.started_at >= ?1 AND a.started_at < ?2 ORDER BY a.id"
    ))?;
    let rows = query.query_map([Nanos(since), Nanos(until)], |row| {
        Ok(AttemptFacts {
            record: read(row)?,
            profile: row.get::<_, Option<Word<_>>>(16)?.map(|w| w.0),
            place: row.get(17)?,
            stage: row.get::<_, Word<_>>(18)?.0,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<AttemptRecord> {
    Ok(AttemptRecord {
        attempt: AttemptId(row.get(0)?),
        job: JobId(row.get(1)?),
        engine: row.get::<_, Word<_>>(2)?.0,
        holder: row.get::<_, Word<_>>(3)?.0,
        started_at: row.get::<_, Nanos>(4)?.0,
        ended_at: row.get::<_, Option<Nanos>>(5)?.map(|t| t.0),
        failure: row.get::<_, Option<Word<_>>>(6)?.map(|w| w.0),
        measured: Measured {
            sandbox: row.get::<_, Option<Word<_>>>(7)?.map(|w| w.0),
            exit_code: row.get(8)?,
            signal: row.get(9)?,
            cpu_ms: row.get(10)?,
            peak_kib: row.get(11)?,
            files: row.get(12)?,
            added: row.get(13)?,
            removed: row.get(14)?,
            usage: row.get::<_, Json<_>>(15)?.0,
        },
    })
}

//! What is kept of each attempt.

use super::Stop;
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::{AttemptId, WorkId},
    port::AttemptRecord,
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::Connection;

/// A new attempt, begun now.
pub(crate) fn begin(tx: &Tx<'_>, work: WorkId, now: Timestamp) -> Result<AttemptId, Stop> {
    let id = tx
        .prepare_cached("INSERT INTO attempt (work, started_at) VALUES (?1, ?2)")?
        .insert((work.0, Nanos(now)))?;
    Ok(AttemptId(id.unsigned_abs()))
}

/// How an attempt ended.
pub(crate) fn end(tx: &Tx<'_>, attempt: AttemptId, record: &AttemptRecord) -> Result<(), Stop> {
    tx.prepare_cached(
        "UPDATE attempt SET ended_at = ?2, sandbox = ?3, failure = ?4, exit_code = ?5, usage = ?6 WHERE id = ?1",
    )?
    .execute((
        attempt.0,
        record.ended_at.map(Nanos),
        record.sandbox.map(Word),
        record.failure.map(Word),
        record.exit_code,
        Json(&record.usage),
    ))?;
    Ok(())
}

/// All of a repository, ascending.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<AttemptRecord>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT a.id, a.work, a.started_at, a.ended_at, a.sandbox, a.failure, a.exit_code, a.usage
         FROM attempt a JOIN work w ON w.id = a.work WHERE w.repo = ?1 ORDER BY a.id",
    )?;
    let rows = query.query_map([repo.as_str()], |row| {
        Ok(AttemptRecord {
            attempt: AttemptId(row.get(0)?),
            work: WorkId(row.get(1)?),
            started_at: row.get::<_, Nanos>(2)?.0,
            ended_at: row.get::<_, Option<Nanos>>(3)?.map(|t| t.0),
            sandbox: row.get::<_, Option<Word<_>>>(4)?.map(|w| w.0),
            failure: row.get::<_, Option<Word<_>>>(5)?.map(|w| w.0),
            exit_code: row.get(6)?,
            usage: row.get::<_, Json<_>>(7)?.0,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

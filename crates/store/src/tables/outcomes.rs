//! How pull requests ended.

use super::{Stop, leases::Held, training};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{id::Number, port::OutcomeRecord, text::RepoName, training::ended};
use rusqlite::Connection;

/// Records an outcome unless the pull request has one, and with it its point of training data.
pub(crate) fn add(tx: &Tx<'_>, held: &Held<'_>, outcome: &OutcomeRecord) -> Result<(), Stop> {
    held.covers(&outcome.repo)?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO outcome (repo, pull, result, detail, resolution_hours, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (repo, pull) DO NOTHING",
    )?;
    let added = insert.execute((
        held.repo.as_str(),
        outcome.pull.0,
        Word(outcome.result),
        Word(outcome.detail),
        outcome.resolution_hours,
        Nanos(outcome.at),
    ))?;
    if added > 0 { training::record(tx, &[ended(outcome)]) } else { Ok(()) }
}

/// All of a repository, ascending by pull request.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<OutcomeRecord>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT pull, result, detail, resolution_hours, at FROM outcome WHERE repo = ?1 ORDER BY pull",
    )?;
    let rows = query.query_map([repo.as_str()], |row| {
        Ok(OutcomeRecord {
            repo: repo.clone(),
            pull: Number(row.get(0)?),
            result: row.get::<_, Word<_>>(1)?.0,
            detail: row.get::<_, Word<_>>(2)?.0,
            resolution_hours: row.get(3)?,
            at: row.get::<_, Nanos>(4)?.0,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

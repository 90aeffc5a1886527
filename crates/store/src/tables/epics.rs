//! Epics that the orchestrator runs.

use super::{Stop, leases::Held};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    port::{EpicRecord, StoreError},
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::Connection;

/// Takes an epic in; a second time changes nothing.
pub(crate) fn add(tx: &Tx<'_>, held: &Held<'_>, epic: &EpicRecord) -> Result<(), Stop> {
    held.covers(&epic.repo)?;
    tx.prepare_cached(
        "INSERT INTO epic (repo, number, branch, implementer, created_at, ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (repo, number) DO NOTHING",
    )?
    .execute((
        held.repo.as_str(),
        epic.number.0,
        epic.branch.as_str(),
        epic.implementer.as_str(),
        Nanos(epic.created_at),
        epic.ended_at.map(Nanos),
    ))?;
    Ok(())
}

/// Marks an epic as ended; the first time stays.
pub(crate) fn end(tx: &Tx<'_>, held: &Held<'_>, epic: Number, now: Timestamp) -> Result<(), Stop> {
    let marked = tx
        .prepare_cached("UPDATE epic SET ended_at = coalesce(ended_at, ?3) WHERE repo = ?1 AND number = ?2")?
        .execute((held.repo.as_str(), epic.0, Nanos(now)))?;
    if marked == 0 { Err(StoreError::Missing("epic").into()) } else { Ok(()) }
}

/// All of a repository, ascending.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<EpicRecord>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT number, branch, implementer, created_at, ended_at FROM epic WHERE repo = ?1 ORDER BY number",
    )?;
    let rows = query.query_map([repo.as_str()], |row| {
        Ok(EpicRecord {
            repo: repo.clone(),
            number: Number(row.get(0)?),
            branch: row.get::<_, Word<_>>(1)?.0,
            implementer: row.get::<_, Word<_>>(2)?.0,
            created_at: row.get::<_, Nanos>(3)?.0,
            ended_at: row.get::<_, Option<Nanos>>(4)?.map(|t| t.0),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

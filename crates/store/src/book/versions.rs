//! Versions of bodies that were changed.

use super::{Trouble, row::Columns};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{id::Number, tainted::Tainted, text::RepoName};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Keeps the body that an item has, before it is changed for the first time.
pub(super) fn keep_first(tx: &Tx<'_>, repo: &RepoName, of: Number) -> Result<(), Trouble> {
    tx.prepare_cached(
        "INSERT INTO version (repo, number, at, body)
         SELECT repo, number, created_at, body FROM item WHERE repo = ?1 AND number = ?2
             AND NOT EXISTS (SELECT 1 FROM version v WHERE v.repo = ?1 AND v.number = ?2)",
    )?
    .execute(params![Word(repo), of.0])?;
    Ok(())
}

/// Keeps the body that an item has now; of all versions the last twenty stay.
pub(super) fn keep(tx: &Tx<'_>, repo: &RepoName, of: Number, at: Timestamp) -> Result<(), Trouble> {
    tx.prepare_cached(
        "INSERT INTO version (repo, number, at, body)
         SELECT repo, number, ?3, body FROM item WHERE repo = ?1 AND number = ?2",
    )?
    .execute(params![Word(repo), of.0, Nanos(at)])?;
    tx.prepare_cached(
        "DELETE FROM version WHERE repo = ?1 AND number = ?2 AND id NOT IN
             (SELECT id FROM version WHERE repo = ?1 AND number = ?2 ORDER BY id DESC LIMIT 20)",
    )?
    .execute(params![Word(repo), of.0])?;
    Ok(())
}

/// Versions, newest first.
pub(super) fn read(
    db: &Connection,
    repo: &RepoName,
    of: Number,
) -> Result<Vec<(Tainted, Timestamp)>, Trouble> {
    let mut query =
        db.prepare_cached("SELECT body, at FROM version WHERE repo = ?1 AND number = ?2 ORDER BY id DESC")?;
    let rows = query.query_map(params![Word(repo), of.0], |row| Ok((row.tainted(0)?, row.time(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

//! One line for each finished child.

use super::{Stop, leases::Held};
use crate::sqlite::{Json, Tx};
use banksman_core::{journal::JournalEntry, text::RepoName};
use rusqlite::Connection;

/// Writes a line unless the child has one.
pub(crate) fn add(tx: &Tx<'_>, held: &Held<'_>, entry: &JournalEntry) -> Result<(), Stop> {
    held.covers(&entry.repo)?;
    tx.prepare_cached(
        "INSERT INTO journal (repo, child, entry) VALUES (?1, ?2, ?3) ON CONFLICT (repo, child) DO NOTHING",
    )?
    .execute((held.repo.as_str(), entry.child.0, Json(entry)))?;
    Ok(())
}

/// All lines of a repository in the order of writing.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<JournalEntry>, Stop> {
    let mut query = db.prepare_cached("SELECT entry FROM journal WHERE repo = ?1 ORDER BY id")?;
    let rows = query.query_map([repo.as_str()], |row| Ok(row.get::<_, Json<_>>(0)?.0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

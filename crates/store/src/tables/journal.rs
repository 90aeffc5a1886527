//! One line for each finished child.

use super::{Stop, leases::Held};
use crate::sqlite::{Json, Tx};
use banksman_core::{
    journal::{self, JournalEntry},
    text::RepoName,
};
use rusqlite::{
    Connection,
    types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
};

/// Writes a line unless the child has one.
pub(crate) fn add(tx: &Tx<'_>, held: &Held<'_>, entry: &JournalEntry) -> Result<(), Stop> {
    held.covers(&entry.repo)?;
    tx.prepare_cached(
        "INSERT INTO journal (repo, child, entry) VALUES (?1, ?2, ?3) ON CONFLICT (repo, child) DO NOTHING",
    )?
    .execute((held.repo.as_str(), entry.child.0, Json(entry)))?;
    Ok(())
}

/// All lines of a repository in the order of writing; those of older versions in the form of the newest.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<JournalEntry>, Stop> {
    let mut query = db.prepare_cached("SELECT entry FROM journal WHERE repo = ?1 ORDER BY id")?;
    let rows = query.query_map([repo.as_str()], |row| Ok(row.get::<_, Line>(0)?.0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A line of any version, as it stands in the column.
struct Line(JournalEntry);

impl FromSql for Line {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        journal::read_stored(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(error.into()))
    }
}

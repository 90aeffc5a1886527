//! Commit statuses.

use super::{Trouble, row::Columns};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    port::book::{NewStatus, StatusRecord},
    tainted::Tainted,
    text::{RepoName, Sha},
};
use rusqlite::{Connection, params};

/// Writes a status.
pub(super) fn add(tx: &Tx<'_>, repo: &RepoName, status: NewStatus) -> Result<u64, Trouble> {
    let NewStatus { sha, creator, context, state, description, target, at } = status;
    let id = tx
        .prepare_cached(
            "INSERT INTO status (repo, sha, creator, context, state, at, target, description)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert(params![
            Word(repo),
            Word(sha),
            creator.0,
            Word(context),
            Word(state),
            Nanos(at),
            Tainted::into_forge_slot(target),
            Tainted::into_forge_slot(description),
        ])?;
    Ok(id.unsigned_abs())
}

/// Statuses of a commit, newest first.
pub(super) fn read(db: &Connection, repo: &RepoName, sha: &Sha) -> Result<Vec<StatusRecord>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT s.id, a.id, a.login, s.context, s.state, s.description, s.target, s.at
         FROM status s JOIN account a ON a.id = s.creator
         WHERE s.repo = ?1 AND s.sha = ?2 ORDER BY s.id DESC",
    )?;
    let rows = query.query_map(params![Word(repo), Word(sha)], |row| {
        Ok(StatusRecord {
            id: row.id(0)?,
            creator: row.account(1, 2)?,
            context: row.word(3)?,
            state: row.word(4)?,
            description: row.tainted(5)?,
            target: row.tainted(6)?,
            at: row.time(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

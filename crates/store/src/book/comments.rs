//! Comments on issues and pull requests.

use super::{
    Trouble, issues,
    row::{Columns, made_by},
};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::{CommentId, Number},
    port::book::{CommentRecord, NewComment},
    text::RepoName,
};
use rusqlite::{Connection, params};

/// Writes a comment.
pub(super) fn write(tx: &Tx<'_>, repo: &RepoName, comment: NewComment) -> Result<CommentId, Trouble> {
    let NewComment { on, author, body, made_by: step, at } = comment;
    issues::exists(tx, repo, on, None)?;
    let made = step.as_ref().map(made_by).transpose()?;
    let id = tx
        .prepare_cached(
            "INSERT INTO comment (repo, number, author, at, made_by, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .insert(params![Word(repo), on.0, author.0, Nanos(at), made, body.into_forge_slot()])?;
    issues::touch(tx, repo, on, at)?;
    Ok(CommentId(id.unsigned_abs()))
}

/// Comments, oldest first.
pub(super) fn read(db: &Connection, repo: &RepoName, on: Number) -> Result<Vec<CommentRecord>, Trouble> {
    issues::exists(db, repo, on, None)?;
    let mut query = db.prepare_cached(
        "SELECT c.id, a.id, a.login, c.at, c.body FROM comment c JOIN account a ON a.id = c.author
         WHERE c.repo = ?1 AND c.number = ?2 ORDER BY c.id",
    )?;
    let rows = query.query_map(params![Word(repo), on.0], |row| {
        Ok(CommentRecord {
            id: CommentId(row.id(0)?),
            author: row.account(1, 2)?,
            at: row.time(3)?,
            body: row.tainted(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

//! Comments on issues and pull requests.

use super::{
    Trouble, issues,
    row::{Columns, made_by},
};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::{CommentId, Number},
    port::{
        Refusal,
        book::{CommentRecord, NewComment},
    },
    tainted::Tainted,
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

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
         WHERE c.repo = ?1 AND c.number = ?2 AND c.removed_at IS NULL ORDER BY c.id",
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

/// One comment with its place.
pub(super) fn by_id(db: &Connection, id: CommentId) -> Result<(RepoName, Number, CommentRecord), Trouble> {
    db.prepare_cached(
        "SELECT c.repo, c.number, a.id, a.login, c.at, c.body FROM comment c JOIN account a ON a.id = c.author
         WHERE c.id = ?1 AND c.removed_at IS NULL",
    )?
    .query_row([id.0], |row| {
        let comment =
            CommentRecord { id, author: row.account(2, 3)?, at: row.time(4)?, body: row.tainted(5)? };
        Ok((row.word(0)?, row.number(1)?, comment))
    })
    .optional()?
    .ok_or(Trouble::Refused(Refusal::NotFound))
}

/// Gives a comment new words.
pub(super) fn rewrite(tx: &Tx<'_>, id: CommentId, body: Tainted, at: Timestamp) -> Result<(), Trouble> {
    let (repo, on, _) = by_id(tx, id)?;
    tx.prepare_cached("UPDATE comment SET body = ?2 WHERE id = ?1")?
        .execute(params![id.0, body.into_forge_slot()])?;
    issues::touch(tx, &repo, on, at)
}

/// Takes a comment away. Its row stays, so that its id is never given again and its step is known to have been made.
pub(super) fn remove(tx: &Tx<'_>, id: CommentId, at: Timestamp) -> Result<(), Trouble> {
    let (repo, on, _) = by_id(tx, id)?;
    tx.prepare_cached("UPDATE comment SET removed_at = ?2, body = '' WHERE id = ?1")?
        .execute(params![id.0, Nanos(at)])?;
    issues::touch(tx, &repo, on, at)
}

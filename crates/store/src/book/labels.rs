//! Labels with their properties, and the numbers of repositories.

use super::{Trouble, row::Columns};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    port::{
        Refusal,
        book::{LabelChange, LabelDraft, LabelMade, LabelRecord},
    },
    tainted::Tainted,
    text::{Label, RepoName},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The number of a repository that has one.
pub(super) fn repo_number(db: &Connection, repo: &RepoName) -> Result<Option<u64>, Trouble> {
    Ok(db
        .prepare_cached("SELECT id FROM repository WHERE name = ?1")?
        .query_row([Word(repo)], |row| row.id(0))
        .optional()?)
}

/// Gives a repository a number unless it has one.
pub(super) fn number_repo(tx: &Tx<'_>, repo: &RepoName) -> Result<u64, Trouble> {
    tx.quiet();
    tx.prepare_cached("INSERT OR IGNORE INTO repository (name) VALUES (?1)")?.execute([Word(repo)])?;
    repo_number(tx, repo)?.ok_or(Trouble::Refused(Refusal::NotFound))
}

fn record(row: &Row<'_>) -> rusqlite::Result<LabelRecord> {
    Ok(LabelRecord { id: row.id(0)?, name: row.word(1)?, color: row.word(2)?, description: row.tainted(3)? })
}

/// Known labels.
pub(super) fn read(db: &Connection, repo: &RepoName) -> Result<Vec<LabelRecord>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT id, name, color, description FROM known_label WHERE repo = ?1 ORDER BY name",
    )?;
    let rows = query.query_map([Word(repo)], record)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(db: &Connection, repo: &RepoName, name: &Label) -> Result<Option<LabelRecord>, Trouble> {
    Ok(db
        .prepare_cached("SELECT id, name, color, description FROM known_label WHERE repo = ?1 AND name = ?2")?
        .query_row(params![Word(repo), Word(name)], record)
        .optional()?)
}

/// Makes a label known because something is to carry it.
pub(super) fn know(tx: &Tx<'_>, repo: &RepoName, name: &Label) -> Result<(), Trouble> {
    tx.prepare_cached("INSERT OR IGNORE INTO known_label (repo, name) VALUES (?1, ?2)")?
        .execute(params![Word(repo), Word(name)])?;
    Ok(())
}

/// Makes a label known with its properties.
pub(super) fn make(tx: &Tx<'_>, repo: &RepoName, draft: LabelDraft) -> Result<LabelMade, Trouble> {
    let LabelDraft { name, color, description } = draft;
    let new = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO known_label (repo, name, color, description) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![Word(repo), Word(&name), Word(color), description.into_forge_slot()])?;
    if new == 0 {
        return Ok(LabelMade::There);
    }
    let made = find(tx, repo, &name)?.ok_or(Trouble::Refused(Refusal::NotFound))?;
    Ok(LabelMade::New(made))
}

/// Changes a label; a new name that another one has is refused.
pub(super) fn change(
    tx: &Tx<'_>,
    repo: &RepoName,
    name: &Label,
    change: LabelChange,
) -> Result<LabelRecord, Trouble> {
    let old = find(tx, repo, name)?.ok_or(Trouble::Refused(Refusal::NotFound))?;
    let new = change.name.as_ref().unwrap_or(&old.name).clone();
    if find(tx, repo, &new)?.is_some_and(|other| other.id != old.id) {
        return Err(Trouble::Refused(Refusal::NotAllowed));
    }
    tx.prepare_cached(
        "UPDATE known_label SET name = ?2, color = coalesce(?3, color), description = coalesce(?4, description)
         WHERE id = ?1",
    )?
    .execute(params![
        old.id,
        Word(&new),
        change.color.map(String::from),
        change.description.map(Tainted::into_forge_slot)
    ])?;
    if new != old.name {
        tx.prepare_cached("UPDATE label SET name = ?3 WHERE repo = ?1 AND name = ?2")?.execute(params![
            Word(repo),
            Word(&old.name),
            Word(&new)
        ])?;
    }
    find(tx, repo, &new)?.ok_or(Trouble::Refused(Refusal::NotFound))
}

/// Forgets a label.
pub(super) fn drop(tx: &Tx<'_>, repo: &RepoName, name: &Label, at: Timestamp) -> Result<(), Trouble> {
    let gone = tx
        .prepare_cached("DELETE FROM known_label WHERE repo = ?1 AND name = ?2")?
        .execute(params![Word(repo), Word(name)])?;
    if gone == 0 {
        return Err(Trouble::Refused(Refusal::NotFound));
    }
    tx.prepare_cached(
        "UPDATE item SET updated_at = max(updated_at, ?3) WHERE repo = ?1 AND EXISTS
             (SELECT 1 FROM label l WHERE l.repo = item.repo AND l.number = item.number
              AND l.name = ?2 COLLATE NOCASE)",
    )?
    .execute(params![Word(repo), Word(name), Nanos(at)])?;
    tx.prepare_cached("DELETE FROM label WHERE repo = ?1 AND name = ?2 COLLATE NOCASE")?
        .execute(params![Word(repo), Word(name)])?;
    Ok(())
}

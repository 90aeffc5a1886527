//! Pull requests that are to be merged by themselves.

use super::{Trouble, issues, pulls, row::Columns};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    port::book::Arming,
    text::{BranchName, RepoName},
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Arms a pull request, or disarms it.
pub(super) fn set(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    arming: Option<Arming>,
    at: Timestamp,
) -> Result<(), Trouble> {
    pulls::still_open(tx, repo, pull)?;
    match arming {
        Some(Arming { by, method, at }) => tx
            .prepare_cached(
                "INSERT OR REPLACE INTO armed (repo, pull, by, method, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![Word(repo), pull.0, by.id.0, Word(method), Nanos(at)])?,
        None => disarm(tx, repo, pull)?,
    };
    issues::touch(tx, repo, pull, at)
}

/// Forgets the order of a pull request; how many there were.
pub(super) fn disarm(tx: &Tx<'_>, repo: &RepoName, pull: Number) -> Result<usize, Trouble> {
    Ok(tx
        .prepare_cached("DELETE FROM armed WHERE repo = ?1 AND pull = ?2")?
        .execute(params![Word(repo), pull.0])?)
}

/// Armed pull requests.
pub(super) fn read(db: &Connection, repo: &RepoName) -> Result<Vec<(Number, Arming)>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT m.pull, a.id, a.login, m.method, m.at FROM armed m JOIN account a ON a.id = m.by
         WHERE m.repo = ?1 ORDER BY m.pull",
    )?;
    let rows = query.query_map([Word(repo)], |row| {
        let arming = Arming { by: row.account(1, 2)?, method: row.word(3)?, at: row.time(4)? };
        Ok((row.number(0)?, arming))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves one open pull request to another base.
pub(super) fn rebase(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    base: &BranchName,
    at: Timestamp,
) -> Result<(), Trouble> {
    pulls::still_open(tx, repo, pull)?;
    tx.prepare_cached("UPDATE pull SET base = ?3 WHERE repo = ?1 AND number = ?2")?.execute(params![
        Word(repo),
        pull.0,
        Word(base)
    ])?;
    issues::touch(tx, repo, pull, at)
}

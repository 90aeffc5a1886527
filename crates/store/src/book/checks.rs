//! Check runs: one per commit, queued when the commit becomes a head, claimed by a runner, done with a result per check.

use super::{Trouble, row::Columns};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    port::book::{CheckLog, RunClaim},
    tainted::Tainted,
    text::{RepoName, Sha},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Queues the first run of a commit.
pub(super) fn queue(tx: &Tx<'_>, repo: &RepoName, sha: &Sha, at: Timestamp) -> Result<(), Trouble> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO run (repo, sha, state, queued_at) VALUES (?1, ?2, 'queued', ?3)",
    )?
    .execute(params![Word(repo), Word(sha), Nanos(at)])?;
    Ok(())
}

/// Queues another run of a commit.
pub(super) fn rerun(tx: &Tx<'_>, repo: &RepoName, shas: &[Sha], at: Timestamp) -> Result<(), Trouble> {
    for sha in shas {
        queue(tx, repo, sha, at)?;
        let again = tx
            .prepare_cached(
                "UPDATE run SET state = 'queued', tries = 0, queued_at = ?3
                 WHERE repo = ?1 AND sha = ?2 AND state = 'done'",
            )?
            .execute(params![Word(repo), Word(sha), Nanos(at)])?;
        if again > 0 {
            forget(tx, repo, sha)?;
        }
    }
    Ok(())
}

fn forget(tx: &Tx<'_>, repo: &RepoName, sha: &Sha) -> Result<(), Trouble> {
    tx.prepare_cached("DELETE FROM result WHERE repo = ?1 AND sha = ?2")?
        .execute(params![Word(repo), Word(sha)])?;
    Ok(())
}

/// Takes the oldest queued run that is still wanted.
pub(super) fn claim(tx: &Tx<'_>, repo: &RepoName) -> Result<Option<RunClaim>, Trouble> {
    // Dropped ones are queued again by the look that finds their commit at the head of something.
    tx.prepare_cached(
        "DELETE FROM run WHERE repo = ?1 AND state = 'queued' AND NOT EXISTS
             (SELECT 1 FROM item i JOIN pull p ON p.repo = i.repo AND p.number = i.number
              WHERE i.repo = ?1 AND i.kind = 'pull' AND i.closed_at IS NULL AND p.head = run.sha)",
    )?
    .execute([Word(repo)])?;
    let sha: Option<Sha> = tx
        .prepare_cached(
            "SELECT sha FROM run WHERE repo = ?1 AND state = 'queued' ORDER BY queued_at, sha LIMIT 1",
        )?
        .query_row([Word(repo)], |row| row.word(0))
        .optional()?;
    let Some(sha) = sha else {
        tx.quiet();
        return Ok(None);
    };
    let claim =
        tx.prepare_cached("UPDATE last_claim SET n = n + 1 RETURNING n")?.query_row([], |row| row.id(0))?;
    let tries = tx
        .prepare_cached(
            "UPDATE run SET state = 'running', claim = ?3, tries = tries + 1 WHERE repo = ?1 AND sha = ?2
             RETURNING tries",
        )?
        .query_row(params![Word(repo), Word(&sha), claim], |row| row.get(0))?;
    Ok(Some(RunClaim { claim, sha, tries }))
}

/// Ends a run with its results.
pub(super) fn finish(
    tx: &Tx<'_>,
    repo: &RepoName,
    claim: &RunClaim,
    results: Vec<CheckLog>,
) -> Result<(), Trouble> {
    let changed = tx
        .prepare_cached(
            "UPDATE run SET state = 'done' WHERE repo = ?1 AND sha = ?2 AND claim = ?3 AND state = 'running'",
        )?
        .execute(params![Word(repo), Word(&claim.sha), claim.claim])?;
    if changed == 0 {
        return Ok(());
    }
    forget(tx, repo, &claim.sha)?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO result (repo, sha, name, state, at, log) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for result in results {
        insert.execute(params![
            Word(repo),
            Word(&claim.sha),
            Word(&result.name),
            Word(result.state),
            Nanos(result.at),
            Tainted::into_forge_slot(result.log),
        ])?;
    }
    Ok(())
}

/// Queues a run again that could not be made.
pub(super) fn release(tx: &Tx<'_>, repo: &RepoName, claim: &RunClaim) -> Result<(), Trouble> {
    tx.prepare_cached(
        "UPDATE run SET state = 'queued' WHERE repo = ?1 AND sha = ?2 AND claim = ?3 AND state = 'running'",
    )?
    .execute(params![Word(repo), Word(&claim.sha), claim.claim])?;
    Ok(())
}

/// Queues every run again whose runner is gone.
pub(super) fn requeue(tx: &Tx<'_>, repo: &RepoName) -> Result<u64, Trouble> {
    let sql =
        "UPDATE run SET state = 'queued', tries = max(tries - 1, 0) WHERE repo = ?1 AND state = 'running'";
    Ok(tx.prepare_cached(sql)?.execute([Word(repo)])? as u64)
}

/// Results with their output.
pub(super) fn logs(db: &Connection, repo: &RepoName, sha: &Sha) -> Result<Vec<CheckLog>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT name, state, log, at FROM result WHERE repo = ?1 AND sha = ?2 ORDER BY rowid",
    )?;
    let rows = query.query_map(params![Word(repo), Word(sha)], |row| {
        Ok(CheckLog { name: row.word(0)?, state: row.word(1)?, log: row.tainted(2)?, at: row.time(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

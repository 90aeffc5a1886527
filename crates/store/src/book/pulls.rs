//! Pull requests: opening, heads, plans, endings.

use super::{
    Trouble, arming, checks,
    issues::{self, Kind, NewItem},
    row::Columns,
};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    intent::AGENTIC,
    port::{
        Refusal,
        book::{
            Checking, Commits, Ending, HeadOrigin, MergePlan, NewPull, Readiness, Sighting, Size, UpdatePlan,
        },
    },
    text::{BranchName, RepoName, Sha},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Writes a pull request, or finds the open one between the same branches.
pub(super) fn open(tx: &Tx<'_>, repo: &RepoName, pull: NewPull) -> Result<Number, Trouble> {
    let there = tx
        .prepare_cached(
            "SELECT p.number FROM pull p JOIN item i ON i.repo = p.repo AND i.number = p.number
             WHERE p.repo = ?1 AND p.head_branch = ?2 AND p.base = ?3 AND i.closed_at IS NULL",
        )?
        .query_row(params![Word(repo), Word(&pull.head_branch), Word(&pull.base)], |row| row.number(0))
        .optional()?;
    if let Some(number) = there {
        return Ok(number);
    }
    if let Some(issue) = pull.closes {
        issues::exists(tx, repo, issue, Some(Kind::Issue))?;
    }
    let at = pull.at;
    let item = NewItem {
        kind: Kind::Pull,
        author: pull.author.0,
        title: pull.title,
        body: pull.body,
        made_by: None,
        at,
    };
    let number = issues::insert(tx, repo, item)?;
    tx.prepare_cached(
        "INSERT INTO pull (repo, number, head_branch, base, head, readiness, head_fate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        Word(repo),
        number.0,
        Word(&pull.head_branch),
        Word(&pull.base),
        Word(&pull.head),
        Word(pull.readiness),
        Word(pull.head_fate),
    ])?;
    if let Some(issue) = pull.closes {
        tx.prepare_cached("INSERT INTO closes (repo, pull, issue) VALUES (?1, ?2, ?3)")?.execute(params![
            Word(repo),
            number.0,
            issue.0
        ])?;
    }
    let first = Sighting {
        pull: number,
        after: pull.head.clone(),
        head: pull.head,
        origin: HeadOrigin::Pushed,
        commits: Commits::Some,
    };
    add_head(tx, repo, &first, at)?;
    if pull.checks == Checking::Configured {
        checks::queue(tx, repo, &first.head, at)?;
    }
    Ok(number)
}

/// Records new heads.
pub(super) fn see(
    tx: &Tx<'_>,
    repo: &RepoName,
    sightings: &[Sighting],
    checking: Checking,
    at: Timestamp,
) -> Result<(), Trouble> {
    for seen in sightings {
        let changed = tx
            .prepare_cached(
                "UPDATE pull SET head = ?3 WHERE repo = ?1 AND number = ?2 AND head = ?4 AND head <> ?3",
            )?
            .execute(params![Word(repo), seen.pull.0, Word(&seen.head), Word(&seen.after)])?;
        if changed == 0 {
            continue;
        }
        add_head(tx, repo, seen, at)?;
        issues::touch(tx, repo, seen.pull, at)?;
        if checking == Checking::Configured {
            checks::queue(tx, repo, &seen.head, at)?;
        }
    }
    Ok(())
}

fn add_head(tx: &Tx<'_>, repo: &RepoName, seen: &Sighting, at: Timestamp) -> Result<(), Trouble> {
    tx.prepare_cached(
        "INSERT INTO head (repo, pull, seq, sha, at, origin, commits)
         VALUES (?1, ?2, (SELECT coalesce(max(seq), 0) + 1 FROM head WHERE repo = ?1 AND pull = ?2),
                 ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        Word(repo),
        seen.pull.0,
        Word(&seen.head),
        Nanos(at),
        Word(seen.origin),
        Word(seen.commits)
    ])?;
    Ok(())
}

/// Moves open pull requests to another base.
pub(super) fn retarget(
    tx: &Tx<'_>,
    repo: &RepoName,
    from: &BranchName,
    to: &BranchName,
    at: Timestamp,
) -> Result<u64, Trouble> {
    let mut moved = tx.prepare_cached(
        "UPDATE pull SET base = ?3 WHERE repo = ?1 AND base = ?2 AND EXISTS (SELECT 1 FROM item i
             WHERE i.repo = pull.repo AND i.number = pull.number AND i.closed_at IS NULL)
         RETURNING number",
    )?;
    let moved: Vec<Number> = moved
        .query_map(params![Word(repo), Word(from), Word(to)], |row| row.number(0))?
        .collect::<Result<_, _>>()?;
    for number in &moved {
        issues::touch(tx, repo, *number, at)?;
    }
    Ok(moved.len() as u64)
}

/// Makes a pull request a draft, or ready.
pub(super) fn set_readiness(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    readiness: Readiness,
    at: Timestamp,
) -> Result<(), Trouble> {
    still_open(tx, repo, pull)?;
    tx.prepare_cached("UPDATE pull SET readiness = ?3 WHERE repo = ?1 AND number = ?2")?.execute(params![
        Word(repo),
        pull.0,
        Word(readiness)
    ])?;
    issues::touch(tx, repo, pull, at)
}

/// Refuses a pull request that ended.
pub(super) fn still_open(db: &Connection, repo: &RepoName, pull: Number) -> Result<(), Trouble> {
    issues::exists(db, repo, pull, Some(Kind::Pull))?;
    let open: bool = db
        .prepare_cached("SELECT closed_at IS NULL FROM item WHERE repo = ?1 AND number = ?2")?
        .query_row(params![Word(repo), pull.0], |row| row.get(0))?;
    if open { Ok(()) } else { Err(Trouble::Refused(Refusal::Ended)) }
}

/// Writes down a merge about to be made.
pub(super) fn plan_merge(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    plan: &MergePlan,
) -> Result<(), Trouble> {
    tx.quiet();
    still_open(tx, repo, pull)?;
    let MergePlan { head, base, from, commit, size } = plan;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO merge_plan
             (repo, pull, head, base, from_sha, commit_sha, additions, deletions, files)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        Word(repo),
        pull.0,
        Word(head),
        Word(base),
        Word(from),
        Word(commit),
        size.additions,
        size.deletions,
        size.files
    ])?;
    Ok(())
}

/// Writes down an update of a head branch about to be made.
pub(super) fn plan_update(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    plan: &UpdatePlan,
) -> Result<(), Trouble> {
    tx.quiet();
    still_open(tx, repo, pull)?;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO update_plan (repo, pull, commit_sha, from_sha) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![Word(repo), pull.0, Word(&plan.commit), Word(&plan.from)])?;
    Ok(())
}

/// Ends a pull request; its issues are closed with a merge, epics excepted.
pub(super) fn end(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    ending: &Ending,
    size: Size,
    at: Timestamp,
) -> Result<(), Trouble> {
    issues::exists(tx, repo, pull, Some(Kind::Pull))?;
    let ended = tx
        .prepare_cached(
            "UPDATE item SET closed_at = ?3, updated_at = max(updated_at, ?3)
             WHERE repo = ?1 AND number = ?2 AND closed_at IS NULL",
        )?
        .execute(params![Word(repo), pull.0, Nanos(at)])?;
    if ended == 0 {
        return Ok(());
    }
    tx.prepare_cached(
        "UPDATE pull SET additions = ?3, deletions = ?4, files = ?5 WHERE repo = ?1 AND number = ?2",
    )?
    .execute(params![Word(repo), pull.0, size.additions, size.deletions, size.files])?;
    tx.prepare_cached("DELETE FROM merge_plan WHERE repo = ?1 AND pull = ?2")?
        .execute(params![Word(repo), pull.0])?;
    arming::disarm(tx, repo, pull)?;
    let Ending::Merged { head, commit } = ending else { return Ok(()) };
    let (head, commit): (&Sha, &Sha) = (head, commit);
    tx.prepare_cached("UPDATE pull SET merged_head = ?3, merge_commit = ?4 WHERE repo = ?1 AND number = ?2")?
        .execute(params![Word(repo), pull.0, Word(head), Word(commit)])?;
    let mut closing = tx.prepare_cached(
        "SELECT issue FROM closes c WHERE repo = ?1 AND pull = ?2 AND NOT EXISTS (SELECT 1 FROM label l
             WHERE l.repo = c.repo AND l.number = c.issue AND l.name = ?3)",
    )?;
    let closing: Vec<Number> = closing
        .query_map(params![Word(repo), pull.0, AGENTIC], |row| row.number(0))?
        .collect::<Result<_, _>>()?;
    for issue in closing {
        issues::close(tx, repo, issue, at)?;
    }
    Ok(())
}

/// Merged pull requests whose head branch is still to be deleted.
pub(super) fn untidy(db: &Connection, repo: &RepoName) -> Result<Vec<(Number, BranchName, Sha)>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT number, head_branch, merged_head FROM pull
         WHERE repo = ?1 AND merge_commit IS NOT NULL AND head_fate = 'deleted' ORDER BY number",
    )?;
    let rows = query.query_map([Word(repo)], |row| Ok((row.number(0)?, row.word(1)?, row.word(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Nothing is left to delete.
pub(super) fn tidied(tx: &Tx<'_>, repo: &RepoName, pull: Number) -> Result<(), Trouble> {
    tx.quiet();
    tx.prepare_cached("UPDATE pull SET head_fate = 'kept' WHERE repo = ?1 AND number = ?2")?
        .execute(params![Word(repo), pull.0])?;
    Ok(())
}

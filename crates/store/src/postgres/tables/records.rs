//! What is written once for a repository and read as a whole: outcomes, journal lines, plans, epics. Each function is the same when
//! it is done twice.

use super::{leases::Held, training};
use crate::postgres::{
    columns::{Columns, Json, int, nanos, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::Number,
    journal::{self, JournalEntry},
    port::{EpicRecord, OutcomeRecord, PlanRecord, StoreError},
    text::RepoName,
    training::ended,
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// Records an outcome unless the pull request has one, and with it its point of training data.
pub(in crate::postgres) async fn add_outcome(
    tx: &Tx<'_>,
    held: &Held<'_>,
    outcome: &OutcomeRecord,
) -> Result<(), Stop> {
    held.covers(&outcome.repo)?;
    let added = tx
        .run(
        "INSERT INTO outcome (repo, pull, result, detail, resolution_hours, at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (repo, pull) DO NOTHING",
        &[
            &held.repo.as_str(),
            &int(outcome.pull.0),
            &word(&outcome.result)?,
            &word(&outcome.detail)?,
            &outcome.resolution_hours,
            &nanos(outcome.at),
        ],
    )
    .await?;
    if added > 0 {
        let point = ended(outcome);
        training::record(tx, &training::Batch::of(std::slice::from_ref(&point))).await?;
    }
    Ok(())
}

/// Outcomes of a repository, ascending by pull request.
pub(in crate::postgres) async fn outcomes(db: &Link, repo: &RepoName) -> Result<Vec<OutcomeRecord>, Stop> {
    let rows = db
        .rows(
            "SELECT pull, result, detail, resolution_hours, at FROM outcome WHERE repo = $1 ORDER BY pull",
            &[&repo.as_str()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(OutcomeRecord {
                repo: repo.clone(),
                pull: Number(row.uint(0)?),
                result: row.word(1, "outcome.result")?,
                detail: row.word(2, "outcome.detail")?,
                resolution_hours: row.col(3)?,
                at: row.time(4)?,
            })
        })
        .collect()
}

/// Writes a journal line unless the child has one.
pub(in crate::postgres) async fn add_line(
    tx: &Tx<'_>,
    held: &Held<'_>,
    entry: &JournalEntry,
) -> Result<(), Stop> {
    held.covers(&entry.repo)?;
    tx.run(
        "INSERT INTO journal (repo, child, entry) VALUES ($1, $2, $3) ON CONFLICT (repo, child) DO NOTHING",
        &[&held.repo.as_str(), &int(entry.child.0), &Json(entry)],
    )
    .await?;
    Ok(())
}

/// Journal lines of a repository in the order of writing; those of older versions in the form of the newest.
pub(in crate::postgres) async fn journal(db: &Link, repo: &RepoName) -> Result<Vec<JournalEntry>, Stop> {
    let rows = db.rows("SELECT entry FROM journal WHERE repo = $1 ORDER BY id", &[&repo.as_str()]).await?;
    let read = |row: &Row| -> Result<JournalEntry, Stop> {
        let line: serde_json::Value = row.json(0)?;
        journal::read_stored(&line.to_string()).map_err(|_| Stop::Shape("journal.entry"))
    };
    rows.iter().map(read).collect()
}

/// Stores a plan unless its key is there; the stored one.
pub(in crate::postgres) async fn add_plan(
    tx: &Tx<'_>,
    held: &Held<'_>,
    plan: &PlanRecord,
) -> Result<PlanRecord, Stop> {
    tx.run(
        "INSERT INTO plan (repo, key, plan, created_at, done_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (repo, key) DO NOTHING",
        &[
            &held.repo.as_str(),
            &plan.key,
            &Json(&plan.plan),
            &nanos(plan.created_at),
            &plan.done_at.map(nanos),
        ],
    )
    .await?;
    let stored = tx
        .one(
            "SELECT key, plan, created_at, done_at FROM plan WHERE repo = $1 AND key = $2",
            &[&held.repo.as_str(), &plan.key],
        )
        .await?;
    read_plan(&stored)
}

/// Marks a plan as carried out; the first time stays.
pub(in crate::postgres) async fn end_plan(
    tx: &Tx<'_>,
    held: &Held<'_>,
    key: &str,
    now: Timestamp,
) -> Result<(), Stop> {
    let marked = tx
        .run(
            "UPDATE plan SET done_at = coalesce(done_at, $3) WHERE repo = $1 AND key = $2",
            &[&held.repo.as_str(), &key, &nanos(now)],
        )
        .await?;
    if marked == 0 { Err(StoreError::Missing("plan").into()) } else { Ok(()) }
}

/// Plans of a repository, oldest first.
pub(in crate::postgres) async fn plans(db: &Link, repo: &RepoName) -> Result<Vec<PlanRecord>, Stop> {
    let rows = db
        .rows(
            "SELECT key, plan, created_at, done_at FROM plan WHERE repo = $1 ORDER BY id",
            &[&repo.as_str()],
        )
        .await?;
    rows.iter().map(read_plan).collect()
}

fn read_plan(row: &Row) -> Result<PlanRecord, Stop> {
    Ok(PlanRecord {
        key: row.col(0)?,
        plan: row.json(1)?,
        created_at: row.time(2)?,
        done_at: row.maybe_time(3)?,
    })
}

/// Takes an epic in; a second time changes nothing.
pub(in crate::postgres) async fn add_epic(
    tx: &Tx<'_>,
    held: &Held<'_>,
    epic: &EpicRecord,
) -> Result<(), Stop> {
    held.covers(&epic.repo)?;
    tx.run(
        "INSERT INTO epic (repo, number, branch, implementer, created_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (repo, number) DO NOTHING",
        &[
            &held.repo.as_str(),
            &int(epic.number.0),
            &epic.branch.as_str(),
            &epic.implementer.as_str(),
            &nanos(epic.created_at),
            &epic.ended_at.map(nanos),
        ],
    )
    .await?;
    Ok(())
}

/// Marks an epic as ended; the first time stays.
pub(in crate::postgres) async fn end_epic(
    tx: &Tx<'_>,
    held: &Held<'_>,
    epic: Number,
    now: Timestamp,
) -> Result<(), Stop> {
    let marked = tx
        .run(
            "UPDATE epic SET ended_at = coalesce(ended_at, $3) WHERE repo = $1 AND number = $2",
            &[&held.repo.as_str(), &int(epic.0), &nanos(now)],
        )
        .await?;
    if marked == 0 { Err(StoreError::Missing("epic").into()) } else { Ok(()) }
}

/// Epics of a repository, ascending.
pub(in crate::postgres) async fn epics(db: &Link, repo: &RepoName) -> Result<Vec<EpicRecord>, Stop> {
    let rows = db
        .rows(
            "SELECT number, branch, implementer, created_at, ended_at FROM epic WHERE repo = $1 ORDER BY number",
            &[&repo.as_str()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(EpicRecord {
                repo: repo.clone(),
                number: Number(row.uint(0)?),
                branch: row.word(1, "epic.branch")?,
                implementer: row.word(2, "epic.implementer")?,
                created_at: row.time(3)?,
                ended_at: row.maybe_time(4)?,
            })
        })
        .collect()
}

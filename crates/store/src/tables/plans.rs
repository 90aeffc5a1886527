//! Plans, stored before their first write (E10).

use super::{Stop, leases::Held};
use crate::sqlite::{Json, Nanos, Tx};
use banksman_core::{
    port::{PlanRecord, StoreError},
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

/// Stores a plan unless its key is there; the stored one.
pub(crate) fn add(tx: &Tx<'_>, held: &Held<'_>, plan: &PlanRecord) -> Result<PlanRecord, Stop> {
    let stored = tx
        .prepare_cached("SELECT key, plan, created_at, done_at FROM plan WHERE repo = ?1 AND key = ?2")?
        .query_row((held.repo.as_str(), &plan.key), read)
        .optional()?;
    if let Some(stored) = stored {
        return Ok(stored);
    }
    tx.prepare_cached("INSERT INTO plan (repo, key, plan, created_at, done_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((
            held.repo.as_str(),
            &plan.key,
            Json(&plan.plan),
            Nanos(plan.created_at),
            plan.done_at.map(Nanos),
        ))?;
    Ok(plan.clone())
}

/// Marks a plan as carried out; the first time stays.
pub(crate) fn done(tx: &Tx<'_>, held: &Held<'_>, key: &str, now: Timestamp) -> Result<(), Stop> {
    let marked = tx
        .prepare_cached("UPDATE plan SET done_at = coalesce(done_at, ?3) WHERE repo = ?1 AND key = ?2")?
        .execute((held.repo.as_str(), key, Nanos(now)))?;
    if marked == 0 { Err(StoreError::Missing("plan").into()) } else { Ok(()) }
}

/// All of a repository, oldest first.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<PlanRecord>, Stop> {
    let mut query =
        db.prepare_cached("SELECT key, plan, created_at, done_at FROM plan WHERE repo = ?1 ORDER BY id")?;
    let rows = query.query_map([repo.as_str()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PlanRecord> {
    Ok(PlanRecord {
        key: row.get(0)?,
        plan: row.get::<_, Json<_>>(1)?.0,
        created_at: row.get::<_, Nanos>(2)?.0,
        done_at: row.get::<_, Option<Nanos>>(3)?.map(|t| t.0),
    })
}

//! What dispatches cost: reserved with the intent, settled or released with its end (X4, I4).

use super::{Stop, leases::Held};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    intent::NewIntent,
    port::{LedgerEntry, LedgerState, Spend},
    text::RepoName,
};
use rusqlite::Connection;

/// Whether the cap leaves room for the spend. The caller reserves it in the same transaction.
pub(crate) fn has_room(tx: &Tx<'_>, held: &Held<'_>, spend: &Spend) -> Result<bool, Stop> {
    let Some(cap) = spend.cap else { return Ok(true) };
    let spent: u64 = tx
        .prepare_cached(
            "SELECT coalesce(sum(cost), 0) FROM ledger WHERE repo = ?1 AND at >= ?2 AND state <> 'released'",
        )?
        .query_row((held.repo.as_str(), Nanos(spend.window_start)), |row| row.get(0))?;
    Ok(spent + u64::from(spend.cost) <= u64::from(cap))
}

/// Reserves the spend of an intent, anew if it was released before.
pub(crate) fn reserve(
    tx: &Tx<'_>,
    held: &Held<'_>,
    id: i64,
    intent: &NewIntent,
    spend: &Spend,
) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT INTO ledger (intent, at, repo, issue, implementer, epic, cost, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'reserved')
         ON CONFLICT (intent) DO UPDATE SET at = excluded.at, implementer = excluded.implementer,
            epic = excluded.epic, cost = excluded.cost, state = excluded.state",
    )?
    .execute((
        id,
        Nanos(intent.at),
        held.repo.as_str(),
        intent.subject.0,
        spend.implementer.as_str(),
        spend.epic.0,
        spend.cost,
    ))?;
    Ok(())
}

/// Moves the reserved spend of an intent, if it has one, to its end.
pub(crate) fn end(tx: &Tx<'_>, id: i64, state: LedgerState) -> Result<(), Stop> {
    tx.prepare_cached("UPDATE ledger SET state = ?2 WHERE intent = ?1 AND state = 'reserved'")?
        .execute((id, Word(state)))?;
    Ok(())
}

/// All of a repository, oldest first.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<LedgerEntry>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT at, issue, implementer, epic, cost, state FROM ledger WHERE repo = ?1 ORDER BY at, intent",
    )?;
    let rows = query.query_map([repo.as_str()], |row| {
        Ok(LedgerEntry {
            at: row.get::<_, Nanos>(0)?.0,
            repo: repo.clone(),
            issue: Number(row.get(1)?),
            implementer: row.get::<_, Word<_>>(2)?.0,
            epic: Number(row.get(3)?),
            cost: row.get(4)?,
            state: row.get::<_, Word<_>>(5)?.0,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

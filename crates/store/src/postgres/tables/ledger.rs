//! What dispatches cost: reserved with the intent, settled or released with its end (X4, I4).

use super::leases::Held;
use crate::postgres::{
    columns::{Columns, int, nanos, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::Number,
    intent::NewIntent,
    port::{LedgerEntry, LedgerState, Spend},
    text::RepoName,
};

/// Whether the cap leaves room for the spend. The caller reserves it in the same transaction, which holds the lease's row: nobody
/// else reserves for the repository meanwhile.
pub(in crate::postgres) async fn has_room(tx: &Tx<'_>, held: &Held<'_>, spend: &Spend) -> Result<bool, Stop> {
    let Some(cap) = spend.cap else { return Ok(true) };
    let row = tx
        .one(
            "SELECT coalesce(sum(cost), 0)::bigint FROM ledger WHERE repo = $1 AND at >= $2 AND state <> 'released'",
            &[&held.repo.as_str(), &nanos(spend.window_start)],
        )
        .await?;
    Ok(row.uint(0)? + u64::from(spend.cost) <= u64::from(cap))
}

/// Reserves the spend of an intent, anew if it was released before.
pub(in crate::postgres) async fn reserve(
    tx: &Tx<'_>,
    held: &Held<'_>,
    id: i64,
    intent: &NewIntent,
    spend: &Spend,
) -> Result<(), Stop> {
    tx.run(
        "INSERT INTO ledger (intent, at, repo, issue, implementer, epic, cost, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'reserved')
         ON CONFLICT (intent) DO UPDATE SET at = excluded.at, implementer = excluded.implementer,
            epic = excluded.epic, cost = excluded.cost, state = excluded.state",
        &[
            &id,
            &nanos(intent.at),
            &held.repo.as_str(),
            &int(intent.subject.0),
            &spend.implementer.as_str(),
            &int(spend.epic.0),
            &i64::from(spend.cost),
        ],
    )
    .await?;
    Ok(())
}

/// Moves the reserved spend of an intent, if it has one, to its end.
pub(in crate::postgres) async fn end(tx: &Tx<'_>, id: i64, state: LedgerState) -> Result<(), Stop> {
    tx.run("UPDATE ledger SET state = $2 WHERE intent = $1 AND state = 'reserved'", &[&id, &word(&state)?])
        .await?;
    Ok(())
}

/// All of a repository, oldest first.
pub(in crate::postgres) async fn of(db: &Link, repo: &RepoName) -> Result<Vec<LedgerEntry>, Stop> {
    let rows = db
        .rows(
            "SELECT at, issue, implementer, epic, cost, state FROM ledger WHERE repo = $1 ORDER BY at, intent",
            &[&repo.as_str()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(LedgerEntry {
                at: row.time(0)?,
                repo: repo.clone(),
                issue: Number(row.uint(1)?),
                implementer: row.word(2, "ledger.implementer")?,
                epic: Number(row.uint(3)?),
                cost: u32::try_from(row.uint(4)?).map_err(|_| Stop::Shape("ledger.cost"))?,
                state: row.word(5, "ledger.state")?,
            })
        })
        .collect()
}

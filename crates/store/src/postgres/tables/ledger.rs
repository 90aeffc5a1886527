//! What dispatches cost: reserved with the intent, settled or released with its end (X4, I4). Lines under keys of their own are those of
//! `spends`.

use super::{leases::Held, pools};
use crate::postgres::{
    columns::{Columns, int, nanos, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    budget::Held as HeldBack,
    id::Number,
    intent::NewIntent,
    port::{LedgerEntry, LedgerState, Spend, StoreError},
    text::{MemberName, ProviderName, RepoName},
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// What the cap and the budget say to a spend.
pub(in crate::postgres) enum Room {
    /// It may be reserved, on this account and as of this time.
    Yes(Place),
    /// The repository's cap is reached.
    OverCap,
    /// The budget has to wait.
    OverBudget(HeldBack),
}

/// Where a line counts.
pub(in crate::postgres) struct Place {
    provider: ProviderName,
    member: Option<MemberName>,
    counted_at: Timestamp,
}

/// Whether cap, quotas and plan leave room for the spend. The caller reserves it in the same transaction, which holds the lease's row, and
/// from here on the locks of the pool and of the repository's share: nobody else reserves there meanwhile.
pub(in crate::postgres) async fn room(
    tx: &Tx<'_>,
    held: &Held<'_>,
    spend: &Spend,
    at: Timestamp,
) -> Result<Room, Stop> {
    if let Some(cap) = spend.cap {
        let spent = spent_since(tx, held.repo, spend.window_start).await?;
        if spent + u64::from(spend.cost) > u64::from(cap) {
            return Ok(Room::OverCap);
        }
    }
    if let Some(charge) = &spend.charge {
        pools::lock_pool(tx, &charge.provider).await?;
    }
    if let Some(day) = &spend.day
        && let Some(why) = pools::plan_holds(tx, held.repo, day, spend.cost).await?
    {
        return Ok(Room::OverBudget(why));
    }
    let Some(charge) = &spend.charge else {
        // Both are words of at most 40 characters.
        let provider = ProviderName::new(spend.implementer.as_str())
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        return Ok(Room::Yes(Place { provider, member: None, counted_at: at }));
    };
    match charge.choose(&pools::usage(tx, charge).await?) {
        Ok(member) => Ok(Room::Yes(Place {
            provider: charge.provider.clone(),
            member: Some(member.clone()),
            counted_at: pools::counted_at(tx, charge, at).await?,
        })),
        Err(why) => Ok(Room::OverBudget(why)),
    }
}

/// Tasks of a repository since a time.
async fn spent_since(tx: &Tx<'_>, repo: &RepoName, since: Timestamp) -> Result<u64, Stop> {
    tx.one(
        "SELECT coalesce(sum(cost), 0)::bigint FROM ledger WHERE repo = $1 AND at >= $2 AND state <> 'released'",
        &[&repo.as_str(), &nanos(since)],
    )
    .await?
    .uint(0)
}

/// Reserves the spend of an intent, anew if it was released before.
pub(in crate::postgres) async fn reserve(
    tx: &Tx<'_>,
    held: &Held<'_>,
    id: i64,
    intent: &NewIntent,
    spend: &Spend,
    place: &Place,
) -> Result<(), Stop> {
    let cost = spend.charge.as_ref().map(|charge| charge.cost).unwrap_or_default();
    tx.run(
        "INSERT INTO ledger
            (intent, at, counted_at, repo, issue, implementer, epic, provider, member, cost, money, tokens, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'reserved')
         ON CONFLICT (intent) DO UPDATE SET at = excluded.at, counted_at = excluded.counted_at,
            implementer = excluded.implementer, epic = excluded.epic, provider = excluded.provider,
            member = excluded.member, cost = excluded.cost, money = excluded.money, tokens = excluded.tokens,
            state = excluded.state",
        &[
            &id,
            &nanos(intent.at),
            &nanos(place.counted_at),
            &held.repo.as_str(),
            &int(intent.subject.0),
            &spend.implementer.as_str(),
            &int(spend.epic.0),
            &place.provider.as_str(),
            &place.member.as_ref().map(MemberName::as_str),
            &i64::from(spend.cost),
            &int(cost.money),
            &int(cost.tokens),
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

/// What every query of the ledger selects, in the order that [`read`] expects.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT at, repo, issue, implementer, epic, cost, money, tokens, provider, member, state, key, holder FROM ledger ",
            $rest
        )
    };
}
pub(super) use select;

/// All of a repository, oldest first.
pub(in crate::postgres) async fn of(db: &Link, repo: &RepoName) -> Result<Vec<LedgerEntry>, Stop> {
    let rows = db.rows(select!("WHERE repo = $1 ORDER BY at, id"), &[&repo.as_str()]).await?;
    rows.iter().map(read).collect()
}

/// One line.
pub(super) fn read(row: &Row) -> Result<LedgerEntry, Stop> {
    let counted = |amount: u64| (amount > 0).then_some(amount);
    Ok(LedgerEntry {
        at: row.time(0)?,
        repo: row.word(1, "ledger.repo")?,
        issue: Number(row.uint(2)?),
        implementer: row.word(3, "ledger.implementer")?,
        epic: row.col::<Option<i64>>(4)?.map(|epic| Number(epic.unsigned_abs())),
        cost: u32::try_from(row.uint(5)?).map_err(|_| Stop::Shape("ledger.cost"))?,
        money: counted(row.uint(6)?),
        tokens: counted(row.uint(7)?),
        provider: row.word(8, "ledger.provider")?,
        member: row.maybe_word(9, "ledger.member")?,
        state: row.word(10, "ledger.state")?,
    })
}

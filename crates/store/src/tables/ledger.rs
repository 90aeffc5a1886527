//! What dispatches cost: reserved with the intent, settled or released with its end (X4, I4). Lines under keys of their own are those of
//! `spends`.

use super::{Stop, leases::Held, pools};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    budget::Held as HeldBack,
    id::Number,
    intent::NewIntent,
    port::{LedgerEntry, LedgerState, Spend},
    text::{EngineName, MemberName, ProviderName, RepoName},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row};

/// What the cap and the budget say to a spend.
pub(crate) enum Room {
    /// It may be reserved, on this account and as of this time.
    Yes(Place),
    /// The repository's cap is reached.
    OverCap,
    /// The budget has to wait.
    OverBudget(HeldBack),
}

/// Where a line counts.
pub(crate) struct Place {
    pub(crate) provider: ProviderName,
    pub(crate) member: Option<MemberName>,
    pub(crate) counted_at: Timestamp,
}

/// The pool of an implementer that no team names.
pub(crate) fn own_pool(implementer: &EngineName) -> Result<ProviderName, Stop> {
    // Both are words of at most 40 characters.
    ProviderName::new(implementer.as_str())
        .map_err(|error| banksman_core::port::StoreError::Failed(error.to_string()).into())
}

/// Whether cap, quotas and plan leave room for the spend. The caller reserves it in the same transaction.
pub(crate) fn room(tx: &Tx<'_>, held: &Held<'_>, spend: &Spend, at: Timestamp) -> Result<Room, Stop> {
    if let Some(cap) = spend.cap {
        let spent = spent_since(tx, held.repo, spend.window_start)?;
        if spent + u64::from(spend.cost) > u64::from(cap) {
            return Ok(Room::OverCap);
        }
    }
    if let Some(day) = &spend.day
        && let Some(why) = pools::plan_holds(tx, held.repo, day, spend.cost)?
    {
        return Ok(Room::OverBudget(why));
    }
    let Some(charge) = &spend.charge else {
        let provider = own_pool(&spend.implementer)?;
        return Ok(Room::Yes(Place { provider, member: None, counted_at: at }));
    };
    match charge.choose(&pools::usage(tx, charge)?) {
        Ok(member) => Ok(Room::Yes(Place {
            provider: charge.provider.clone(),
            member: Some(member.clone()),
            counted_at: pools::counted_at(tx, charge, at)?,
        })),
        Err(why) => Ok(Room::OverBudget(why)),
    }
}

/// Tasks of a repository since a time.
fn spent_since(tx: &Tx<'_>, repo: &RepoName, since: Timestamp) -> Result<u64, Stop> {
    Ok(tx
        .prepare_cached(
            "SELECT coalesce(sum(cost), 0) FROM ledger WHERE repo = ?1 AND at >= ?2 AND state <> 'released'",
        )?
        .query_row((repo.as_str(), Nanos(since)), |row| row.get(0))?)
}

/// Reserves the spend of an intent, anew if it was released before.
pub(crate) fn reserve(
    tx: &Tx<'_>,
    held: &Held<'_>,
    id: i64,
    intent: &NewIntent,
    spend: &Spend,
    place: &Place,
) -> Result<(), Stop> {
    let cost = spend.charge.as_ref().map(|charge| charge.cost).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO ledger
            (intent, at, counted_at, repo, issue, implementer, epic, provider, member, cost, money, tokens, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'reserved')
         ON CONFLICT (intent) DO UPDATE SET at = excluded.at, counted_at = excluded.counted_at,
            implementer = excluded.implementer, epic = excluded.epic, provider = excluded.provider,
            member = excluded.member, cost = excluded.cost, money = excluded.money, tokens = excluded.tokens,
            state = excluded.state",
    )?
    .execute((
        id,
        Nanos(intent.at),
        Nanos(place.counted_at),
        held.repo.as_str(),
        intent.subject.0,
        spend.implementer.as_str(),
        spend.epic.0,
        place.provider.as_str(),
        place.member.as_ref().map(MemberName::as_str),
        spend.cost,
        cost.money,
        cost.tokens,
    ))?;
    Ok(())
}

/// Moves the reserved spend of an intent, if it has one, to its end.
pub(crate) fn end(tx: &Tx<'_>, id: i64, state: LedgerState) -> Result<(), Stop> {
    tx.prepare_cached("UPDATE ledger SET state = ?2 WHERE intent = ?1 AND state = 'reserved'")?
        .execute((id, Word(state)))?;
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
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<LedgerEntry>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE repo = ?1 ORDER BY at, id"))?;
    let rows = query.query_map([repo.as_str()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One line.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    let counted = |amount: u64| (amount > 0).then_some(amount);
    Ok(LedgerEntry {
        at: row.get::<_, Nanos>(0)?.0,
        repo: row.get::<_, Word<_>>(1)?.0,
        issue: Number(row.get(2)?),
        implementer: row.get::<_, Word<_>>(3)?.0,
        epic: row.get::<_, Option<u64>>(4)?.map(Number),
        cost: row.get(5)?,
        money: counted(row.get(6)?),
        tokens: counted(row.get(7)?),
        provider: row.get::<_, Word<_>>(8)?.0,
        member: row.get::<_, Option<Word<_>>>(9)?.map(|word| word.0),
        state: row.get::<_, Word<_>>(10)?.0,
    })
}

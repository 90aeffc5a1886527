//! Lines of the ledger under keys of their own: reservations that are no dispatch of the pipeline, and lines written by hand (B3, B4).

use super::{Stop, ledger, pools};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    budget::{
        Cost,
        reservation::{End, next},
    },
    port::{
        LedgerEntry, LedgerState, StoreError,
        budget::{NewLedgerLine, OpenSpend, SpendReserved, SpendWish},
    },
    text::MemberName,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// Reserves, or says why not.
pub(crate) fn reserve(tx: &Tx<'_>, wish: &SpendWish) -> Result<SpendReserved, Stop> {
    if let Some((_, state)) = find(tx, &wish.key)? {
        return Ok(SpendReserved::Known(state));
    }
    if let Some(day) = &wish.day
        && let Some(why) = pools::plan_holds(tx, &wish.repo, day, wish.charge.cost.tasks)?
    {
        return Ok(SpendReserved::Held(why));
    }
    let member = match wish.charge.choose(&pools::usage(tx, &wish.charge)?) {
        Ok(member) => member.clone(),
        Err(why) => return Ok(SpendReserved::Held(why)),
    };
    let counted_at = pools::counted_at(tx, &wish.charge, wish.at)?;
    let cost = wish.charge.cost;
    tx.prepare_cached(
        "INSERT INTO ledger (key, holder, at, counted_at, repo, issue, implementer, epic, provider, member,
            cost, money, tokens, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'reserved')",
    )?
    .execute((
        &wish.key,
        wish.holder.as_str(),
        Nanos(wish.at),
        Nanos(counted_at),
        wish.repo.as_str(),
        wish.issue.0,
        wish.implementer.as_str(),
        wish.epic.map(|epic| epic.0),
        wish.charge.provider.as_str(),
        member.as_str(),
        cost.tasks,
        cost.money,
        cost.tokens,
    ))?;
    Ok(SpendReserved::New(member))
}

fn find(db: &Connection, key: &str) -> Result<Option<(i64, LedgerState)>, Stop> {
    Ok(db
        .prepare_cached("SELECT id, state FROM ledger WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get::<_, Word<_>>(1)?.0)))
        .optional()?)
}

/// Settles or releases, by key.
pub(crate) fn end(tx: &Tx<'_>, key: &str, end: End, cost: Option<Cost>) -> Result<(), Stop> {
    let (id, state) = find(tx, key)?.ok_or(StoreError::Missing("reservation"))?;
    let ended = next(state, end).map_err(|_| StoreError::Missing("open reservation"))?;
    if ended == state {
        return Ok(());
    }
    tx.prepare_cached("UPDATE ledger SET state = ?2 WHERE id = ?1")?.execute((id, Word(ended)))?;
    match cost {
        Some(cost) => correct(tx, id, cost),
        None => Ok(()),
    }
}

/// Writes down what it cost in the end.
fn correct(tx: &Tx<'_>, id: i64, cost: Cost) -> Result<(), Stop> {
    tx.prepare_cached("UPDATE ledger SET cost = ?2, money = ?3, tokens = ?4 WHERE id = ?1")?.execute((
        id,
        cost.tasks,
        cost.money,
        cost.tokens,
    ))?;
    Ok(())
}

/// Open ones under keys, oldest first.
pub(crate) fn open(db: &Connection) -> Result<Vec<OpenSpend>, Stop> {
    let mut query =
        db.prepare_cached(ledger::select!("WHERE state = 'reserved' AND key IS NOT NULL ORDER BY id"))?;
    let rows = query.query_map([], |row| {
        Ok(OpenSpend { key: row.get(11)?, holder: row.get::<_, Word<_>>(12)?.0, entry: ledger::read(row)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Appends a line unless its key is there.
pub(crate) fn append(tx: &Tx<'_>, line: &NewLedgerLine) -> Result<u64, Stop> {
    let added = tx
        .prepare_cached(
            "INSERT INTO ledger (key, at, counted_at, repo, issue, implementer, epic, provider, member,
                cost, money, tokens, state)
             VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'settled') ON CONFLICT (key) DO NOTHING",
        )?
        .execute((
            &line.key,
            Nanos(line.at),
            line.repo.as_str(),
            line.issue.0,
            line.implementer.as_str(),
            line.epic.map(|epic| epic.0),
            line.provider.as_str(),
            line.member.as_ref().map(MemberName::as_str),
            line.cost.tasks,
            line.cost.money,
            line.cost.tokens,
        ))?;
    Ok(added as u64)
}

/// The ledger of all repositories in a time, oldest first, without what was released.
pub(crate) fn between(db: &Connection, since: Timestamp, until: Timestamp) -> Result<Vec<LedgerEntry>, Stop> {
    let mut query = db.prepare_cached(ledger::select!(
        "WHERE at >= ?1 AND at < ?2 AND state <> 'released' ORDER BY at, id"
    ))?;
    let rows = query.query_map((Nanos(since), Nanos(until)), ledger::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

//! Lines of the ledger under keys of their own: reservations that are no dispatch of the pipeline, and lines written by hand (B3, B4).

use super::{ledger, pools};
use crate::postgres::{
    columns::{Columns, int, nanos, word},
    error::Stop,
    link::{Link, Tx},
    trial::Try,
};
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

/// Reserves, or says why not. When an answer was lost, a reservation that stands there as this call would have written it is taken for its
/// own.
pub(in crate::postgres) async fn reserve(
    tx: &Tx<'_>,
    wish: &SpendWish,
    which: Try,
) -> Result<SpendReserved, Stop> {
    pools::lock_pool(tx, &wish.charge.provider).await?;
    let known = tx.maybe("SELECT state, at, holder, member FROM ledger WHERE key = $1", &[&wish.key]).await?;
    if let Some(row) = known {
        let state: LedgerState = row.word(0, "ledger.state")?;
        let same = nanos(row.time(1)?) == nanos(wish.at)
            && row.col::<Option<String>>(2)?.as_deref() == Some(wish.holder.as_str());
        return Ok(match row.maybe_word::<MemberName>(3, "ledger.member")? {
            Some(member) if which == Try::Again && same && state == LedgerState::Reserved => {
                SpendReserved::New(member)
            }
            _ => SpendReserved::Known(state),
        });
    }
    if let Some(day) = &wish.day
        && let Some(why) = pools::plan_holds(tx, &wish.repo, day, wish.charge.cost.tasks).await?
    {
        return Ok(SpendReserved::Held(why));
    }
    let member = match wish.charge.choose(&pools::usage(tx, &wish.charge).await?) {
        Ok(member) => member.clone(),
        Err(why) => return Ok(SpendReserved::Held(why)),
    };
    let counted_at = pools::counted_at(tx, &wish.charge, wish.at).await?;
    let cost = wish.charge.cost;
    tx.run(
        "INSERT INTO ledger (key, holder, at, counted_at, repo, issue, implementer, epic, provider, member,
            cost, money, tokens, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'reserved')",
        &[
            &wish.key,
            &wish.holder.as_str(),
            &nanos(wish.at),
            &nanos(counted_at),
            &wish.repo.as_str(),
            &int(wish.issue.0),
            &wish.implementer.as_str(),
            &wish.epic.map(|epic| int(epic.0)),
            &wish.charge.provider.as_str(),
            &member.as_str(),
            &i64::from(cost.tasks),
            &int(cost.money),
            &int(cost.tokens),
        ],
    )
    .await?;
    Ok(SpendReserved::New(member))
}

/// Settles or releases, by key.
pub(in crate::postgres) async fn end(
    tx: &Tx<'_>,
    key: &str,
    end: End,
    cost: Option<Cost>,
) -> Result<(), Stop> {
    let row = tx
        .maybe("SELECT id, state FROM ledger WHERE key = $1 FOR UPDATE", &[&key])
        .await?
        .ok_or(StoreError::Missing("reservation"))?;
    let (id, state): (i64, LedgerState) = (row.col(0)?, row.word(1, "ledger.state")?);
    let ended = next(state, end).map_err(|_| StoreError::Missing("open reservation"))?;
    if ended == state {
        return Ok(());
    }
    tx.run("UPDATE ledger SET state = $2 WHERE id = $1", &[&id, &word(&ended)?]).await?;
    match cost {
        Some(cost) => correct(tx, id, cost).await,
        None => Ok(()),
    }
}

/// Writes down what it cost in the end.
async fn correct(tx: &Tx<'_>, id: i64, cost: Cost) -> Result<(), Stop> {
    tx.run(
        "UPDATE ledger SET cost = $2, money = $3, tokens = $4 WHERE id = $1",
        &[&id, &i64::from(cost.tasks), &int(cost.money), &int(cost.tokens)],
    )
    .await?;
    Ok(())
}

/// Open ones under keys, oldest first.
pub(in crate::postgres) async fn open(db: &Link) -> Result<Vec<OpenSpend>, Stop> {
    let rows =
        db.rows(ledger::select!("WHERE state = 'reserved' AND key IS NOT NULL ORDER BY id"), &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenSpend {
                key: row.col(11)?,
                holder: row.word(12, "ledger.holder")?,
                entry: ledger::read(row)?,
            })
        })
        .collect()
}

/// Appends lines unless their keys are there; how many were new.
pub(in crate::postgres) async fn append(tx: &Tx<'_>, lines: &[NewLedgerLine]) -> Result<u64, Stop> {
    let mut added = 0;
    for line in lines {
        added += tx
            .run(
                "INSERT INTO ledger (key, at, counted_at, repo, issue, implementer, epic, provider, member,
                    cost, money, tokens, state)
                 VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'settled') ON CONFLICT (key) DO NOTHING",
                &[
                    &line.key,
                    &nanos(line.at),
                    &line.repo.as_str(),
                    &int(line.issue.0),
                    &line.implementer.as_str(),
                    &line.epic.map(|epic| int(epic.0)),
                    &line.provider.as_str(),
                    &line.member.as_ref().map(MemberName::as_str),
                    &i64::from(line.cost.tasks),
                    &int(line.cost.money),
                    &int(line.cost.tokens),
                ],
            )
            .await?;
    }
    Ok(added)
}

/// The ledger of all repositories in a time, oldest first, without what was released.
pub(in crate::postgres) async fn between(
    db: &Link,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<LedgerEntry>, Stop> {
    let rows = db
        .rows(
            ledger::select!("WHERE at >= $1 AND at < $2 AND state <> 'released' ORDER BY at, id"),
            &[&nanos(since), &nanos(until)],
        )
        .await?;
    rows.iter().map(ledger::read).collect()
}

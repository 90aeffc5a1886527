//! What is counted of a pool, and the plan of a day: what a reservation asks before it is made (B4, B7).

use super::Stop;
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    budget::{Charge, Cost, Held, Limit, PlanDay, Span, Usage},
    port::budget::{MemberUse, Shares},
    text::{MemberName, ProviderName, RepoName},
};
use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OptionalExtension};

/// What is counted for each limit of a charge.
pub(crate) fn usage(db: &Connection, charge: &Charge) -> Result<Usage, Stop> {
    let members: Vec<&MemberName> = charge.accounts.iter().map(|account| &account.member).collect();
    let mut usage = Usage::default();
    for account in &charge.accounts {
        let (mut used, mut strays) = (Vec::new(), Vec::new());
        for limit in &account.limits {
            used.push(of_member(db, &charge.provider, &account.member, limit)?);
            strays.push(of_nobody(db, &charge.provider, &members, limit)?);
        }
        usage.used.push(used);
        usage.strays.push(strays);
    }
    Ok(usage)
}

/// What a member has used under a limit.
fn of_member(
    db: &Connection,
    provider: &ProviderName,
    member: &MemberName,
    limit: &Limit,
) -> Result<u64, Stop> {
    Ok(db
        .prepare_cached(
            "SELECT coalesce(sum(CASE ?2 WHEN 'tasks' THEN cost WHEN 'money' THEN money ELSE tokens END), 0)
             FROM ledger
             WHERE provider = ?1 AND counted_at >= ?3 AND counted_at < ?4 AND state <> 'released' AND member = ?5",
        )?
        .query_row(
            (
                provider.as_str(),
                Word(limit.unit),
                Nanos(limit.span.start),
                Nanos(limit.span.counted_until()),
                member.as_str(),
            ),
            |row| row.get(0),
        )?)
}

/// What was used in the window of a limit on the account of none of these members.
fn of_nobody(
    db: &Connection,
    provider: &ProviderName,
    members: &[&MemberName],
    limit: &Limit,
) -> Result<u64, Stop> {
    Ok(db
        .prepare_cached(
            "SELECT coalesce(sum(CASE ?2 WHEN 'tasks' THEN cost WHEN 'money' THEN money ELSE tokens END), 0)
             FROM ledger
             WHERE provider = ?1 AND counted_at >= ?3 AND counted_at < ?4 AND state <> 'released'
                AND (member IS NULL OR member NOT IN (SELECT value FROM json_each(?5)))",
        )?
        .query_row(
            (
                provider.as_str(),
                Word(limit.unit),
                Nanos(limit.span.start),
                Nanos(limit.span.counted_until()),
                Json(members),
            ),
            |row| row.get(0),
        )?)
}

/// The time as of which a new line counts: never before a line of its pool, so that a clock that was put back over a reset spends nothing
/// twice. What is dated beyond the next window was written by a clock that was wrong altogether, and pulls nothing along.
pub(crate) fn counted_at(tx: &Tx<'_>, charge: &Charge, at: Timestamp) -> Result<Timestamp, Stop> {
    let limits = charge.accounts.iter().flat_map(|account| &account.limits);
    let Some(horizon) = limits.map(|limit| limit.span.counted_until()).min() else { return Ok(at) };
    let newest: Option<Nanos> = tx
        .prepare_cached("SELECT max(counted_at) FROM ledger WHERE provider = ?1 AND counted_at < ?2")?
        .query_row((charge.provider.as_str(), Nanos(horizon)), |row| row.get(0))?;
    Ok(newest.map_or(at, |Nanos(newest)| newest.max(at)))
}

/// Why the plan of the day does not give a repository so many tasks more; `None`: it does, or there is no plan.
pub(crate) fn plan_holds(
    tx: &Tx<'_>,
    repo: &RepoName,
    day: &PlanDay,
    tasks: u32,
) -> Result<Option<Held>, Stop> {
    let Some(shares) = allocation(tx, day.date)? else { return Ok(None) };
    let share = shares.get(repo).copied().unwrap_or_default();
    let used: u64 = tx
        .prepare_cached(
            "SELECT coalesce(sum(cost), 0) FROM ledger
             WHERE repo = ?1 AND counted_at >= ?2 AND counted_at < ?3 AND state <> 'released'",
        )?
        .query_row((repo.as_str(), Nanos(day.span.start), Nanos(day.span.counted_until())), |row| {
            row.get(0)
        })?;
    let fits = used + u64::from(tasks) <= u64::from(share);
    Ok((!fits).then_some(Held::Plan { until: day.span.end }))
}

/// The plan of a day.
pub(crate) fn allocation(db: &Connection, day: Date) -> Result<Option<Shares>, Stop> {
    Ok(db
        .prepare_cached("SELECT shares FROM allocation WHERE day = ?1")?
        .query_row([day.to_string()], |row| Ok(row.get::<_, Json<Shares>>(0)?.0))
        .optional()?)
}

/// Puts the plan of a day in force.
pub(crate) fn set_allocation(tx: &Tx<'_>, day: Date, shares: &Shares, at: Timestamp) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT INTO allocation (day, shares, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (day) DO UPDATE SET shares = excluded.shares, at = excluded.at",
    )?
    .execute((day.to_string(), Json(shares), Nanos(at)))?;
    Ok(())
}

/// What each member used of a provider in a span.
pub(crate) fn used(db: &Connection, provider: &ProviderName, span: Span) -> Result<Vec<MemberUse>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT member,
            sum(cost) FILTER (WHERE state = 'reserved'), sum(money) FILTER (WHERE state = 'reserved'),
            sum(tokens) FILTER (WHERE state = 'reserved'),
            sum(cost) FILTER (WHERE state = 'settled'), sum(money) FILTER (WHERE state = 'settled'),
            sum(tokens) FILTER (WHERE state = 'settled')
         FROM ledger WHERE provider = ?1 AND counted_at >= ?2 AND counted_at < ?3 AND state <> 'released'
         GROUP BY member ORDER BY member",
    )?;
    let rows =
        query.query_map((provider.as_str(), Nanos(span.start), Nanos(span.counted_until())), |row| {
            let cost = |first: usize| {
                Ok::<_, rusqlite::Error>(Cost {
                    tasks: row.get::<_, Option<u32>>(first)?.unwrap_or_default(),
                    money: row.get::<_, Option<u64>>(first + 1)?.unwrap_or_default(),
                    tokens: row.get::<_, Option<u64>>(first + 2)?.unwrap_or_default(),
                })
            };
            Ok(MemberUse {
                member: row.get::<_, Option<Word<MemberName>>>(0)?.map(|word| word.0),
                reserved: cost(1)?,
                settled: cost(4)?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

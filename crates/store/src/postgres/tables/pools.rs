//! What is counted of a pool, and the plan of a day: what a reservation asks before it is made (B4, B7).

use crate::postgres::{
    columns::{Columns, Json, nanos, time, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    budget::{Charge, Cost, Held, PlanDay, Span, Usage},
    port::budget::{MemberUse, Shares},
    text::{MemberName, ProviderName, RepoName},
};
use jiff::{Timestamp, civil::Date};

/// Numbers of the advisory locks, one kind each; the other half is the name.
const POOL: i32 = 0x626b_7332;
const SHARE: i32 = 0x626b_7333;

/// Holds a pool until the transaction ends: reservations on it come one by one, across all processes. Taken before anything of the pool is
/// read, and before the lock of a share, so that nobody waits in a circle.
pub(in crate::postgres) async fn lock_pool(tx: &Tx<'_>, provider: &ProviderName) -> Result<(), Stop> {
    tx.run(
        "SELECT pg_advisory_xact_lock($1, hashtext(current_schema() || '/' || $2::text))",
        &[&POOL, &provider.as_str()],
    )
    .await?;
    Ok(())
}

/// Holds the share of a repository until the transaction ends.
async fn lock_share(tx: &Tx<'_>, repo: &RepoName) -> Result<(), Stop> {
    tx.run(
        "SELECT pg_advisory_xact_lock($1, hashtext(current_schema() || '/' || $2::text))",
        &[&SHARE, &repo.as_str()],
    )
    .await?;
    Ok(())
}

/// What is counted for each limit of a charge, in one statement.
pub(in crate::postgres) async fn usage(db: &Link, charge: &Charge) -> Result<Usage, Stop> {
    let members: Vec<&str> = charge.accounts.iter().map(|account| account.member.as_str()).collect();
    let (mut of, mut units, mut since, mut until) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for account in &charge.accounts {
        for limit in &account.limits {
            of.push(account.member.as_str());
            units.push(word(&limit.unit)?);
            since.push(nanos(limit.span.start));
            until.push(nanos(limit.span.counted_until()));
        }
    }
    let rows = db
        .rows(
            "SELECT coalesce(sum(v.amount) FILTER (WHERE l.member = q.member), 0)::bigint,
                coalesce(sum(v.amount) FILTER (WHERE l.member IS NULL OR l.member <> ALL ($2)), 0)::bigint
             FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[]) WITH ORDINALITY
                AS q (member, unit, since, until, place)
             LEFT JOIN ledger l ON l.provider = $1 AND l.counted_at >= q.since AND l.counted_at < q.until
                AND l.state <> 'released'
             CROSS JOIN LATERAL (SELECT CASE q.unit WHEN 'tasks' THEN l.cost WHEN 'money' THEN l.money
                ELSE l.tokens END AS amount) v
             GROUP BY q.place ORDER BY q.place",
            &[&charge.provider.as_str(), &members, &of, &units, &since, &until],
        )
        .await?;
    let mut rows = rows.iter();
    let mut usage = Usage::default();
    for account in &charge.accounts {
        let (mut used, mut strays) = (Vec::new(), Vec::new());
        for _ in &account.limits {
            let row = rows.next().ok_or(Stop::Shape("a row for each limit"))?;
            used.push(row.uint(0)?);
            strays.push(row.uint(1)?);
        }
        usage.used.push(used);
        usage.strays.push(strays);
    }
    Ok(usage)
}

/// The time as of which a new line counts: never before a line of its pool, so that a clock that was put back over a reset spends nothing
/// twice. What is dated beyond the next window was written by a clock that was wrong altogether, and pulls nothing along.
pub(in crate::postgres) async fn counted_at(
    tx: &Tx<'_>,
    charge: &Charge,
    at: Timestamp,
) -> Result<Timestamp, Stop> {
    let limits = charge.accounts.iter().flat_map(|account| &account.limits);
    let Some(horizon) = limits.map(|limit| limit.span.counted_until()).min() else { return Ok(at) };
    let newest: Option<i64> = tx
        .one(
            "SELECT max(counted_at) FROM ledger WHERE provider = $1 AND counted_at < $2",
            &[&charge.provider.as_str(), &nanos(horizon)],
        )
        .await?
        .col(0)?;
    Ok(newest.map_or(at, |newest| time(newest).max(at)))
}

/// Why the plan of the day does not give a repository so many tasks more; `None`: it does, or there is no plan. Holds the repository's share
/// until the transaction ends.
pub(in crate::postgres) async fn plan_holds(
    tx: &Tx<'_>,
    repo: &RepoName,
    day: &PlanDay,
    tasks: u32,
) -> Result<Option<Held>, Stop> {
    if allocation(tx, day.date).await?.is_none() {
        return Ok(None);
    }
    lock_share(tx, repo).await?;
    // The plan as it is now that nobody else reserves for the repository.
    let Some(shares) = allocation(tx, day.date).await? else { return Ok(None) };
    let share = shares.get(repo).copied().unwrap_or_default();
    let used = tx
        .one(
            "SELECT coalesce(sum(cost), 0)::bigint FROM ledger
             WHERE repo = $1 AND counted_at >= $2 AND counted_at < $3 AND state <> 'released'",
            &[&repo.as_str(), &nanos(day.span.start), &nanos(day.span.counted_until())],
        )
        .await?
        .uint(0)?;
    let fits = used + u64::from(tasks) <= u64::from(share);
    Ok((!fits).then_some(Held::Plan { until: day.span.end }))
}

/// The plan of a day.
pub(in crate::postgres) async fn allocation(db: &Link, day: Date) -> Result<Option<Shares>, Stop> {
    let row = db.maybe("SELECT shares FROM allocation WHERE day = $1", &[&day.to_string()]).await?;
    row.map(|row| row.json(0)).transpose()
}

/// Puts the plan of a day in force.
pub(in crate::postgres) async fn set_allocation(
    tx: &Tx<'_>,
    day: Date,
    shares: &Shares,
    at: Timestamp,
) -> Result<(), Stop> {
    tx.run(
        "INSERT INTO allocation (day, shares, at) VALUES ($1, $2, $3)
         ON CONFLICT (day) DO UPDATE SET shares = excluded.shares, at = excluded.at",
        &[&day.to_string(), &Json(shares), &nanos(at)],
    )
    .await?;
    Ok(())
}

/// What each member used of a provider in a span.
pub(in crate::postgres) async fn used(
    db: &Link,
    provider: &ProviderName,
    span: Span,
) -> Result<Vec<MemberUse>, Stop> {
    let rows = db
        .rows(
            "SELECT member,
                coalesce(sum(cost) FILTER (WHERE state = 'reserved'), 0)::bigint,
                coalesce(sum(money) FILTER (WHERE state = 'reserved'), 0)::bigint,
                coalesce(sum(tokens) FILTER (WHERE state = 'reserved'), 0)::bigint,
                coalesce(sum(cost) FILTER (WHERE state = 'settled'), 0)::bigint,
                coalesce(sum(money) FILTER (WHERE state = 'settled'), 0)::bigint,
                coalesce(sum(tokens) FILTER (WHERE state = 'settled'), 0)::bigint
             FROM ledger WHERE provider = $1 AND counted_at >= $2 AND counted_at < $3 AND state <> 'released'
             GROUP BY member ORDER BY member NULLS FIRST",
            &[&provider.as_str(), &nanos(span.start), &nanos(span.counted_until())],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let cost = |first: usize| {
                let tasks = u32::try_from(row.uint(first)?).map_err(|_| Stop::Shape("ledger.cost"))?;
                Ok::<_, Stop>(Cost { tasks, money: row.uint(first + 1)?, tokens: row.uint(first + 2)? })
            };
            Ok(MemberUse {
                member: row.maybe_word::<MemberName>(0, "ledger.member")?,
                reserved: cost(1)?,
                settled: cost(4)?,
            })
        })
        .collect()
}

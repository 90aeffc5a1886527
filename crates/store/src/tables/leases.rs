//! Who may act on which repository.

use super::Stop;
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::Token,
    port::{Lease, StoreError},
    text::{Holder, RepoName},
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension};

/// Proof that the caller holds the current lease of a repository, good for the transaction that checked it.
pub(crate) struct Held<'l> {
    /// The repository.
    pub(crate) repo: &'l RepoName,
}

impl Held<'_> {
    /// Refuses a record of another repository: the lease gives no right to it.
    pub(crate) fn covers(&self, repo: &RepoName) -> Result<(), Stop> {
        if self.repo == repo { Ok(()) } else { Err(StoreError::Fenced.into()) }
    }
}

/// End of a lease that begins now.
pub(crate) fn end(now: Timestamp, ttl_ms: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_millis(ttl_ms)).unwrap_or(Timestamp::MAX)
}

/// Refuses a lease that somebody took over. One that ran out is good until then: nobody else has acted meanwhile.
pub(crate) fn check<'l>(tx: &Tx<'_>, lease: &'l Lease) -> Result<Held<'l>, Stop> {
    let current = tx
        .prepare_cached("SELECT 1 FROM lease WHERE repo = ?1 AND holder = ?2 AND token = ?3")?
        .exists((lease.repo.as_str(), lease.holder.as_str(), lease.token.0))?;
    if current { Ok(Held { repo: &lease.repo }) } else { Err(StoreError::Fenced.into()) }
}

/// Takes or renews; `None` while somebody else's lease lasts.
pub(crate) fn take(
    tx: &Tx<'_>,
    repo: &RepoName,
    holder: &Holder,
    now: Timestamp,
    ttl_ms: i64,
) -> Result<Option<Lease>, Stop> {
    let current = tx
        .prepare_cached("SELECT holder, token, until FROM lease WHERE repo = ?1")?
        .query_row([repo.as_str()], |row| {
            Ok((row.get::<_, Option<String>>(0)?, row.get::<_, u64>(1)?, row.get::<_, Nanos>(2)?.0))
        })
        .optional()?;
    let token = match current {
        Some((Some(other), _, until)) if other != holder.as_str() && now < until => return Ok(None),
        Some((Some(same), token, _)) if same == holder.as_str() => token,
        Some((_, token, _)) => token + 1,
        None => 1,
    };
    let until = end(now, ttl_ms);
    tx.prepare_cached(
        "INSERT INTO lease (repo, holder, token, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (repo) DO UPDATE SET holder = excluded.holder, token = excluded.token, until = excluded.until",
    )?
    .execute((repo.as_str(), holder.as_str(), token, Nanos(until)))?;
    Ok(Some(Lease { repo: repo.clone(), holder: holder.clone(), token: Token(token), until }))
}

/// Everybody who holds a lease.
pub(crate) fn holders(db: &Connection) -> Result<Vec<Holder>, Stop> {
    let mut query = db.prepare_cached("SELECT DISTINCT holder FROM lease WHERE holder IS NOT NULL")?;
    let rows = query.query_map([], |row| Ok(row.get::<_, Word<Holder>>(0)?.0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends the leases of one holder, whose writes are fenced from here on; how many.
pub(crate) fn break_of(tx: &Tx<'_>, holder: &Holder, now: Timestamp) -> Result<u64, Stop> {
    let ended = tx
        .prepare_cached("UPDATE lease SET holder = NULL, until = min(until, ?2) WHERE holder = ?1")?
        .execute((holder.as_str(), Nanos(now)))?;
    Ok(ended as u64)
}

/// Every repository that ever had a lease: nothing about a repository is written without one.
pub(crate) fn repos(db: &Connection) -> Result<Vec<RepoName>, Stop> {
    let mut query = db.prepare_cached("SELECT repo FROM lease ORDER BY repo")?;
    let rows = query.query_map([], |row| Ok(row.get::<_, Word<RepoName>>(0)?.0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

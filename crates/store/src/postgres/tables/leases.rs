//! Who may act on which repository.

use crate::postgres::{
    columns::{Columns, int, nanos},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::Token,
    port::{Lease, StoreError},
    text::{Holder, RepoName},
};
use jiff::{SignedDuration, Timestamp};

/// Proof that the caller holds the current lease of a repository, good for the transaction that checked it.
pub(in crate::postgres) struct Held<'l> {
    /// The repository.
    pub(in crate::postgres) repo: &'l RepoName,
}

impl Held<'_> {
    /// Refuses a record of another repository: the lease gives no right to it.
    pub(in crate::postgres) fn covers(&self, repo: &RepoName) -> Result<(), Stop> {
        if self.repo == repo { Ok(()) } else { Err(StoreError::Fenced.into()) }
    }
}

/// End of a lease that begins now.
pub(in crate::postgres) fn end(now: Timestamp, ttl_ms: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_millis(ttl_ms)).unwrap_or(Timestamp::MAX)
}

/// Refuses a lease that somebody took over. One that ran out is good until then: nobody else has acted meanwhile. Holds the
/// lease's row until the transaction ends, so that nobody takes it over meanwhile and writes for a repository come one by one.
pub(in crate::postgres) async fn check<'l>(tx: &Tx<'_>, lease: &'l Lease) -> Result<Held<'l>, Stop> {
    let current = tx
        .maybe(
            "SELECT 1 FROM lease WHERE repo = $1 AND holder = $2 AND token = $3 FOR NO KEY UPDATE",
            &[&lease.repo.as_str(), &lease.holder.as_str(), &int(lease.token.0)],
        )
        .await?;
    if current.is_some() { Ok(Held { repo: &lease.repo }) } else { Err(StoreError::Fenced.into()) }
}

/// Takes or renews; `None` while somebody else's lease lasts. The same when it is done twice.
pub(in crate::postgres) async fn take(
    tx: &Tx<'_>,
    repo: &RepoName,
    holder: &Holder,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, Stop> {
    let row = tx
        .maybe(
            "INSERT INTO lease (repo, holder, token, until) VALUES ($1, $2, 1, $4)
             ON CONFLICT (repo) DO UPDATE SET holder = excluded.holder, until = excluded.until,
                 token = lease.token + (lease.holder IS DISTINCT FROM excluded.holder)::integer
             WHERE lease.holder IS NULL OR lease.holder = excluded.holder OR lease.until <= $3
             RETURNING token",
            &[&repo.as_str(), &holder.as_str(), &nanos(now), &nanos(until)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Lease { repo: repo.clone(), holder: holder.clone(), token: Token(row.uint(0)?), until }))
}

/// Everybody who holds a lease.
pub(in crate::postgres) async fn holders(db: &Link) -> Result<Vec<Holder>, Stop> {
    let rows = db.rows("SELECT DISTINCT holder FROM lease WHERE holder IS NOT NULL", &[]).await?;
    rows.iter().map(|row| row.word(0, "lease.holder")).collect()
}

/// Ends the leases of one holder, whose writes are fenced from here on; how many.
pub(in crate::postgres) async fn break_of(tx: &Tx<'_>, holder: &Holder, now: Timestamp) -> Result<u64, Stop> {
    tx.run(
        "UPDATE lease SET holder = NULL, until = least(until, $2) WHERE holder = $1",
        &[&holder.as_str(), &nanos(now)],
    )
    .await
}

/// Every repository that ever had a lease: nothing about a repository is written without one.
pub(in crate::postgres) async fn repos(db: &Link) -> Result<Vec<RepoName>, Stop> {
    let rows = db.rows("SELECT repo FROM lease ORDER BY repo", &[]).await?;
    rows.iter().map(|row| row.word(0, "lease.repo")).collect()
}

//! Claiming (Q11, Q12): many claims with the same offer in one statement.
//!
//! The statement takes the first jobs in the order of claiming that nobody else is about to take, and inserts the locks they need:
//! whoever inserts a lock has it, so the race for one is decided by its unique name. A job that did not get its lock is left as
//! it is; then there are other jobs to look at, and the statement is run again.

use super::{
    drafts::Ticket,
    jobs::{JOB_COLUMNS, job_columns, read_body},
    losses,
};
use crate::postgres::{
    columns::{Columns, nanos},
    error::Stop,
    link::{Durability, Link},
};
use banksman_core::{
    port::{Claimed, Offer},
    text::Holder,
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// Who wants a job.
#[derive(Clone)]
pub(in crate::postgres) struct Wish {
    /// The worker.
    pub(in crate::postgres) holder: Holder,
    /// Now, by its clock.
    pub(in crate::postgres) now: Timestamp,
    /// End of the lease.
    pub(in crate::postgres) until: Timestamp,
    /// Names the claim for whoever loses the answer.
    pub(in crate::postgres) ticket: Ticket,
}

/// What one look gave.
pub(in crate::postgres) struct Taken {
    /// For each wish, from the first one on, its claim.
    pub(in crate::postgres) claims: Vec<Claimed>,
    /// Whether jobs were passed over because somebody else got their lock, so that another look may give more.
    pub(in crate::postgres) look_again: bool,
}

/// Claims at most one job for each wish, the first wish first. One statement, flushed (see the module `postgres`).
pub(in crate::postgres) async fn take(link: &Link, offer: &Offer, wishes: &[Wish]) -> Result<Taken, Stop> {
    let engines: Vec<&str> = offer.engines.iter().map(|(engine, _)| engine.as_str()).collect();
    let classes: Vec<&str> = offer.engines.iter().map(|(_, class)| class.as_str()).collect();
    let capabilities: Vec<&str> = offer.capabilities.iter().map(|c| c.as_str()).collect();
    let repos: Vec<&str> = offer.repos.iter().map(|repo| repo.as_str()).collect();
    let full: Vec<&str> = offer.full_profiles.iter().map(|profile| profile.as_str()).collect();
    let holders: Vec<&str> = wishes.iter().map(|wish| wish.holder.as_str()).collect();
    let untils: Vec<i64> = wishes.iter().map(|wish| nanos(wish.until)).collect();
    let nows: Vec<i64> = wishes.iter().map(|wish| nanos(wish.now)).collect();
    let adders: Vec<i64> = wishes.iter().map(|wish| wish.ticket.adder).collect();
    let serials: Vec<i64> = wishes.iter().map(|wish| wish.ticket.serial).collect();
    // By the slowest clock: what is due for one is due for all.
    let now = nows.iter().copied().min().unwrap_or_default();
    let most = i64::try_from(wishes.len()).unwrap_or(i64::MAX);
    let [rows] = link
        .together(
            Durability::Acknowledged,
            [(concat!(
                "WITH offered AS MATERIALIZED (
                    SELECT o.engine, 'class:' || o.class AS class, o.n
                    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o (engine, class, n)
                    WHERE NOT EXISTS (SELECT 1 FROM cooldown c WHERE c.engine = o.engine AND c.until > $6)
                 ), choices AS MATERIALIZED (
                    SELECT 'engine:' || engine AS choice FROM offered UNION SELECT class FROM offered
                 ), first AS MATERIALIZED (
                    SELECT f.priority, f.id FROM choices CROSS JOIN LATERAL (
                        SELECT j.priority, j.id FROM job j
                        WHERE j.choice = choices.choice AND j.state IN ('inbox', 'waiting') AND j.waits_for = 0
                        ORDER BY j.priority, j.id LIMIT 1) f
                    ORDER BY f.priority, f.id LIMIT 1
                 ), picked AS MATERIALIZED (
                    SELECT j.id, j.priority, j.lock, j.state, j.choice, j.auto_echo FROM job j
                    WHERE j.state IN ('inbox', 'waiting') AND j.waits_for = 0
                        AND (j.priority, j.id) >= (SELECT priority, id FROM first)
                        AND j.choice = ANY (ARRAY(SELECT choice FROM choices))
                        AND j.not_before <= $6
                        AND (j.lock IS NULL OR NOT EXISTS (SELECT 1 FROM held_lock h WHERE h.name = j.lock))
                        AND (j.repo IS NULL OR j.repo = ANY ($4::text[]))
                        AND j.capabilities <@ $3::text[]
                        AND (j.profile IS NULL OR j.profile <> ALL ($5::text[]))
                    ORDER BY j.priority, j.id LIMIT $7 FOR UPDATE OF j SKIP LOCKED
                 ), numbered AS MATERIALIZED (
                    SELECT p.*, nextval('attempt_id') AS attempt FROM picked p
                 ), locked AS (
                    INSERT INTO held_lock (name, attempt)
                    SELECT DISTINCT ON (lock) lock, attempt FROM numbered WHERE lock IS NOT NULL
                    ORDER BY lock, priority, id
                    ON CONFLICT DO NOTHING RETURNING attempt
                 ), taken AS MATERIALIZED (
                    SELECT n.*, row_number() OVER (ORDER BY n.priority, n.id) AS place,
                        CASE WHEN starts_with(n.choice, 'engine:') THEN substr(n.choice, 8)
                            ELSE (SELECT o.engine FROM offered o WHERE o.class = n.choice ORDER BY o.n LIMIT 1) END AS engine
                    FROM numbered n WHERE n.lock IS NULL OR n.attempt IN (SELECT attempt FROM locked)
                 ), begun AS (
                    INSERT INTO attempt (id, job, engine, holder, started_at, adder, serial)
                    SELECT attempt, id, engine, ($8::text[])[place], ($9::bigint[])[place], ($11::bigint[])[place],
                        ($12::bigint[])[place] FROM taken
                 ), moved AS (
                    INSERT INTO move (job, from_stage, to_stage, at, who, why, attempt)
                    SELECT id, CASE state WHEN 'inbox' THEN 'inbox' ELSE 'building' END, 'building',
                        ($9::bigint[])[place], ($8::text[])[place], 'claimed', attempt FROM taken
                 ), echoed AS (
                    INSERT INTO echo (job, due, wished)
                    SELECT id, ($9::bigint[])[place], 1 FROM taken WHERE auto_echo AND state = 'inbox'
                    ON CONFLICT (job) DO UPDATE SET wished = echo.wished + 1, due = least(echo.due, excluded.due)
                 ), j AS (
                    UPDATE job SET state = 'building', not_before = NULL, attempt = t.attempt,
                        holder = ($8::text[])[t.place], token = job.token + 1, until = ($10::bigint[])[t.place]
                    FROM taken t WHERE job.id = t.id RETURNING job.*, t.engine, t.place
                 )
                 SELECT ",
                job_columns!(),
                ", j.engine, ($9::bigint[])[j.place], w.body
                 FROM picked p LEFT JOIN j ON j.id = p.id LEFT JOIN job_work w ON w.job = j.id
                 ORDER BY p.priority, p.id"
            ),
            &[
                &engines,
                &classes,
                &capabilities,
                &repos,
                &full,
                &now,
                &most,
                &holders,
                &nows,
                &untils,
                &adders,
                &serials,
            ])],
        )
        .await?;
    let mut claims = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.col::<Option<i64>>(0)?.is_some() {
            claims.push(read(row)?);
        }
    }
    let look_again = rows.len() == wishes.len() && claims.len() < wishes.len();
    Ok(Taken { claims, look_again })
}

/// The claim that an earlier try of the same call made, if it did and is held still.
pub(in crate::postgres) async fn found_again(link: &Link, wish: &Wish) -> Result<Option<Claimed>, Stop> {
    let row = link
        .maybe(
            concat!(
                "SELECT ",
                job_columns!(),
                ", a.engine, a.started_at, w.body FROM job j JOIN job_work w ON w.job = j.id JOIN attempt a ON a.id = j.attempt
                 WHERE j.holder = $1 AND a.adder = $2 AND a.serial = $3"
            ),
            &[&wish.holder.as_str(), &wish.ticket.adder, &wish.ticket.serial],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// A claim with the job's instructions behind its own columns.
fn read(row: &Row) -> Result<Claimed, Stop> {
    Ok(Claimed { claim: losses::read(row)?, body: read_body(row, JOB_COLUMNS + 2)? })
}

/// The first moment after `now` at which something that waits for its time, or for its engine, can be claimed.
pub(in crate::postgres) async fn next_due(link: &Link, now: Timestamp) -> Result<Option<Timestamp>, Stop> {
    link.one(
        "SELECT least(
            (SELECT min(not_before) FROM job
                WHERE state IN ('inbox', 'waiting') AND not_before > created_at AND not_before > $1 AND waits_for = 0),
            (SELECT min(until) FROM cooldown WHERE until > $1))",
        &[&nanos(now)],
    )
    .await?
    .maybe_time(0)
}

const _: () = assert!(JOB_COLUMNS == 18, "the claim's own columns stand behind those of the job");

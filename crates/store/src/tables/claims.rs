//! What is held: a job and its lock, by one worker, under a token that grows (Q12).

use super::{
    Stop, attempts,
    candidates::{self, Offered},
    jobs::{self, Stored},
    steps::{self, Course, Step},
};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::{AttemptId, JobId, Token},
    job::{Body, Held, JobEvent, Why},
    port::{AttemptRecord, Claim, Claimed, StoreError},
    text::{EngineName, Holder},
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// A claim as it was just made: what the manifest of its job says is still unread.
pub(crate) struct Taken {
    job: Stored,
    body: Body,
    engine: EngineName,
    held: Held,
    since: Timestamp,
}

impl Taken {
    /// The claim, with everything read.
    pub(crate) fn read(self) -> rusqlite::Result<Claimed> {
        let Held { attempt, holder, token, until } = self.held;
        let claim = Claim {
            job: self.job.job()?,
            engine: self.engine,
            attempt,
            holder,
            token,
            since: self.since,
            until,
        };
        Ok(Claimed { claim, body: self.body })
    }
}

/// Claims the next job that fits the offer.
pub(crate) fn take(
    tx: &Tx<'_>,
    holder: &Holder,
    offered: &Offered,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Taken>, Stop> {
    let offered = offered.without_resting(tx, now)?;
    let Some(id) = candidates::next(tx, &offered, now)? else { return Ok(None) };
    let (mut job, body) = jobs::stored(tx, id)?;
    let engine = offered.engine(&job.choice()?).ok_or(StoreError::Missing("engine of the offer"))?.clone();
    let attempt = attempts::begin(tx, id, &engine, holder, now)?;
    let held = Held { attempt, holder: holder.clone(), token: Token(job.token.0 + 1), until };
    let course = Course::of(&job.state, [JobEvent::Claimed(held.clone())])?;
    let token = job.token;
    steps::take(tx, &Step { job: id, token, course: &course, failures: 0, losses: 0, who: holder, now })?;
    insert(tx, id, &engine, &held, now, &job.lock)?;
    job.state = course.after;
    Ok(Some(Taken { job, body, engine, held, since: now }))
}

fn insert(
    tx: &Tx<'_>,
    job: JobId,
    engine: &EngineName,
    held: &Held,
    now: Timestamp,
    lock: &str,
) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT INTO claim (job, attempt, engine, holder, token, since, until, lock)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, ''))",
    )?
    .execute(params![
        job.0,
        held.attempt.0,
        engine.as_str(),
        held.holder.as_str(),
        held.token.0,
        Nanos(now),
        Nanos(held.until),
        lock,
    ])?;
    Ok(())
}

/// Moves the end of a claim whose job is still held.
pub(crate) fn renew(tx: &Tx<'_>, claim: &Claim, until: Timestamp) -> Result<(), Stop> {
    let renewed = tx
        .prepare_cached(
            "UPDATE claim SET until = ?3 WHERE job = ?1 AND token = ?2
                AND EXISTS (SELECT 1 FROM job WHERE id = ?1 AND attempt IS NOT NULL)",
        )?
        .execute(params![claim.job.id.0, claim.token.0, Nanos(until)])?;
    if renewed == 1 { Ok(()) } else { Err(StoreError::Fenced.into()) }
}

/// Moves the job of a claim along; when nobody holds it any more, what it held is free. The end of the lease as it is now.
pub(crate) fn advance(
    tx: &Tx<'_>,
    claim: &Claim,
    course: &Course,
    failures: u32,
    end: Option<&AttemptRecord>,
    now: Timestamp,
) -> Result<Timestamp, Stop> {
    let (job, token) = (claim.job.id, claim.token);
    steps::take(tx, &Step { job, token, course, failures, losses: 0, who: &claim.holder, now })?;
    if let Some(record) = end {
        attempts::end(tx, claim.attempt, record)?;
    }
    if course.after.held().is_some() {
        until(tx, claim)
    } else {
        release(tx, claim)?;
        Ok(claim.until)
    }
}

fn until(tx: &Tx<'_>, claim: &Claim) -> Result<Timestamp, Stop> {
    let until: Nanos = tx
        .prepare_cached("SELECT until FROM claim WHERE job = ?1")?
        .query_row([claim.job.id.0], |row| row.get(0))?;
    Ok(until.0)
}

/// Frees what a claim holds; whether it held something.
fn release(tx: &Tx<'_>, claim: &Claim) -> Result<bool, Stop> {
    let released = tx
        .prepare_cached("DELETE FROM claim WHERE job = ?1 AND token = ?2")?
        .execute(params![claim.job.id.0, claim.token.0])?;
    Ok(released == 1)
}

/// Frees what the claim of a cancelled job holds; of any other it changes nothing.
pub(crate) fn let_go(tx: &Tx<'_>, claim: &Claim, end: Option<&AttemptRecord>) -> Result<(), Stop> {
    let job = jobs::known(tx, claim.job.id)?;
    if job.state.is_final()
        && release(tx, claim)?
        && let Some(record) = end
    {
        attempts::end(tx, claim.attempt, record)?;
    }
    Ok(())
}

/// Ends the claim of a worker that is gone, as it was read; whether it was still there and not renewed.
pub(crate) fn lose(tx: &Tx<'_>, claim: &Claim, who: &Holder, now: Timestamp) -> Result<bool, Stop> {
    let current = tx
        .prepare_cached("SELECT 1 FROM claim WHERE job = ?1 AND token = ?2 AND until = ?3")?
        .exists(params![claim.job.id.0, claim.token.0, Nanos(claim.until)])?;
    if !current {
        return Ok(false);
    }
    let job = jobs::known(tx, claim.job.id)?;
    if !job.state.is_final() {
        let course = Course::of(&job.state, [JobEvent::Again { not_before: now, why: Why::Lost }])?;
        let step =
            Step { job: job.id, token: claim.token, course: &course, failures: 0, losses: 1, who, now };
        steps::take(tx, &step)?;
    }
    release(tx, claim)
}

/// All that hold something, oldest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Claim>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT job, engine, attempt, holder, token, since, until FROM claim ORDER BY attempt",
    )?;
    let mut rows = query.query([])?;
    let mut claims = Vec::new();
    while let Some(row) = rows.next()? {
        claims.push(Claim {
            job: jobs::known(db, JobId(row.get(0)?))?,
            engine: row.get::<_, Word<_>>(1)?.0,
            attempt: AttemptId(row.get(2)?),
            holder: row.get::<_, Word<_>>(3)?.0,
            token: Token(row.get(4)?),
            since: row.get::<_, Nanos>(5)?.0,
            until: row.get::<_, Nanos>(6)?.0,
        });
    }
    Ok(claims)
}

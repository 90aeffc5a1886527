//! Work items. Whatever moves one reads its state, asks `WorkState::next`, and writes with what it read as precondition (I6).

use super::{Stop, attempts, leases::Held};
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::{AttemptId, Number, Token, WorkId},
    port::{AttemptRecord, Claim, NewWork, StoreError},
    text::{EngineName, Holder, RepoName},
    work::{WorkEvent, WorkItem, WorkOutcome, WorkState},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::Type};

/// What every query of work items selects, in the order that [`read`] expects. Queries by state name their partial index: left
/// to itself SQLite walks the whole table, finished items included.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, repo, task, engine, created_at, failures, losses, token, state, not_before, attempt, holder,
                until, outcome, done_at FROM work ",
            $rest
        )
    };
}

/// An item with the token of its last claim.
pub(crate) struct Stored {
    item: WorkItem,
    token: Token,
}

/// Enqueues a task unless it is there for the engine; the id of the old or new item.
pub(crate) fn enqueue(tx: &Tx<'_>, held: &Held<'_>, work: &NewWork) -> Result<WorkId, Stop> {
    held.covers(&work.repo)?;
    let key = work.task.key();
    let known = tx
        .prepare_cached("SELECT id FROM work WHERE repo = ?1 AND key = ?2 AND engine = ?3")?
        .query_row((held.repo.as_str(), &key, work.engine.as_str()), |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(WorkId(id));
    }
    let id = tx
        .prepare_cached(
            "INSERT INTO work (repo, key, engine, subject, task, created_at, state, not_before)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?6)",
        )?
        .insert((
            held.repo.as_str(),
            &key,
            work.engine.as_str(),
            work.task.subject().0,
            Json(&work.task),
            Nanos(work.at),
        ))?;
    Ok(WorkId(id.unsigned_abs()))
}

/// Queues items again whose lease ran out; how many.
pub(crate) fn requeue_expired(tx: &Tx<'_>, now: Timestamp) -> Result<u64, Stop> {
    let expired: Vec<Stored> = tx
        .prepare_cached(select!(
            "INDEXED BY work_running WHERE state = 'running' AND until <= ?1 ORDER BY until"
        ))?
        .query_map([Nanos(now)], read)?
        .collect::<Result<_, _>>()?;
    lose(tx, expired, now)
}

/// Queues the running items of a holder again that is known to be gone; how many.
pub(crate) fn break_of(tx: &Tx<'_>, holder: &Holder, now: Timestamp) -> Result<u64, Stop> {
    let lost: Vec<Stored> = tx
        .prepare_cached(select!(
            "INDEXED BY work_running WHERE state = 'running' AND holder = ?1 ORDER BY until"
        ))?
        .query_map([holder.as_str()], read)?
        .collect::<Result<_, _>>()?;
    lose(tx, lost, now)
}

fn lose(tx: &Tx<'_>, lost: Vec<Stored>, now: Timestamp) -> Result<u64, Stop> {
    let count = lost.len() as u64;
    for mut stored in lost {
        stored.item.losses += 1;
        advance(tx, stored, WorkEvent::Lost { at: now })?;
    }
    Ok(count)
}

/// Claims the oldest item that may run now.
pub(crate) fn claim(
    tx: &Tx<'_>,
    holder: &Holder,
    engines: &[EngineName],
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Claim>, Stop> {
    let Some(id) = oldest_queued(tx, engines, now)? else { return Ok(None) };
    let stored = by_id(tx, id)?.ok_or(StoreError::Missing("work item"))?;
    let token = Token(stored.token.0 + 1);
    let attempt = attempts::begin(tx, id, now)?;
    let event = WorkEvent::Claimed { attempt, holder: holder.clone(), token, until };
    let item = advance(tx, stored, event)?;
    Ok(Some(Claim { item, attempt, token, until }))
}

/// One look in the index for each engine: sorting a long queue on every claim would cost milliseconds.
fn oldest_queued(tx: &Tx<'_>, engines: &[EngineName], now: Timestamp) -> Result<Option<WorkId>, Stop> {
    let mut query = tx.prepare_cached(
        "SELECT id FROM work INDEXED BY work_queue
         WHERE state = 'queued' AND engine = ?1 AND not_before <= ?2 ORDER BY id LIMIT 1",
    )?;
    let mut oldest: Option<u64> = None;
    for engine in engines {
        let id: Option<u64> = query.query_row((engine.as_str(), Nanos(now)), |row| row.get(0)).optional()?;
        oldest = [oldest, id].into_iter().flatten().min();
    }
    Ok(oldest.map(WorkId))
}

/// Moves the end of a claim.
pub(crate) fn renew(tx: &Tx<'_>, claim: &Claim, until: Timestamp) -> Result<(), Stop> {
    let stored = claimed(tx, claim)?;
    advance(tx, stored, WorkEvent::Renewed { until })?;
    Ok(())
}

/// Ends a claim and its attempt.
pub(crate) fn finish(
    tx: &Tx<'_>,
    claim: &Claim,
    result: Result<WorkOutcome, Timestamp>,
    record: &AttemptRecord,
) -> Result<(), Stop> {
    let mut stored = claimed(tx, claim)?;
    stored.item.failures += u32::from(record.failure.is_some());
    let event = match result {
        Ok(outcome) => WorkEvent::Finished { outcome, at: record.ended_at.unwrap_or(record.started_at) },
        Err(not_before) => WorkEvent::Retried { not_before },
    };
    advance(tx, stored, event)?;
    attempts::end(tx, claim.attempt, record)
}

/// The item of a claim that is still good. One that ran out is good until somebody noticed.
fn claimed(tx: &Tx<'_>, claim: &Claim) -> Result<Stored, Stop> {
    let stored = by_id(tx, claim.item.id)?.ok_or(StoreError::Missing("work item"))?;
    match &stored.item.state {
        WorkState::Running { attempt, token, .. } if *attempt == claim.attempt && *token == claim.token => {
            Ok(stored)
        }
        WorkState::Queued { .. } | WorkState::Running { .. } | WorkState::Done { .. } => {
            Err(StoreError::Fenced.into())
        }
    }
}

/// Ends a queued item; any other is left alone.
pub(crate) fn cancel(tx: &Tx<'_>, held: &Held<'_>, id: WorkId, now: Timestamp) -> Result<(), Stop> {
    let stored = by_id(tx, id)?
        .filter(|stored| stored.item.repo == *held.repo)
        .ok_or(StoreError::Missing("work item"))?;
    match stored.item.state {
        WorkState::Queued { .. } => {
            advance(tx, stored, WorkEvent::Finished { outcome: WorkOutcome::Cancelled, at: now })?;
            Ok(())
        }
        WorkState::Running { .. } | WorkState::Done { .. } => Ok(()),
    }
}

/// The one way of a work item from state to state.
fn advance(tx: &Tx<'_>, stored: Stored, event: WorkEvent) -> Result<WorkItem, Stop> {
    let Stored { mut item, token: before } = stored;
    let old = item.state.name();
    item.state = item.state.next(event)?;
    let columns = Columns::of(&item.state);
    let written = tx
        .prepare_cached(
            "UPDATE work SET state = ?2, not_before = ?3, attempt = ?4, holder = ?5, until = ?6, outcome = ?7,
                done_at = ?8, token = coalesce(?9, token), failures = ?10, losses = ?11
             WHERE id = ?1 AND state = ?12 AND token = ?13",
        )?
        .execute((
            item.id.0,
            item.state.name(),
            columns.not_before.map(Nanos),
            columns.attempt.map(|a| a.0),
            columns.holder.map(Holder::as_str),
            columns.until.map(Nanos),
            columns.outcome.map(Json),
            columns.done_at.map(Nanos),
            columns.token.map(|t| t.0),
            item.failures,
            item.losses,
            old,
            before.0,
        ))?;
    if written == 1 { Ok(item) } else { Err(StoreError::Fenced.into()) }
}

/// A state as the table has it: the columns of other states are empty.
#[derive(Default)]
struct Columns<'s> {
    not_before: Option<Timestamp>,
    attempt: Option<AttemptId>,
    holder: Option<&'s Holder>,
    until: Option<Timestamp>,
    token: Option<Token>,
    outcome: Option<&'s WorkOutcome>,
    done_at: Option<Timestamp>,
}

impl<'s> Columns<'s> {
    fn of(state: &'s WorkState) -> Self {
        match state {
            WorkState::Queued { not_before } => Self { not_before: Some(*not_before), ..Self::default() },
            WorkState::Running { attempt, holder, token, until } => Self {
                attempt: Some(*attempt),
                holder: Some(holder),
                until: Some(*until),
                token: Some(*token),
                ..Self::default()
            },
            WorkState::Done { outcome, at } => {
                Self { outcome: Some(outcome), done_at: Some(*at), ..Self::default() }
            }
        }
    }
}

fn by_id(db: &Connection, id: WorkId) -> Result<Option<Stored>, Stop> {
    Ok(db.prepare_cached(select!("WHERE id = ?1"))?.query_row([id.0], read).optional()?)
}

/// All of one repository, ascending.
pub(crate) fn of(db: &Connection, repo: &RepoName) -> Result<Vec<WorkItem>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE repo = ?1 ORDER BY id"))?;
    let rows = query.query_map([repo.as_str()], |row| Ok(read(row)?.item))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All about one issue or pull request, ascending.
pub(crate) fn about(db: &Connection, repo: &RepoName, subject: Number) -> Result<Vec<WorkItem>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE repo = ?1 AND subject = ?2 ORDER BY id"))?;
    let rows = query.query_map((repo.as_str(), subject.0), |row| Ok(read(row)?.item))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Queued and running ones of all repositories, ascending.
pub(crate) fn unfinished(db: &Connection) -> Result<Vec<WorkItem>, Stop> {
    let mut query = db.prepare_cached(select!(
        "WHERE id IN (
            SELECT id FROM work INDEXED BY work_queue WHERE state = 'queued'
            UNION ALL SELECT id FROM work INDEXED BY work_running WHERE state = 'running')
         ORDER BY id"
    ))?;
    let rows = query.query_map([], |row| Ok(read(row)?.item))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let token = Token(row.get(7)?);
    let time = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Nanos>(column)?.0);
    let state = match row.get_ref(8)?.as_str()? {
        "queued" => WorkState::Queued { not_before: time(9)? },
        "running" => WorkState::Running {
            attempt: AttemptId(row.get(10)?),
            holder: row.get::<_, Word<_>>(11)?.0,
            token,
            until: time(12)?,
        },
        "done" => WorkState::Done { outcome: row.get::<_, Json<_>>(13)?.0, at: time(14)? },
        // The table's CHECK constraint leaves nothing else.
        _ => return Err(rusqlite::Error::InvalidColumnType(8, "state".to_owned(), Type::Text)),
    };
    let item = WorkItem {
        id: WorkId(row.get(0)?),
        repo: row.get::<_, Word<_>>(1)?.0,
        task: row.get::<_, Json<_>>(2)?.0,
        engine: row.get::<_, Word<_>>(3)?.0,
        created_at: time(4)?,
        failures: row.get(5)?,
        losses: row.get(6)?,
        state,
    };
    Ok(Stored { item, token })
}

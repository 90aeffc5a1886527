//! Runs of schedules: each slot once, whoever restarts and however many processes there are (B13).

use super::Stop;
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    port::{
        StoreError,
        budget::{RunTaken, ScheduledRun},
    },
    text::{Holder, ScheduleName},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// Takes a slot, unless it was run or somebody runs it.
pub(crate) fn take(
    tx: &Tx<'_>,
    schedule: &ScheduleName,
    slot: Timestamp,
    holder: &Holder,
    now: Timestamp,
    until: Timestamp,
) -> Result<RunTaken, Stop> {
    let tries: Option<u32> = tx
        .prepare_cached(
            "INSERT INTO scheduled_run (schedule, slot, holder, until, tries) VALUES (?1, ?2, ?3, ?4, 1)
             ON CONFLICT (schedule, slot) DO UPDATE
                SET holder = excluded.holder, until = excluded.until, tries = tries + 1
                WHERE ended_at IS NULL AND (until <= ?5 OR holder = excluded.holder)
             RETURNING tries",
        )?
        .query_row((schedule.as_str(), Nanos(slot), holder.as_str(), Nanos(until), Nanos(now)), |row| {
            row.get(0)
        })
        .optional()?;
    if let Some(tries) = tries {
        return Ok(RunTaken::Yes(tries));
    }
    let done: bool = tx
        .prepare_cached("SELECT ended_at IS NOT NULL FROM scheduled_run WHERE schedule = ?1 AND slot = ?2")?
        .query_row((schedule.as_str(), Nanos(slot)), |row| row.get(0))?;
    Ok(if done { RunTaken::Done } else { RunTaken::Elsewhere })
}

/// Marks a slot as run.
pub(crate) fn end(
    tx: &Tx<'_>,
    schedule: &ScheduleName,
    slot: Timestamp,
    holder: &Holder,
    now: Timestamp,
) -> Result<(), Stop> {
    let ended = tx
        .prepare_cached(
            "UPDATE scheduled_run SET ended_at = coalesce(ended_at, ?4)
             WHERE schedule = ?1 AND slot = ?2 AND holder = ?3",
        )?
        .execute((schedule.as_str(), Nanos(slot), holder.as_str(), Nanos(now)))?;
    if ended == 1 { Ok(()) } else { Err(StoreError::Fenced.into()) }
}

/// The newest slot of a schedule.
pub(crate) fn last(db: &Connection, schedule: &ScheduleName) -> Result<Option<ScheduledRun>, Stop> {
    Ok(db
        .prepare_cached(
            "SELECT slot, holder, tries, ended_at FROM scheduled_run WHERE schedule = ?1 ORDER BY slot DESC LIMIT 1",
        )?
        .query_row([schedule.as_str()], |row| {
            Ok(ScheduledRun {
                schedule: schedule.clone(),
                slot: row.get::<_, Nanos>(0)?.0,
                holder: row.get::<_, Word<_>>(1)?.0,
                tries: row.get(2)?,
                ended_at: row.get::<_, Option<Nanos>>(3)?.map(|at| at.0),
            })
        })
        .optional()?)
}

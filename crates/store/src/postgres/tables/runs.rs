//! Runs of schedules: each slot once, whoever restarts and however many processes there are (B13).

use crate::postgres::{
    columns::{Columns, nanos},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    port::{
        StoreError,
        budget::{RunTaken, ScheduledRun},
    },
    text::{Holder, ScheduleName},
};
use jiff::Timestamp;

/// Takes a slot, unless it was run or somebody runs it. The same holder takes its own again, so that a lost answer loses no slot.
pub(in crate::postgres) async fn take(
    tx: &Tx<'_>,
    schedule: &ScheduleName,
    slot: Timestamp,
    holder: &Holder,
    now: Timestamp,
    until: Timestamp,
) -> Result<RunTaken, Stop> {
    let taken = tx
        .maybe(
            "INSERT INTO scheduled_run AS r (schedule, slot, holder, until, tries) VALUES ($1, $2, $3, $4, 1)
             ON CONFLICT (schedule, slot) DO UPDATE
                SET holder = excluded.holder, until = excluded.until, tries = r.tries + 1
                WHERE r.ended_at IS NULL AND (r.until <= $5 OR r.holder = excluded.holder)
             RETURNING tries",
            &[&schedule.as_str(), &nanos(slot), &holder.as_str(), &nanos(until), &nanos(now)],
        )
        .await?;
    if let Some(row) = taken {
        return Ok(RunTaken::Yes(row.count(0)?));
    }
    let done: bool = tx
        .one(
            "SELECT ended_at IS NOT NULL FROM scheduled_run WHERE schedule = $1 AND slot = $2",
            &[&schedule.as_str(), &nanos(slot)],
        )
        .await?
        .col(0)?;
    Ok(if done { RunTaken::Done } else { RunTaken::Elsewhere })
}

/// Marks a slot as run.
pub(in crate::postgres) async fn end(
    tx: &Tx<'_>,
    schedule: &ScheduleName,
    slot: Timestamp,
    holder: &Holder,
    now: Timestamp,
) -> Result<(), Stop> {
    let ended = tx
        .run(
            "UPDATE scheduled_run SET ended_at = coalesce(ended_at, $4)
             WHERE schedule = $1 AND slot = $2 AND holder = $3",
            &[&schedule.as_str(), &nanos(slot), &holder.as_str(), &nanos(now)],
        )
        .await?;
    if ended == 1 { Ok(()) } else { Err(StoreError::Fenced.into()) }
}

/// The newest slot of a schedule.
pub(in crate::postgres) async fn last(
    db: &Link,
    schedule: &ScheduleName,
) -> Result<Option<ScheduledRun>, Stop> {
    let row = db
        .maybe(
            "SELECT slot, holder, tries, ended_at FROM scheduled_run WHERE schedule = $1 ORDER BY slot DESC LIMIT 1",
            &[&schedule.as_str()],
        )
        .await?;
    row.map(|row| {
        Ok(ScheduledRun {
            schedule: schedule.clone(),
            slot: row.time(0)?,
            holder: row.word(1, "scheduled_run.holder")?,
            tries: row.count(2)?,
            ended_at: row.maybe_time(3)?,
        })
    })
    .transpose()
}

//! Which run of the daily cadence is due (B13): asked of the books, so that no slot is lost or run twice, whoever restarts and however many
//! processes there are.

use banksman_core::{
    budget::cadence::Schedule,
    port::{
        StoreError,
        budget::{Budget, RunTaken},
    },
    text::Holder,
};
use jiff::{SignedDuration, Timestamp};

/// How long a run may last before another process takes it for dead and begins it again.
pub const RUN_TTL: SignedDuration = SignedDuration::from_mins(10);

/// Takes the slot of a schedule that is due, if there is one: the last one at or before now that was not run. The first time that a schedule
/// is seen nothing has been missed. Earlier slots that were missed are passed over: their day is over. A clock that is put back finds the
/// slots run that it comes past again. End it with [`Budget::end_run`].
pub async fn take_due<B: Budget>(
    books: &B,
    schedule: &Schedule,
    holder: &Holder,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let (name, slot) = (schedule.run.name(), schedule.last(now));
    let until = now + RUN_TTL;
    let slot = match books.last_run(&name).await? {
        None => {
            if books.take_run(&name, slot, holder, now, until).await? != RunTaken::Elsewhere {
                books.end_run(&name, slot, holder, now).await?;
            }
            return Ok(None);
        }
        Some(run) if run.slot >= slot && run.ended_at.is_some() => return Ok(None),
        // One that was cut off; it may be newer than this clock says.
        Some(run) if run.ended_at.is_none() => run.slot.max(slot),
        Some(_) => slot,
    };
    let taken = books.take_run(&name, slot, holder, now, until).await?;
    Ok(matches!(taken, RunTaken::Yes(_)).then_some(slot))
}

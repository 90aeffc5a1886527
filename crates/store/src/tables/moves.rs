//! The recorded way of each job (Q9).

use super::{Stop, steps::Step};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::{AttemptId, JobId},
    job::{Move, Why},
    text::Holder,
    work::FailReason,
};
use jiff::Timestamp;
use rusqlite::{Connection, params, types::Type};

/// Records the first move of a job: it was added.
pub(crate) fn begin(tx: &Tx<'_>, job: JobId, who: &Holder, now: Timestamp) -> Result<(), Stop> {
    tx.prepare_cached(
        "INSERT INTO move (job, n, to_stage, at, who, why) VALUES (?1, 1, 'inbox', ?2, ?3, 'added')",
    )?
    .execute(params![job.0, Nanos(now), who.as_str()])?;
    Ok(())
}

/// Records each leg of a step; `first` is the number of the first one.
pub(crate) fn add(tx: &Tx<'_>, step: &Step<'_>, attempt: Option<AttemptId>, first: u64) -> Result<(), Stop> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO move (job, n, from_stage, to_stage, at, who, why, reason, attempt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (n, leg) in (first..).zip(&step.course.legs) {
        let (why, reason) = words(leg.why);
        insert.execute(params![
            step.job.0,
            n,
            leg.from.as_str(),
            leg.to.as_str(),
            Nanos(step.now),
            step.who.as_str(),
            why,
            reason.map(Word),
            attempt.map(|a| a.0),
        ])?;
    }
    Ok(())
}

/// A job's way, oldest first.
pub(crate) fn of(db: &Connection, job: JobId) -> Result<Vec<Move>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT from_stage, to_stage, at, who, why, reason, attempt FROM move WHERE job = ?1 ORDER BY n",
    )?;
    let rows = query.query_map([job.0], |row| {
        Ok(Move {
            from: row.get::<_, Option<Word<_>>>(0)?.map(|w| w.0),
            to: row.get::<_, Word<_>>(1)?.0,
            at: row.get::<_, Nanos>(2)?.0,
            who: row.get::<_, Word<_>>(3)?.0,
            why: why(row.get_ref(4)?.as_str()?, row.get::<_, Option<Word<_>>>(5)?.map(|w| w.0))
                .ok_or_else(|| rusqlite::Error::InvalidColumnType(4, "why".to_owned(), Type::Text))?,
            attempt: row.get::<_, Option<u64>>(6)?.map(AttemptId),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn words(why: Why) -> (&'static str, Option<FailReason>) {
    match why {
        Why::Added => ("added", None),
        Why::Claimed => ("claimed", None),
        Why::Passed => ("passed", None),
        Why::Changes => ("changes", None),
        Why::Refuted => ("refuted", None),
        Why::Retried(reason) => ("retried", Some(reason)),
        Why::Limited => ("limited", None),
        Why::Lost => ("lost", None),
        Why::Interrupted => ("interrupted", None),
        Why::Failed(reason) => ("failed", Some(reason)),
        Why::Cancelled => ("cancelled", None),
    }
}

/// The opposite of [`words`].
fn why(word: &str, reason: Option<FailReason>) -> Option<Why> {
    Some(match (word, reason) {
        ("added", None) => Why::Added,
        ("claimed", None) => Why::Claimed,
        ("passed", None) => Why::Passed,
        ("changes", None) => Why::Changes,
        ("refuted", None) => Why::Refuted,
        ("retried", Some(reason)) => Why::Retried(reason),
        ("limited", None) => Why::Limited,
        ("lost", None) => Why::Lost,
        ("interrupted", None) => Why::Interrupted,
        ("failed", Some(reason)) => Why::Failed(reason),
        ("cancelled", None) => Why::Cancelled,
        _ => return None,
    })
}

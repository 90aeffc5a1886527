//! The recorded way of each job (Q9).

use super::states::Leg;
use crate::postgres::{
    columns::{Columns, int, nanos, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::{AttemptId, JobId},
    job::{Move, Why},
    text::Holder,
    work::FailReason,
};
use jiff::Timestamp;

/// Many legs as columns, for `unnest`; `of` says to which thing of the statement each belongs, from 1.
#[derive(Default)]
pub(in crate::postgres) struct Legs {
    pub(in crate::postgres) of: Vec<i64>,
    pub(in crate::postgres) from: Vec<&'static str>,
    pub(in crate::postgres) to: Vec<&'static str>,
    pub(in crate::postgres) why: Vec<&'static str>,
    pub(in crate::postgres) reason: Vec<Option<String>>,
}

impl Legs {
    /// Puts the legs of one thing behind the others.
    pub(in crate::postgres) fn push(&mut self, of: i64, legs: &[Leg]) -> Result<(), Stop> {
        for leg in legs {
            let (why, reason) = words(leg.why);
            self.of.push(of);
            self.from.push(leg.from.as_str());
            self.to.push(leg.to.as_str());
            self.why.push(why);
            self.reason.push(reason.map(|reason| word(&reason)).transpose()?);
        }
        Ok(())
    }
}

/// Records the legs of one job.
pub(in crate::postgres) async fn add(
    tx: &Tx<'_>,
    job: JobId,
    legs: &[Leg],
    who: &Holder,
    attempt: Option<AttemptId>,
    now: Timestamp,
) -> Result<(), Stop> {
    let mut columns = Legs::default();
    columns.push(1, legs)?;
    tx.run(
        "INSERT INTO move (job, from_stage, to_stage, at, who, why, reason, attempt)
         SELECT $1, l.from_stage, l.to_stage, $2, $3, l.why, l.reason, $4
         FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY
            AS l (from_stage, to_stage, why, reason, n) ORDER BY l.n",
        &[
            &int(job.0),
            &nanos(now),
            &who.as_str(),
            &attempt.map(|attempt| int(attempt.0)),
            &columns.from,
            &columns.to,
            &columns.why,
            &columns.reason,
        ],
    )
    .await?;
    Ok(())
}

/// Whether a move is there that only the asking call can have recorded: by this process, at this very time, for this attempt.
pub(in crate::postgres) async fn is_recorded(
    tx: &Tx<'_>,
    job: JobId,
    why: Why,
    who: &Holder,
    attempt: Option<AttemptId>,
    at: Timestamp,
) -> Result<bool, Stop> {
    let row = tx
        .maybe(
            "SELECT 1 FROM move WHERE job = $1 AND why = $2 AND who = $3 AND at = $4
                AND attempt IS NOT DISTINCT FROM $5",
            &[&int(job.0), &words(why).0, &who.as_str(), &nanos(at), &attempt.map(|attempt| int(attempt.0))],
        )
        .await?;
    Ok(row.is_some())
}

/// A job's way, oldest first.
pub(in crate::postgres) async fn of(db: &Link, job: JobId) -> Result<Vec<Move>, Stop> {
    let rows = db
        .rows(
            "SELECT from_stage, to_stage, at, who, why, reason, attempt FROM move WHERE job = $1 ORDER BY id",
            &[&int(job.0)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let reason = row.maybe_word(5, "move.reason")?;
            Ok(Move {
                from: row.maybe_word(0, "move.from_stage")?,
                to: row.word(1, "move.to_stage")?,
                at: row.time(2)?,
                who: row.word(3, "move.who")?,
                why: why(row.try_get(4)?, reason).ok_or(Stop::Shape("move.why"))?,
                attempt: row.col::<Option<i64>>(6)?.map(|id| AttemptId(id.unsigned_abs())),
            })
        })
        .collect()
}

/// A reason as its two columns.
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

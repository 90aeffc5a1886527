//! Advancing (Q6): many claims in one statement, each with the old stage and its token as precondition.

use super::{
    attempts::Ends,
    dependencies::{self, WAKE},
    moves::{self, Legs},
    states::{Course, StateColumns, name},
};
use crate::postgres::{
    columns::{Columns, int, nanos, time},
    error::Stop,
    link::{Durability, Link, Tx},
    trial::Try,
};
use banksman_core::{
    id::{AttemptId, JobId, Token},
    job::{JobEvent, JobState, Why},
    port::{AttemptRecord, Claim, StoreError},
    text::Holder,
};
use jiff::Timestamp;
use std::collections::HashMap;
use tokio_postgres::{Row, types::ToSql};

/// What one call wants, as the domain says.
pub(in crate::postgres) struct Step {
    pub(in crate::postgres) job: JobId,
    attempt: AttemptId,
    token: Token,
    holder: Holder,
    before: &'static str,
    course: Course,
    failed: bool,
    end: Option<AttemptRecord>,
    now: Timestamp,
}

/// What became of a job.
#[derive(Clone)]
pub(in crate::postgres) struct Stepped {
    /// Where it is.
    pub(in crate::postgres) state: JobState,
    /// Failures so far.
    pub(in crate::postgres) failures: u32,
    /// End of the lease, while there is one.
    pub(in crate::postgres) until: Option<Timestamp>,
}

impl Step {
    /// Asks the domain. Refused are events that the graph does not have, and those that have functions of their own.
    pub(in crate::postgres) fn new(
        claim: &Claim,
        events: Vec<JobEvent>,
        end: Option<&AttemptRecord>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        if claim.job.state.held().is_none() {
            return Err(StoreError::Fenced);
        }
        if events.iter().any(|event| matches!(event, JobEvent::Claimed(_) | JobEvent::Cancelled { .. })) {
            return Err(StoreError::Missing("event of a worker"));
        }
        let failing = matches!(events.last(), Some(JobEvent::Again { .. } | JobEvent::Failed { .. }));
        let course = Course::of(&claim.job.state, events)?;
        Ok(Self {
            job: claim.job.id,
            attempt: claim.attempt,
            token: claim.token,
            holder: claim.holder.clone(),
            before: name(&claim.job.state),
            course,
            failed: failing && end.is_some_and(|end| end.failure.is_some()),
            end: end.cloned(),
            now,
        })
    }

    /// Whether the job ended without being shipped, so that others fail with it.
    fn takes_others_with_it(&self) -> bool {
        matches!(self.course.after, JobState::Failed { .. } | JobState::Cancelled { .. })
    }
}

/// Whether nothing but the jobs themselves, and those that wait for shipped ones, has to be looked at.
pub(in crate::postgres) fn are_plain(steps: &[&Step]) -> bool {
    !steps.iter().any(|step| step.takes_others_with_it())
}

/// Carries plain steps of different jobs out, in one round trip; nothing for a step that is fenced.
pub(in crate::postgres) async fn take(link: &Link, steps: &[&Step]) -> Result<Vec<Option<Stepped>>, Stop> {
    let (input, shipped) = (Input::of(steps)?, shipped(steps));
    let rows = if shipped.is_empty() {
        let [rows] = link.together(Durability::Restartable, [(STEP, &input.values())]).await?;
        rows
    } else {
        // Behind the first one, so that it sees jobs that began to wait while the first one waited for their rows.
        let both = [(STEP, &input.values()[..]), (WAKE, &[&shipped])];
        let [rows, _] = link.together(Durability::Restartable, both).await?;
        rows
    };
    answers(steps, &rows)
}

fn shipped(steps: &[&Step]) -> Vec<i64> {
    let done = |step: &&&Step| matches!(step.course.after, JobState::Shipped { .. });
    steps.iter().filter(done).map(|step| int(step.job.0)).collect()
}

/// Carries steps of different jobs out; nothing for a step that is fenced. When an answer was lost, a step whose last move is recorded
/// for its attempt at this very time was carried out.
pub(in crate::postgres) async fn take_carefully(
    tx: &Tx<'_>,
    steps: &[&Step],
    which: Try,
) -> Result<Vec<Option<Stepped>>, Stop> {
    let input = Input::of(steps)?;
    let mut stepped = answers(steps, &tx.rows(STEP, &input.values()).await?)?;
    if which == Try::Again {
        for (place, step) in steps.iter().enumerate() {
            if let Some(answer) = stepped.get_mut(place)
                && answer.is_none()
            {
                *answer = found_again(tx, step).await?;
            }
        }
    }
    let shipped = shipped(steps);
    if !shipped.is_empty() {
        tx.run(WAKE, &[&shipped]).await?;
    }
    for (step, answer) in steps.iter().zip(&stepped) {
        if answer.is_some() && step.takes_others_with_it() {
            dependencies::fail_dependents(tx, step.job, &step.holder, step.now).await?;
        }
    }
    Ok(stepped)
}

async fn found_again(tx: &Tx<'_>, step: &Step) -> Result<Option<Stepped>, Stop> {
    let Some(last) = step.course.legs.last() else { return Ok(None) };
    let own: Why = last.why;
    if !moves::is_recorded(tx, step.job, own, &step.holder, Some(step.attempt), step.now).await? {
        return Ok(None);
    }
    let row = tx.one("SELECT failures, until FROM job WHERE id = $1", &[&int(step.job.0)]).await?;
    Ok(Some(Stepped { state: step.course.after.clone(), failures: row.count(0)?, until: row.maybe_time(1)? }))
}

/// The steps as columns, for `unnest`.
#[derive(Default)]
struct StepColumns<'s> {
    job: Vec<i64>,
    attempt: Vec<i64>,
    token: Vec<i64>,
    holder: Vec<&'s str>,
    before: Vec<&'s str>,
    after: Vec<&'s str>,
    not_before: Vec<Option<i64>>,
    ended_at: Vec<Option<i64>>,
    outcome: Vec<Option<String>>,
    reason: Vec<Option<String>>,
    failed: Vec<i32>,
    at: Vec<i64>,
    told: Vec<bool>,
}

/// All that the statement takes.
#[derive(Default)]
struct Input<'s> {
    steps: StepColumns<'s>,
    legs: Legs,
    ends: Ends,
}

impl<'s> Input<'s> {
    fn of(steps: &[&'s Step]) -> Result<Self, Stop> {
        let mut input = Self::default();
        let Self { steps: c, legs, ends } = &mut input;
        for (n, step) in (1..).zip(steps) {
            let after = StateColumns::of(&step.course.after)?;
            c.job.push(int(step.job.0));
            c.attempt.push(int(step.attempt.0));
            c.token.push(int(step.token.0));
            c.holder.push(step.holder.as_str());
            c.before.push(step.before);
            c.after.push(after.name);
            c.not_before.push(after.not_before);
            c.ended_at.push(after.ended_at);
            c.outcome.push(after.outcome);
            c.reason.push(after.reason);
            c.failed.push(i32::from(step.failed));
            c.at.push(nanos(step.now));
            c.told.push(step.course.changes_stage());
            legs.push(n, &step.course.legs)?;
            if let Some(end) = &step.end {
                ends.push(n, end)?;
            }
        }
        Ok(input)
    }

    /// In the order of [`STEP`].
    fn values(&self) -> [&(dyn ToSql + Sync); 22] {
        let Self { steps: c, legs, ends } = self;
        [
            &c.job,
            &c.attempt,
            &c.token,
            &c.holder,
            &c.before,
            &c.after,
            &c.not_before,
            &c.ended_at,
            &c.outcome,
            &c.reason,
            &c.failed,
            &c.at,
            &c.told,
            &legs.of,
            &legs.from,
            &legs.to,
            &legs.why,
            &legs.reason,
            &ends.of,
            &ends.ended_at,
            &ends.failure,
            &ends.measured,
        ]
    }
}

const STEP: &str = "WITH input AS MATERIALIZED (
                SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                    $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::integer[], $12::bigint[], $13::boolean[])
                    WITH ORDINALITY AS i (job, attempt, token, holder, before, after, not_before, ended_at, outcome,
                        reason, failed, at, told, n)
             ), stepped AS (
                UPDATE job j SET state = i.after, not_before = i.not_before, ended_at = i.ended_at,
                    outcome = i.outcome::json, reason = i.reason, failures = j.failures + i.failed,
                    attempt = CASE WHEN i.after IN ('building', 'review', 'testing') THEN j.attempt END,
                    holder = CASE WHEN i.after IN ('building', 'review', 'testing') THEN j.holder END,
                    until = CASE WHEN i.after IN ('building', 'review', 'testing') THEN j.until END
                FROM input i
                WHERE j.id = i.job AND j.attempt = i.attempt AND j.token = i.token AND j.holder = i.holder
                    AND j.state = i.before
                RETURNING i.n, j.id, i.attempt, i.holder, i.at, i.told, j.failures, j.until, j.lock, j.auto_echo
             ), moved AS (
                INSERT INTO move (job, from_stage, to_stage, at, who, why, reason, attempt)
                SELECT ($1::bigint[])[l.n], l.from_stage, l.to_stage, ($12::bigint[])[l.n], ($4::text[])[l.n], l.why,
                    l.reason, ($2::bigint[])[l.n]
                FROM unnest($14::bigint[], $15::text[], $16::text[], $17::text[], $18::text[])
                    AS l (n, from_stage, to_stage, why, reason)
                WHERE l.n = ANY (ARRAY(SELECT n FROM stepped))
             ), ended AS (
                UPDATE attempt a SET ended_at = e.ended_at, failure = e.failure, measured = e.measured::json
                FROM unnest($19::bigint[], $20::bigint[], $21::text[], $22::text[]) AS e (n, ended_at, failure, measured)
                WHERE e.n = ANY (ARRAY(SELECT n FROM stepped)) AND a.id = ($2::bigint[])[e.n]
             ), freed AS (
                DELETE FROM held_lock h USING stepped s
                WHERE s.lock IS NOT NULL AND s.until IS NULL AND h.name = s.lock AND h.attempt = s.attempt
             ), echoed AS (
                INSERT INTO echo (job, due, wished) SELECT id, at, 1 FROM stepped WHERE auto_echo AND told
                ON CONFLICT (job) DO UPDATE SET wished = echo.wished + 1, due = least(echo.due, excluded.due)
             )
             SELECT n, failures, until FROM stepped";

fn answers(steps: &[&Step], rows: &[Row]) -> Result<Vec<Option<Stepped>>, Stop> {
    let mut found: HashMap<i64, (u32, Option<Timestamp>)> = HashMap::with_capacity(rows.len());
    for row in rows {
        found.insert(row.col(0)?, (row.count(1)?, row.col::<Option<i64>>(2)?.map(time)));
    }
    let answer = |(n, step): (i64, &&Step)| {
        let (failures, until) = found.remove(&n)?;
        Some(Stepped { state: step.course.after.clone(), failures, until })
    };
    Ok((1..).zip(steps).map(answer).collect())
}

//! The one way of a job from state to state (Q6). What becomes of it is computed by `JobState::next` before the transaction; the
//! transaction writes it with the old stage, token and attempt as precondition, records the moves, and looks after the jobs
//! that depend on it.

use super::{Stop, dependencies, echoes, moves};
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::{AttemptId, JobId, Token},
    job::{IllegalMove, JobEvent, JobState, Outcome, Stage, Why},
    port::StoreError,
    text::Holder,
    work::FailReason,
};
use jiff::Timestamp;
use rusqlite::params;

/// What becomes of a job by a row of events.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    before: JobState,
    /// Where it ends up.
    pub(crate) after: JobState,
    /// One for each event.
    pub(crate) legs: Vec<Leg>,
}

/// One transition of a course.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg {
    pub(crate) from: Stage,
    pub(crate) to: Stage,
    pub(crate) why: Why,
}

impl Course {
    /// Asks the domain; an event that the graph does not have is an error.
    pub(crate) fn of(
        before: &JobState,
        events: impl IntoIterator<Item = JobEvent>,
    ) -> Result<Self, IllegalMove> {
        let mut course = Self { before: before.clone(), after: before.clone(), legs: Vec::new() };
        for event in events {
            let (from, why) = (course.after.stage(), event.why());
            course.after = course.after.next(event)?;
            course.legs.push(Leg { from, to: course.after.stage(), why });
        }
        Ok(course)
    }
}

/// A course of one job and who is the cause of it.
pub(crate) struct Step<'s> {
    /// The job.
    pub(crate) job: JobId,
    /// The token of its last claim; where the course is a claim, of the one before.
    pub(crate) token: Token,
    /// What becomes of it.
    pub(crate) course: &'s Course,
    /// Failures to be counted.
    pub(crate) failures: u32,
    /// Losses to be counted.
    pub(crate) losses: u32,
    /// Who moves it.
    pub(crate) who: &'s Holder,
    /// Now.
    pub(crate) now: Timestamp,
}

/// Moves a job. Fenced when it is not where the course begins. Jobs that wait for it are woken, or fail with it (one after the
/// other: they may be a long chain).
pub(crate) fn take(tx: &Tx<'_>, step: &Step<'_>) -> Result<(), Stop> {
    write(tx, step)?;
    match step.course.after {
        JobState::Shipped { .. } => dependencies::wake(tx, step.job),
        JobState::Failed { .. } | JobState::Cancelled { .. } => {
            fail_dependents(tx, step.job, step.who, step.now)
        }
        _ => Ok(()),
    }
}

/// Fails what waits for a job that will never be shipped, and what waits for that.
pub(crate) fn fail_dependents(tx: &Tx<'_>, job: JobId, who: &Holder, now: Timestamp) -> Result<(), Stop> {
    let mut ended = vec![job];
    while let Some(job) = ended.pop() {
        for waiting in dependencies::waiting_for(tx, job)? {
            let event = JobEvent::Failed { reason: FailReason::Dependency, at: now };
            let course = Course::of(&JobState::Inbox { not_before: waiting.not_before }, [event])?;
            let step =
                Step { job: waiting.job, token: Token(0), course: &course, failures: 0, losses: 0, who, now };
            write(tx, &step)?;
            ended.push(waiting.job);
        }
    }
    Ok(())
}

fn write(tx: &Tx<'_>, step: &Step<'_>) -> Result<(), Stop> {
    let course = step.course;
    let (before, after) = (&course.before, &course.after);
    let columns = Columns::of(after, step.now);
    let held_before = before.held().map(|held| held.attempt.0);
    let token = after.held().map_or(step.token, |held| held.token);
    // The columns that say how it waits are in several indexes: they are named only where they may change.
    let written = if before.is_waiting() || after.is_waiting() {
        tx.prepare_cached(
            "UPDATE job SET stage = ?2, attempt = ?3, outcome = ?4, reason = ?5, ended_at = ?6, token = ?7,
                failures = failures + ?8, losses = losses + ?9, moves = moves + ?10,
                not_before = ?14, ripe = ?15, waits_for = 0
             WHERE id = ?1 AND stage = ?11 AND token = ?12 AND attempt IS ?13",
        )?
        .execute(params![
            step.job.0,
            after.stage().as_str(),
            columns.attempt.map(|a| a.0),
            columns.outcome.map(Json),
            columns.reason.map(Word),
            columns.ended_at.map(Nanos),
            token.0,
            step.failures,
            step.losses,
            course.legs.len(),
            before.stage().as_str(),
            step.token.0,
            held_before,
            columns.not_before.map(Nanos),
            columns.ripe,
        ])?
    } else {
        tx.prepare_cached(
            "UPDATE job SET stage = ?2, attempt = ?3, outcome = ?4, reason = ?5, ended_at = ?6, token = ?7,
                failures = failures + ?8, losses = losses + ?9, moves = moves + ?10
             WHERE id = ?1 AND stage = ?11 AND token = ?12 AND attempt IS ?13",
        )?
        .execute(params![
            step.job.0,
            after.stage().as_str(),
            columns.attempt.map(|a| a.0),
            columns.outcome.map(Json),
            columns.reason.map(Word),
            columns.ended_at.map(Nanos),
            token.0,
            step.failures,
            step.losses,
            course.legs.len(),
            before.stage().as_str(),
            step.token.0,
            held_before,
        ])?
    };
    if written != 1 {
        return Err(StoreError::Fenced.into());
    }
    // Not `RETURNING`: SQLite makes a table of its own for that each time.
    let (moves, auto_echo): (u64, bool) = tx
        .prepare_cached("SELECT moves, auto_echo FROM job WHERE id = ?1")?
        .query_row([step.job.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let attempt = before.held().or(after.held()).map(|held| held.attempt);
    moves::add(tx, step, attempt, moves - course.legs.len() as u64 + 1)?;
    if auto_echo && course.legs.iter().any(|leg| leg.from != leg.to) {
        echoes::wish(tx, step.job, step.now)?;
    }
    Ok(())
}

/// A state as the table has it: the columns of other states are empty.
#[derive(Default)]
struct Columns<'s> {
    not_before: Option<Timestamp>,
    ripe: bool,
    attempt: Option<AttemptId>,
    outcome: Option<&'s Outcome>,
    reason: Option<FailReason>,
    ended_at: Option<Timestamp>,
}

impl<'s> Columns<'s> {
    fn of(state: &'s JobState, now: Timestamp) -> Self {
        match state {
            JobState::Inbox { not_before } | JobState::Waiting { not_before } => {
                Self { not_before: Some(*not_before), ripe: *not_before <= now, ..Self::default() }
            }
            JobState::Building(held) | JobState::Review(held) | JobState::Testing(held) => {
                Self { attempt: Some(held.attempt), ..Self::default() }
            }
            JobState::Shipped { at, outcome } => {
                Self { outcome: Some(outcome), ended_at: Some(*at), ..Self::default() }
            }
            JobState::Failed { at, reason } => {
                Self { reason: Some(*reason), ended_at: Some(*at), ..Self::default() }
            }
            JobState::Cancelled { at } => Self { ended_at: Some(*at), ..Self::default() },
        }
    }
}

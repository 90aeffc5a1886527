//! How the state of a job stands in its columns, and what becomes of it by a row of events.

use crate::postgres::{
    columns::{Columns, json, nanos, word},
    error::Stop,
};
use banksman_core::{
    id::{AttemptId, Token},
    job::{Held, JobEvent, JobState, Stage, Why},
};
use tokio_postgres::Row;

/// Word of a state: its stage, but that a job between two attempts is `waiting`.
pub(in crate::postgres) fn name(state: &JobState) -> &'static str {
    match state {
        JobState::Waiting { .. } => "waiting",
        JobState::Inbox { .. }
        | JobState::Building(_)
        | JobState::Review(_)
        | JobState::Testing(_)
        | JobState::Shipped { .. }
        | JobState::Failed { .. }
        | JobState::Cancelled { .. } => state.stage().as_str(),
    }
}

/// The columns of a state that the job's row does not have in every state; those of a hold are not among them.
pub(in crate::postgres) struct StateColumns {
    pub(in crate::postgres) name: &'static str,
    pub(in crate::postgres) not_before: Option<i64>,
    pub(in crate::postgres) ended_at: Option<i64>,
    pub(in crate::postgres) outcome: Option<String>,
    pub(in crate::postgres) reason: Option<String>,
}

impl StateColumns {
    /// Of a state.
    pub(in crate::postgres) fn of(state: &JobState) -> Result<Self, Stop> {
        let mut columns =
            Self { name: name(state), not_before: None, ended_at: None, outcome: None, reason: None };
        match state {
            JobState::Inbox { not_before } | JobState::Waiting { not_before } => {
                columns.not_before = Some(nanos(*not_before));
            }
            JobState::Building(_) | JobState::Review(_) | JobState::Testing(_) => {}
            JobState::Shipped { at, outcome } => {
                columns.ended_at = Some(nanos(*at));
                columns.outcome = Some(json(outcome)?);
            }
            JobState::Failed { at, reason } => {
                columns.ended_at = Some(nanos(*at));
                columns.reason = Some(word(reason)?);
            }
            JobState::Cancelled { at } => columns.ended_at = Some(nanos(*at)),
        }
        Ok(columns)
    }
}

/// Reads a state from `state, not_before, attempt, holder, token, until, ended_at, outcome, reason`, which begin at this column.
pub(in crate::postgres) fn read(row: &Row, from: usize) -> Result<JobState, Stop> {
    let not_before = || row.time(from + 1);
    let held = || {
        Ok::<_, Stop>(Held {
            attempt: AttemptId(row.uint(from + 2)?),
            holder: row.word(from + 3, "job.holder")?,
            token: Token(row.uint(from + 4)?),
            until: row.time(from + 5)?,
        })
    };
    let at = || row.time(from + 6);
    Ok(match row.try_get::<_, &str>(from)? {
        "inbox" => JobState::Inbox { not_before: not_before()? },
        "waiting" => JobState::Waiting { not_before: not_before()? },
        "building" => JobState::Building(held()?),
        "review" => JobState::Review(held()?),
        "testing" => JobState::Testing(held()?),
        "shipped" => JobState::Shipped { at: at()?, outcome: row.json(from + 7)? },
        "failed" => JobState::Failed { at: at()?, reason: row.word(from + 8, "job.reason")? },
        "cancelled" => JobState::Cancelled { at: at()? },
        // The table's CHECK constraint leaves nothing else.
        _ => return Err(Stop::Shape("job.state")),
    })
}

/// One transition.
#[derive(Debug, Clone, Copy)]
pub(in crate::postgres) struct Leg {
    pub(in crate::postgres) from: Stage,
    pub(in crate::postgres) to: Stage,
    pub(in crate::postgres) why: Why,
}

/// What becomes of a job by a row of events, as the domain says.
pub(in crate::postgres) struct Course {
    pub(in crate::postgres) after: JobState,
    pub(in crate::postgres) legs: Vec<Leg>,
}

impl Course {
    /// Asks the domain; events that the graph does not have are refused.
    pub(in crate::postgres) fn of(before: &JobState, events: Vec<JobEvent>) -> Result<Self, Stop> {
        let mut course = Self { after: before.clone(), legs: Vec::with_capacity(events.len()) };
        for event in events {
            let (from, why) = (course.after.stage(), event.why());
            course.after = course.after.next(event)?;
            course.legs.push(Leg { from, to: course.after.stage(), why });
        }
        Ok(course)
    }

    /// Whether the stage changes on the way.
    pub(in crate::postgres) fn changes_stage(&self) -> bool {
        self.legs.iter().any(|leg| leg.from != leg.to)
    }
}

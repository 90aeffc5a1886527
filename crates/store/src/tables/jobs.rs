//! Jobs as they are read: one by one, by key, in lists, in numbers. What moves them is in [`super::steps`].

use super::Stop;
use crate::sqlite::{Json, Nanos, Word};
use banksman_core::{
    id::{AttemptId, JobId, Number, Token},
    job::{Body, Held, Job, JobState, JobWork, Stage},
    manifest::Choice,
    port::{JobFilter, JobPlace, StageCounts, StoreError, TaskFilter},
    text::{ClassName, EngineName, JobKey, JobName, RepoName},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

/// What every query of jobs selects, in the order that [`read`] expects. The rows of the job are `j`.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.name, j.key, l.repo, l.engine, j.task, b.spec, j.created_at, j.failures, j.losses,
                j.waits_for, j.retry_of, j.stage, j.not_before, j.attempt, c.holder, j.token, c.until, j.outcome,
                j.reason, j.ended_at, l.class, j.lock, b.body
             FROM job j JOIN lane l ON l.id = j.lane LEFT JOIN job_body b ON b.job = j.id
                LEFT JOIN claim c ON c.job = j.id ",
            $rest
        )
    };
}

/// One job.
pub(crate) fn by_id(db: &Connection, id: JobId) -> Result<Option<Job>, Stop> {
    Ok(db.prepare_cached(select!("WHERE j.id = ?1"))?.query_row([id.0], read).optional()?)
}

/// One job that has to be there.
pub(crate) fn known(db: &Connection, id: JobId) -> Result<Job, Stop> {
    by_id(db, id)?.ok_or_else(|| StoreError::Missing("job").into())
}

/// One job that has to be there, with its manifest still unread, and its instructions.
pub(crate) fn stored(db: &Connection, id: JobId) -> Result<(Stored, Body), Stop> {
    let mut query = db.prepare_cached(select!("WHERE j.id = ?1"))?;
    let found = query.query_row([id.0], |row| Ok((Stored::read(row)?, row.get::<_, Option<String>>(23)?)));
    let (stored, body) = found.optional()?.ok_or(StoreError::Missing("job"))?;
    Ok((stored, body.map(Body::new).unwrap_or_default()))
}

/// Where jobs are, in the order asked for.
pub(crate) fn places(db: &Connection, jobs: &[JobId]) -> Result<Vec<JobPlace>, Stop> {
    let mut query = db.prepare_cached("SELECT name, stage, created_at FROM job WHERE id = ?1")?;
    let mut places = Vec::with_capacity(jobs.len());
    for job in jobs {
        let place = query.query_row([job.0], |row| {
            let name = JobName::new(row.get_ref(0)?.as_str()?).map_err(unreadable)?;
            let (stage, added_at) = (row.get::<_, Word<Stage>>(1)?.0, row.get::<_, Nanos>(2)?.0);
            Ok(JobPlace { job: *job, name, stage, added_at })
        });
        places.extend(place.optional()?);
    }
    Ok(places)
}

/// The token of the last claim of a job.
pub(crate) fn token(db: &Connection, id: JobId) -> Result<Token, Stop> {
    let token =
        db.prepare_cached("SELECT token FROM job WHERE id = ?1")?.query_row([id.0], |row| row.get(0))?;
    Ok(Token(token))
}

/// The newest job with a key.
pub(crate) fn by_key(db: &Connection, key: &JobKey) -> Result<Option<Job>, Stop> {
    match newest(db, key)? {
        Some(id) => by_id(db, id),
        None => Ok(None),
    }
}

/// The id of the newest job with a key.
pub(crate) fn newest(db: &Connection, key: &JobKey) -> Result<Option<JobId>, Stop> {
    let id = db
        .prepare_cached("SELECT id FROM job WHERE key = ?1 ORDER BY generation DESC LIMIT 1")?
        .query_row([key.as_str()], |row| row.get(0))
        .optional()?;
    Ok(id.map(JobId))
}

/// The instructions of a job; empty for a task.
pub(crate) fn body(db: &Connection, id: JobId) -> Result<Body, Stop> {
    let text: Option<Option<String>> = db
        .prepare_cached("SELECT b.body FROM job j LEFT JOIN job_body b ON b.job = j.id WHERE j.id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    let text = text.ok_or(StoreError::Missing("job"))?;
    Ok(text.map(Body::new).unwrap_or_default())
}

/// A list.
pub(crate) fn of(db: &Connection, filter: &JobFilter) -> Result<Vec<Job>, Stop> {
    match filter {
        JobFilter::Unfinished => unfinished(db),
        JobFilter::Stages(stages, most) => in_stages(db, stages, *most),
        JobFilter::Waiting(most) => waiting(db, *most),
        JobFilter::Item(item) => {
            let mut query = db.prepare_cached(select!("WHERE j.item = ?1 ORDER BY j.id DESC"))?;
            collect(query.query_map([item.as_str()], read)?)
        }
    }
}

fn unfinished(db: &Connection) -> Result<Vec<Job>, Stop> {
    let mut query = db.prepare_cached(select!(
        "WHERE j.stage IN ('inbox', 'building', 'review', 'testing') ORDER BY j.id"
    ))?;
    collect(query.query_map([], read)?)
}

/// The newest of each stage, then the newest of those: a list of all stages with a limit would be sorted as a whole.
fn in_stages(db: &Connection, stages: &[Stage], most: u32) -> Result<Vec<Job>, Stop> {
    let mut query = db.prepare_cached(select!("WHERE j.stage = ?1 ORDER BY j.id DESC LIMIT ?2"))?;
    let mut jobs = Vec::new();
    for stage in Stage::ALL.into_iter().filter(|stage| stages.contains(stage)) {
        jobs.extend(query.query_map(params![stage.as_str(), most], read)?.collect::<Result<Vec<Job>, _>>()?);
    }
    jobs.sort_unstable_by_key(|job| std::cmp::Reverse(job.id));
    jobs.truncate(most as usize);
    Ok(jobs)
}

fn waiting(db: &Connection, most: u32) -> Result<Vec<Job>, Stop> {
    let mut query = db.prepare_cached(select!(
        "WHERE j.id IN (SELECT id FROM job INDEXED BY job_waiting WHERE not_before IS NOT NULL
            ORDER BY priority, id LIMIT ?1)
         ORDER BY j.priority, j.id"
    ))?;
    collect(query.query_map([most], read)?)
}

/// Numbers by stage, from an index alone.
pub(crate) fn counts(db: &Connection) -> Result<StageCounts, Stop> {
    let mut query =
        db.prepare_cached("SELECT stage, count(*) FROM job INDEXED BY job_by_stage GROUP BY stage")?;
    let mut rows = query.query([])?;
    let mut counts = StageCounts::default();
    while let Some(row) = rows.next()? {
        let of_stage = match row.get::<_, Word<Stage>>(0)?.0 {
            Stage::Inbox => &mut counts.inbox,
            Stage::Building => &mut counts.building,
            Stage::Review => &mut counts.review,
            Stage::Testing => &mut counts.testing,
            Stage::Shipped => &mut counts.shipped,
            Stage::Failed => &mut counts.failed,
            Stage::Cancelled => &mut counts.cancelled,
        };
        *of_stage = row.get(1)?;
    }
    Ok(counts)
}

/// Jobs of the pipeline that were not repeated, ascending.
pub(crate) fn tasks(db: &Connection, filter: &TaskFilter) -> Result<Vec<Job>, Stop> {
    match filter {
        TaskFilter::Repo(repo) => tasks_of(db, repo),
        TaskFilter::Subject(repo, subject) => tasks_about(db, repo, *subject),
    }
}

fn tasks_of(db: &Connection, repo: &RepoName) -> Result<Vec<Job>, Stop> {
    let mut query = db.prepare_cached(select!(
        "WHERE j.lane IN (SELECT id FROM lane WHERE repo = ?1) AND j.task_key IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM job newer WHERE newer.retry_of = j.id)
         ORDER BY j.id"
    ))?;
    collect(query.query_map([repo.as_str()], read)?)
}

fn tasks_about(db: &Connection, repo: &RepoName, subject: Number) -> Result<Vec<Job>, Stop> {
    let mut query = db.prepare_cached(select!(
        "WHERE j.subject = ?2 AND l.repo = ?1
            AND NOT EXISTS (SELECT 1 FROM job newer WHERE newer.retry_of = j.id)
         ORDER BY j.id"
    ))?;
    collect(query.query_map(params![repo.as_str(), subject.0], read)?)
}

fn collect(rows: impl Iterator<Item = rusqlite::Result<Job>>) -> Result<Vec<Job>, Stop> {
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    Stored::read(row)?.job()
}

/// A job as the tables have it: what its task or manifest says is still text.
pub(crate) struct Stored {
    id: JobId,
    name: String,
    key: Option<String>,
    repo: Option<String>,
    engine: Option<String>,
    class: Option<String>,
    task: Option<String>,
    spec: Option<String>,
    created_at: Timestamp,
    failures: u32,
    losses: u32,
    waits_for: u32,
    retry_of: Option<JobId>,
    /// Where it is.
    pub(crate) state: JobState,
    /// The token of its last claim.
    pub(crate) token: Token,
    /// The lock that it needs; empty: none.
    pub(crate) lock: String,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: JobId(row.get(0)?),
            name: row.get(1)?,
            key: row.get(2)?,
            repo: row.get(3)?,
            engine: row.get(4)?,
            class: row.get(21)?,
            task: row.get(5)?,
            spec: row.get(6)?,
            created_at: row.get::<_, Nanos>(7)?.0,
            failures: row.get(8)?,
            losses: row.get(9)?,
            waits_for: row.get(10)?,
            retry_of: row.get::<_, Option<u64>>(11)?.map(JobId),
            state: read_state(row)?,
            token: Token(row.get(16)?),
            lock: row.get(22)?,
        })
    }

    /// Who may run it.
    pub(crate) fn choice(&self) -> rusqlite::Result<Choice> {
        match (&self.engine, &self.class) {
            (Some(engine), _) => EngineName::new(engine).map(Choice::Engine).map_err(unreadable),
            (None, class) => {
                ClassName::new(class.as_deref().unwrap_or_default()).map(Choice::Class).map_err(unreadable)
            }
        }
    }

    /// The job, with everything read.
    pub(crate) fn job(self) -> rusqlite::Result<Job> {
        let work = match (self.repo, self.task, self.spec) {
            (Some(repo), Some(task), _) => JobWork::Task {
                repo: RepoName::new(&repo).map_err(unreadable)?,
                task: serde_json::from_str(&task).map_err(unreadable)?,
                engine: EngineName::new(self.engine.as_deref().unwrap_or_default()).map_err(unreadable)?,
            },
            (_, _, spec) => {
                JobWork::Manifest(serde_json::from_str(&spec.unwrap_or_default()).map_err(unreadable)?)
            }
        };
        Ok(Job {
            id: self.id,
            name: JobName::new(&self.name).map_err(unreadable)?,
            key: self.key.map(|key| JobKey::new(&key)).transpose().map_err(unreadable)?,
            work,
            created_at: self.created_at,
            failures: self.failures,
            losses: self.losses,
            waits_for: self.waits_for,
            retry_of: self.retry_of,
            state: self.state,
        })
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}

fn read_state(row: &Row<'_>) -> rusqlite::Result<JobState> {
    let not_before = row.get::<_, Option<Nanos>>(13)?.map(|t| t.0);
    let held = || {
        Ok::<_, rusqlite::Error>(Held {
            attempt: AttemptId(row.get(14)?),
            holder: row.get::<_, Word<_>>(15)?.0,
            token: Token(row.get(16)?),
            until: row.get::<_, Nanos>(17)?.0,
        })
    };
    let at = || Ok::<_, rusqlite::Error>(row.get::<_, Nanos>(20)?.0);
    Ok(match (row.get_ref(12)?.as_str()?, not_before) {
        ("inbox", Some(not_before)) => JobState::Inbox { not_before },
        ("building", Some(not_before)) => JobState::Waiting { not_before },
        ("building", None) => JobState::Building(held()?),
        ("review", None) => JobState::Review(held()?),
        ("testing", None) => JobState::Testing(held()?),
        ("shipped", None) => JobState::Shipped { at: at()?, outcome: row.get::<_, Json<_>>(18)?.0 },
        ("failed", None) => JobState::Failed { at: at()?, reason: row.get::<_, Word<_>>(19)?.0 },
        ("cancelled", None) => JobState::Cancelled { at: at()? },
        // The table's CHECK constraints leave nothing else.
        _ => return Err(rusqlite::Error::InvalidColumnType(12, "stage".to_owned(), Type::Text)),
    })
}

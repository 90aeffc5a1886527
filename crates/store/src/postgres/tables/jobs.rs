//! Jobs as they are read: one by one, by key, in lists, in numbers.

use super::states;
use crate::postgres::{
    columns::{Columns, int},
    error::Stop,
    link::Link,
};
use banksman_core::{
    id::{JobId, Number},
    job::{Body, Job, Stage},
    port::{JobFilter, JobPlace, StageCounts, StoreError, TaskFilter},
    text::{ItemId, JobKey, RepoName},
};
use tokio_postgres::Row;

/// What every query of jobs selects, in the order that [`read`] expects; the job is `j`, its work `w`.
macro_rules! job_columns {
    () => {
        "j.id, j.name, j.key, w.work, j.created_at, j.failures, j.losses, j.waits_for, j.retry_of,
         j.state, j.not_before, j.attempt, j.holder, j.token, j.until, j.ended_at, j.outcome, j.reason"
    };
}

/// How many columns those are.
pub(in crate::postgres) const JOB_COLUMNS: usize = 18;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", job_columns!(), " FROM job j JOIN job_work w ON w.job = j.id ", $rest)
    };
}

pub(in crate::postgres) use job_columns;

/// One job.
pub(in crate::postgres) async fn by_id(db: &Link, id: JobId) -> Result<Option<Job>, Stop> {
    db.maybe(select!("WHERE j.id = $1"), &[&int(id.0)]).await?.map(|row| read(&row)).transpose()
}

/// The newest job with a key.
pub(in crate::postgres) async fn by_key(db: &Link, key: &JobKey) -> Result<Option<Job>, Stop> {
    let row = db.maybe(select!("WHERE j.key = $1 AND NOT j.repeated"), &[&key.as_str()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The instructions of a job; empty for a task.
pub(in crate::postgres) async fn body(db: &Link, id: JobId) -> Result<Body, Stop> {
    let row = db
        .maybe("SELECT body FROM job_work WHERE job = $1", &[&int(id.0)])
        .await?
        .ok_or(StoreError::Missing("job"))?;
    read_body(&row, 0)
}

/// Instructions from their column.
pub(in crate::postgres) fn read_body(row: &Row, at: usize) -> Result<Body, Stop> {
    let Some(bytes) = row.col::<Option<Vec<u8>>>(at)? else { return Ok(Body::default()) };
    Ok(Body::new(String::from_utf8(bytes).map_err(|_| Stop::Shape("job_work.body"))?))
}

/// Where jobs are, in the order asked for.
pub(in crate::postgres) async fn places(db: &Link, jobs: &[JobId]) -> Result<Vec<JobPlace>, Stop> {
    let ids: Vec<i64> = jobs.iter().map(|job| int(job.0)).collect();
    let rows = db
        .rows(
            "SELECT j.id, j.name, CASE j.state WHEN 'waiting' THEN 'building' ELSE j.state END, j.created_at
             FROM unnest($1::bigint[]) WITH ORDINALITY AS asked (id, n) JOIN job j ON j.id = asked.id ORDER BY asked.n",
            &[&ids],
        )
        .await?;
    let place = |row: &Row| {
        let (job, name) = (JobId(row.uint(0)?), row.word(1, "job.name")?);
        Ok(JobPlace { job, name, stage: row.word(2, "job.state")?, added_at: row.time(3)? })
    };
    rows.iter().map(place).collect()
}

/// A list.
pub(in crate::postgres) async fn of(db: &Link, filter: &JobFilter) -> Result<Vec<Job>, Stop> {
    match filter {
        JobFilter::Unfinished => unfinished(db).await,
        JobFilter::Stages(stages, most) => in_stages(db, stages, *most).await,
        JobFilter::Waiting(most) => waiting(db, *most).await,
        JobFilter::Item(item) => of_item(db, item).await,
    }
}

async fn unfinished(db: &Link) -> Result<Vec<Job>, Stop> {
    all(db
        .rows(
            select!(
                "WHERE j.id IN (
                    SELECT id FROM job WHERE state IN ('inbox', 'waiting') AND waits_for = 0
                    UNION ALL SELECT id FROM job WHERE state IN ('inbox', 'waiting') AND waits_for > 0
                    UNION ALL SELECT id FROM job WHERE holder IS NOT NULL AND state <> 'cancelled')
                 ORDER BY j.id"
            ),
            &[],
        )
        .await?)
}

/// From the newest job backwards; with few jobs in the stages all are looked at, 100,000 in some 20 ms.
async fn in_stages(db: &Link, stages: &[Stage], most: u32) -> Result<Vec<Job>, Stop> {
    let mut names: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
    if stages.contains(&Stage::Building) {
        names.push("waiting");
    }
    all(db
        .rows(
            select!(
                "WHERE j.id IN (SELECT id FROM job WHERE state = ANY ($1) ORDER BY id DESC LIMIT $2)
                 ORDER BY j.id DESC"
            ),
            &[&names, &i64::from(most)],
        )
        .await?)
}

async fn waiting(db: &Link, most: u32) -> Result<Vec<Job>, Stop> {
    all(db
        .rows(
            select!(
                "WHERE j.id IN (
                    (SELECT id FROM job WHERE state IN ('inbox', 'waiting') AND waits_for = 0
                        ORDER BY priority, id LIMIT $1)
                    UNION ALL (SELECT id FROM job WHERE state IN ('inbox', 'waiting') AND waits_for > 0
                        ORDER BY priority, id LIMIT $1))
                 ORDER BY j.priority, j.id LIMIT $1"
            ),
            &[&i64::from(most)],
        )
        .await?)
}

async fn of_item(db: &Link, item: &ItemId) -> Result<Vec<Job>, Stop> {
    all(db.rows(select!("WHERE j.item = $1 ORDER BY j.id DESC"), &[&item.as_str()]).await?)
}

/// Numbers by stage: one look at each row, which is narrow.
pub(in crate::postgres) async fn counts(db: &Link) -> Result<StageCounts, Stop> {
    let mut counts = StageCounts::default();
    for row in db.rows("SELECT state, count(*) FROM job GROUP BY state", &[]).await? {
        let number = row.uint(1)?;
        *match row.try_get::<_, &str>(0)? {
            "inbox" => &mut counts.inbox,
            "waiting" | "building" => &mut counts.building,
            "review" => &mut counts.review,
            "testing" => &mut counts.testing,
            "shipped" => &mut counts.shipped,
            "failed" => &mut counts.failed,
            "cancelled" => &mut counts.cancelled,
            _ => return Err(Stop::Shape("job.state")),
        } += number;
    }
    Ok(counts)
}

/// Jobs of the pipeline that were not repeated, ascending.
pub(in crate::postgres) async fn tasks(db: &Link, filter: &TaskFilter) -> Result<Vec<Job>, Stop> {
    match filter {
        TaskFilter::Repo(repo) => tasks_of(db, repo).await,
        TaskFilter::Subject(repo, subject) => tasks_about(db, repo, *subject).await,
    }
}

async fn tasks_of(db: &Link, repo: &RepoName) -> Result<Vec<Job>, Stop> {
    all(db.rows(select!("WHERE j.repo = $1 AND NOT j.repeated ORDER BY j.id"), &[&repo.as_str()]).await?)
}

async fn tasks_about(db: &Link, repo: &RepoName, subject: Number) -> Result<Vec<Job>, Stop> {
    all(db
        .rows(
            select!("WHERE j.repo = $1 AND j.subject = $2 AND NOT j.repeated ORDER BY j.id"),
            &[&repo.as_str(), &int(subject.0)],
        )
        .await?)
}

fn all(rows: Vec<Row>) -> Result<Vec<Job>, Stop> {
    rows.iter().map(read).collect()
}

/// A job from the first [`JOB_COLUMNS`] columns.
pub(in crate::postgres) fn read(row: &Row) -> Result<Job, Stop> {
    Ok(Job {
        id: JobId(row.uint(0)?),
        name: row.word(1, "job.name")?,
        key: row.maybe_word(2, "job.key")?,
        work: row.json(3)?,
        created_at: row.time(4)?,
        failures: row.count(5)?,
        losses: row.count(6)?,
        waits_for: row.count(7)?,
        retry_of: row.col::<Option<i64>>(8)?.map(|id| JobId(id.unsigned_abs())),
        state: states::read(row, 9)?,
    })
}

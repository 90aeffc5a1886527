//! What is kept of each attempt (Q22).

use crate::postgres::{
    columns::{Columns, Json, int, json, nanos, word},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::{AttemptId, JobId},
    job::{JobWork, Stage},
    port::{AttemptFacts, AttemptRecord, Measured},
};
use jiff::Timestamp;
use tokio_postgres::Row;

/// What [`read`] expects.
macro_rules! attempt_columns {
    () => {
        "a.id, a.job, a.engine, a.holder, a.started_at, a.ended_at, a.failure, a.measured"
    };
}

/// How an attempt ended.
pub(in crate::postgres) async fn end(tx: &Tx<'_>, record: &AttemptRecord) -> Result<(), Stop> {
    tx.run(
        "UPDATE attempt SET ended_at = $2, failure = $3, measured = $4 WHERE id = $1",
        &[
            &int(record.attempt.0),
            &record.ended_at.map(nanos),
            &record.failure.map(|reason| word(&reason)).transpose()?,
            &Json(&record.measured),
        ],
    )
    .await?;
    Ok(())
}

/// Many ends as columns, for `unnest`; `of` as in [`super::moves::Legs`].
#[derive(Default)]
pub(in crate::postgres) struct Ends {
    pub(in crate::postgres) of: Vec<i64>,
    pub(in crate::postgres) ended_at: Vec<Option<i64>>,
    pub(in crate::postgres) failure: Vec<Option<String>>,
    pub(in crate::postgres) measured: Vec<String>,
}

impl Ends {
    /// Puts an end behind the others.
    pub(in crate::postgres) fn push(&mut self, of: i64, record: &AttemptRecord) -> Result<(), Stop> {
        self.of.push(of);
        self.ended_at.push(record.ended_at.map(nanos));
        self.failure.push(record.failure.map(|reason| word(&reason)).transpose()?);
        self.measured.push(json(&record.measured)?);
        Ok(())
    }
}

/// The attempts at a job, ascending.
pub(in crate::postgres) async fn of(db: &Link, job: JobId) -> Result<Vec<AttemptRecord>, Stop> {
    let rows = db
        .rows(
            concat!("SELECT ", attempt_columns!(), " FROM attempt a WHERE a.job = $1 ORDER BY a.id"),
            &[&int(job.0)],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Attempts that began in a period, ascending, with what they were about.
pub(in crate::postgres) async fn between(
    db: &Link,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<AttemptFacts>, Stop> {
    let rows = db
        .rows(
            concat!(
                "SELECT ",
                attempt_columns!(),
                ", j.profile, j.state, w.work FROM attempt a JOIN job j ON j.id = a.job JOIN job_work w ON w.job = a.job
                 WHERE a.started_at >= $1 AND a.started_at < $2 ORDER BY a.id"
            ),
            &[&nanos(since), &nanos(until)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let place = match row.json::<JobWork>(10)? {
                JobWork::Task { repo, .. } => repo.to_string(),
                JobWork::Manifest(spec) => spec.cwd.to_string_lossy().into_owned(),
            };
            let stage = match row.try_get::<_, &str>(9)? {
                "waiting" => Stage::Building,
                _ => row.word(9, "job.state")?,
            };
            Ok(AttemptFacts { record: read(row)?, profile: row.maybe_word(8, "job.profile")?, place, stage })
        })
        .collect()
}

fn read(row: &Row) -> Result<AttemptRecord, Stop> {
    let measured = match row.col::<Option<Json<Measured>>>(7)? {
        Some(Json(measured)) => measured,
        None => Measured::default(),
    };
    Ok(AttemptRecord {
        attempt: AttemptId(row.uint(0)?),
        job: JobId(row.uint(1)?),
        engine: row.word(2, "attempt.engine")?,
        holder: row.word(3, "attempt.holder")?,
        started_at: row.time(4)?,
        ended_at: row.maybe_time(5)?,
        failure: row.maybe_word(6, "attempt.failure")?,
        measured,
    })
}

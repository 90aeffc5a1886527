//! What jobs wait for: other jobs by id, or by a key that a job may bring later.

use super::{Stop, jobs};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{id::JobId, job::Stage, manifest::Dependency, text::JobKey};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// What a dependency means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This job, in this stage.
    Job(JobId, Stage),
    /// No job has the key yet.
    Open,
    /// There is no such job.
    Unknown(JobId),
}

/// Looks a dependency up: the newest repetition of the job that it names.
pub(crate) fn meaning(tx: &Tx<'_>, dependency: &Dependency) -> Result<Meaning, Stop> {
    let named = match dependency {
        Dependency::Id(id) => *id,
        Dependency::Key(key) => match jobs::newest(tx, key)? {
            Some(id) => id,
            None => return Ok(Meaning::Open),
        },
    };
    Ok(match newest_repetition(tx, named)? {
        Some((id, stage)) => Meaning::Job(id, stage),
        None => Meaning::Unknown(named),
    })
}

fn newest_repetition(tx: &Tx<'_>, job: JobId) -> Result<Option<(JobId, Stage)>, Stop> {
    Ok(tx
        .prepare_cached(
            "WITH RECURSIVE line (id) AS (
                SELECT ?1 UNION ALL SELECT newer.id FROM line JOIN job newer ON newer.retry_of = line.id)
             SELECT j.id, j.stage FROM line JOIN job j ON j.id = line.id ORDER BY j.id DESC LIMIT 1",
        )?
        .query_row([job.0], |row| Ok((JobId(row.get(0)?), row.get::<_, Word<_>>(1)?.0)))
        .optional()?)
}

/// Keeps the dependencies of a new job, in the order of its manifest.
pub(crate) fn add(tx: &Tx<'_>, job: JobId, dependencies: &[(&Dependency, Meaning)]) -> Result<(), Stop> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO job_dependency (job, n, named, key, on_job) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (n, (dependency, meaning)) in dependencies.iter().enumerate() {
        let (named, key) = match dependency {
            Dependency::Id(id) => (Some(id.0), None),
            Dependency::Key(key) => (None, Some(key.as_str())),
        };
        let on_job = match meaning {
            Meaning::Job(id, _) => Some(id.0),
            Meaning::Open | Meaning::Unknown(_) => None,
        };
        insert.execute(params![job.0, n + 1, named, key, on_job])?;
    }
    Ok(())
}

/// Whether somebody waits for a key that no job has.
pub(crate) fn is_awaited(tx: &Tx<'_>, key: &JobKey) -> Result<bool, Stop> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM job_dependency WHERE key = ?1 AND on_job IS NULL")?
        .exists([key.as_str()])?)
}

/// Whether a waiting job, or one that it waits for, waits for the key.
pub(crate) fn leads_to(tx: &Tx<'_>, job: JobId, key: &JobKey) -> Result<bool, Stop> {
    Ok(tx
        .prepare_cached(
            "WITH RECURSIVE line (id) AS (
                SELECT id FROM job WHERE id = ?1 AND stage = 'inbox'
                UNION
                SELECT d.on_job FROM line JOIN job_dependency d ON d.job = line.id
                    JOIN job j ON j.id = d.on_job AND j.stage = 'inbox')
             SELECT 1 FROM line JOIN job_dependency d ON d.job = line.id WHERE d.key = ?2 AND d.on_job IS NULL",
        )?
        .exists(params![job.0, key.as_str()])?)
}

/// Tells those that wait for a key which job it is.
pub(crate) fn link(tx: &Tx<'_>, key: &JobKey, job: JobId) -> Result<(), Stop> {
    tx.prepare_cached("UPDATE job_dependency SET on_job = ?2 WHERE key = ?1 AND on_job IS NULL")?
        .execute(params![key.as_str(), job.0])?;
    Ok(())
}

/// Those that wait for a job wait for one less.
pub(crate) fn wake(tx: &Tx<'_>, job: JobId) -> Result<(), Stop> {
    // Nearly always there are none, and a look costs less than an update that finds nothing.
    if !tx.prepare_cached("SELECT 1 FROM job_dependency WHERE on_job = ?1")?.exists([job.0])? {
        return Ok(());
    }
    tx.prepare_cached(
        "UPDATE job SET waits_for = waits_for
            - (SELECT count(*) FROM job_dependency d WHERE d.job = job.id AND d.on_job = ?1)
         WHERE id IN (SELECT job FROM job_dependency WHERE on_job = ?1) AND stage = 'inbox'",
    )?
    .execute([job.0])?;
    Ok(())
}

/// A job that waits for another one.
pub(crate) struct Waiting {
    /// The job.
    pub(crate) job: JobId,
    /// Its earliest start.
    pub(crate) not_before: Timestamp,
}

/// Those that wait for a job: none of them was ever claimed.
pub(crate) fn waiting_for(tx: &Tx<'_>, job: JobId) -> Result<Vec<Waiting>, Stop> {
    let mut query = tx.prepare_cached(
        "SELECT id, not_before FROM job
         WHERE id IN (SELECT job FROM job_dependency WHERE on_job = ?1) AND stage = 'inbox' ORDER BY id",
    )?;
    let rows = query.query_map([job.0], |row| {
        Ok(Waiting { job: JobId(row.get(0)?), not_before: row.get::<_, Nanos>(1)?.0 })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The dependencies of a job that are not shipped, in the order of its manifest.
pub(crate) fn blockers(db: &Connection, job: JobId) -> Result<Vec<(Dependency, Option<Stage>)>, Stop> {
    let mut query = db.prepare_cached(
        "SELECT d.named, d.key, j.stage FROM job_dependency d LEFT JOIN job j ON j.id = d.on_job
         WHERE d.job = ?1 AND j.stage IS NOT 'shipped' ORDER BY d.n",
    )?;
    let rows = query.query_map([job.0], |row| {
        let dependency = match row.get::<_, Option<Word<JobKey>>>(1)? {
            Some(Word(key)) => Dependency::Key(key),
            None => Dependency::Id(JobId(row.get(0)?)),
        };
        Ok((dependency, row.get::<_, Option<Word<_>>>(2)?.map(|w| w.0)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

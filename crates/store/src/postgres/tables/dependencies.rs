//! What jobs wait for: other jobs by id, or by a key that a job may bring later.
//!
//! Whoever adds a job with dependencies locks the rows of those jobs, so that none of them ends unnoticed, and the [`order`] in
//! which keys are asked for and brought, so that neither side misses the other.

use super::{
    echoes, moves,
    states::{Course, Leg},
};
use crate::postgres::{
    columns::{Columns, int, nanos},
    error::Stop,
    link::{Link, Tx},
};
use banksman_core::{
    id::JobId,
    job::{JobEvent, JobState, Stage, Why},
    manifest::{Dependency, JobSpec},
    text::{Holder, JobKey},
    work::FailReason,
};
use jiff::Timestamp;

/// Number of the advisory lock; the schema's name is the other half.
const KEYS: i32 = 0x626b_7332;

/// What a dependency means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Meaning {
    /// This job, in this stage.
    Job(JobId, Stage),
    /// No job has the key yet.
    Open,
    /// There is no such job.
    Unknown(JobId),
}

/// Keys are brought side by side.
pub(in crate::postgres) async fn order_shared(tx: &Tx<'_>) -> Result<(), Stop> {
    tx.run("SELECT pg_advisory_xact_lock_shared($1, hashtext(current_schema()))", &[&KEYS]).await?;
    Ok(())
}

/// Keys are asked for alone.
pub(in crate::postgres) async fn order(tx: &Tx<'_>) -> Result<(), Stop> {
    tx.run("SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))", &[&KEYS]).await?;
    Ok(())
}

/// Each dependency once, with what it means: the newest repetition of the job that it names. The rows of those jobs stay locked.
pub(in crate::postgres) async fn understood<'s>(
    tx: &Tx<'_>,
    spec: &'s JobSpec,
) -> Result<Vec<(&'s Dependency, Meaning)>, Stop> {
    let mut dependencies: Vec<(&Dependency, Meaning)> = Vec::new();
    for dependency in &spec.depends_on {
        if !dependencies.iter().any(|(other, _)| *other == dependency) {
            dependencies.push((dependency, meaning(tx, dependency).await?));
        }
    }
    Ok(dependencies)
}

async fn meaning(tx: &Tx<'_>, dependency: &Dependency) -> Result<Meaning, Stop> {
    // The lock is taken first and the stage read after it: one that ended meanwhile is seen as ended.
    match dependency {
        Dependency::Key(key) => {
            let row = tx
                .maybe(
                    "SELECT id, state FROM job WHERE key = $1 AND NOT repeated FOR SHARE",
                    &[&key.as_str()],
                )
                .await?;
            match row {
                Some(row) => Ok(Meaning::Job(JobId(row.uint(0)?), stage(row.try_get(1)?)?)),
                None => Ok(Meaning::Open),
            }
        }
        Dependency::Id(id) => {
            let mut newest = *id;
            loop {
                let row = tx
                    .maybe("SELECT state, repeated FROM job WHERE id = $1 FOR SHARE", &[&int(newest.0)])
                    .await?;
                let Some(row) = row else { return Ok(Meaning::Unknown(*id)) };
                if !row.col::<bool>(1)? {
                    return Ok(Meaning::Job(newest, stage(row.try_get(0)?)?));
                }
                let next = tx.one("SELECT id FROM job WHERE retry_of = $1", &[&int(newest.0)]).await?;
                newest = JobId(next.uint(0)?);
            }
        }
    }
}

/// The stage of a state's word.
pub(in crate::postgres) fn stage(state: &str) -> Result<Stage, Stop> {
    if state == "waiting" {
        return Ok(Stage::Building);
    }
    Stage::ALL.into_iter().find(|stage| stage.as_str() == state).ok_or(Stop::Shape("job.state"))
}

/// Whether a job with this key, which no job has yet, would wait for itself.
pub(in crate::postgres) async fn would_circle(
    tx: &Tx<'_>,
    key: &JobKey,
    dependencies: &[(&Dependency, Meaning)],
) -> Result<bool, Stop> {
    let mut from = Vec::new();
    for (dependency, meaning) in dependencies {
        match meaning {
            Meaning::Job(id, _) => from.push(int(id.0)),
            Meaning::Open if matches!(dependency, Dependency::Key(other) if other == key) => return Ok(true),
            Meaning::Open | Meaning::Unknown(_) => {}
        }
    }
    if from.is_empty() {
        return Ok(false);
    }
    let row = tx
        .maybe(
            "WITH RECURSIVE way (job) AS (
                SELECT id FROM job WHERE id = ANY ($1) AND state = 'inbox'
                UNION
                SELECT d.target FROM way JOIN dependency d ON d.job = way.job
                    JOIN job j ON j.id = d.target AND j.state = 'inbox' WHERE NOT d.met)
             SELECT 1 FROM way JOIN dependency d ON d.job = way.job WHERE d.on_key = $2 AND d.target IS NULL LIMIT 1",
            &[&from, &key.as_str()],
        )
        .await?;
    Ok(row.is_some())
}

/// Keeps the dependencies of a new job, in the order of its manifest.
pub(in crate::postgres) async fn add(
    tx: &Tx<'_>,
    job: JobId,
    dependencies: &[(&Dependency, Meaning)],
) -> Result<(), Stop> {
    let (mut ids, mut keys, mut targets, mut met) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (dependency, meaning) in dependencies {
        let (id, key) = match dependency {
            Dependency::Id(id) => (Some(int(id.0)), None),
            Dependency::Key(key) => (None, Some(key.as_str())),
        };
        ids.push(id);
        keys.push(key);
        targets.push(match meaning {
            Meaning::Job(id, _) => Some(int(id.0)),
            Meaning::Open | Meaning::Unknown(_) => None,
        });
        met.push(matches!(meaning, Meaning::Job(_, Stage::Shipped)));
    }
    tx.run(
        "INSERT INTO dependency (job, place, on_id, on_key, target, met)
         SELECT $1, n, on_id, on_key, target, met
         FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::boolean[]) WITH ORDINALITY
            AS d (on_id, on_key, target, met, n)",
        &[&int(job.0), &ids, &keys, &targets, &met],
    )
    .await?;
    Ok(())
}

/// Tells those that wait for the keys of new jobs which jobs they are.
pub(in crate::postgres) async fn link(tx: &Tx<'_>, jobs: &[i64]) -> Result<(), Stop> {
    tx.run(
        "UPDATE dependency d SET target = j.id FROM job j
         WHERE j.id = ANY ($1) AND j.key IS NOT NULL AND d.on_key = j.key AND d.target IS NULL",
        &[&jobs],
    )
    .await?;
    Ok(())
}

/// Those that wait for shipped ones of these jobs ($1) wait for one less. The same when it is done twice.
pub(in crate::postgres) const WAKE: &str = "WITH met AS (
        UPDATE dependency d SET met = true FROM job t
        WHERE d.target = ANY ($1::bigint[]) AND NOT d.met AND t.id = d.target AND t.state = 'shipped' RETURNING d.job
     ), fewer AS (SELECT job, count(*)::integer AS n FROM met GROUP BY job)
     UPDATE job j SET waits_for = j.waits_for - fewer.n FROM fewer WHERE j.id = fewer.job AND j.state = 'inbox'";

/// Fails what waits for a job that will never be shipped, and what waits for that.
pub(in crate::postgres) async fn fail_dependents(
    tx: &Tx<'_>,
    job: JobId,
    who: &Holder,
    now: Timestamp,
) -> Result<(), Stop> {
    let mut ended = vec![int(job.0)];
    while !ended.is_empty() {
        let rows = tx
            .rows(
                "UPDATE job SET state = 'failed', reason = 'dependency', ended_at = $2, not_before = NULL, waits_for = 0
                 WHERE id IN (
                    SELECT id FROM job WHERE state = 'inbox'
                        AND id IN (SELECT job FROM dependency WHERE target = ANY ($1) AND NOT met)
                    ORDER BY id FOR UPDATE)
                 RETURNING id",
                &[&ended, &nanos(now)],
            )
            .await?;
        ended = rows.iter().map(|row| row.col(0)).collect::<Result<_, _>>()?;
        for id in &ended {
            moves::add(tx, JobId(id.unsigned_abs()), &[failed(now)?], who, None, now).await?;
        }
        echoes::wish_auto(tx, &ended, now).await?;
    }
    Ok(())
}

/// The domain's own word on a waiting job whose dependency failed.
pub(in crate::postgres) fn failed(now: Timestamp) -> Result<Leg, Stop> {
    let event = JobEvent::Failed { reason: FailReason::Dependency, at: now };
    let course = Course::of(&JobState::Inbox { not_before: now }, vec![event])?;
    Ok(course.legs.first().copied().unwrap_or(Leg {
        from: Stage::Inbox,
        to: Stage::Failed,
        why: Why::Failed(FailReason::Dependency),
    }))
}

/// The dependencies of a job that are not shipped, in the order of its manifest.
pub(in crate::postgres) async fn blockers(
    db: &Link,
    job: JobId,
) -> Result<Vec<(Dependency, Option<Stage>)>, Stop> {
    let rows = db
        .rows(
            "SELECT d.on_id, d.on_key, t.state FROM dependency d LEFT JOIN job t ON t.id = d.target
             WHERE d.job = $1 AND t.state IS DISTINCT FROM 'shipped' ORDER BY d.place",
            &[&int(job.0)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let dependency = match row.maybe_word(1, "dependency.on_key")? {
                Some(key) => Dependency::Key(key),
                None => Dependency::Id(JobId(row.uint(0)?)),
            };
            let stage = row.col::<Option<String>>(2)?.map(|state| stage(&state)).transpose()?;
            Ok((dependency, stage))
        })
        .collect()
}

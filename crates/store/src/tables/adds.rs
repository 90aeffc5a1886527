//! New jobs: from manifests, from the pipeline, and repetitions of old ones.

use super::{
    Stop,
    dependencies::{self, Meaning},
    echoes, jobs, lanes,
    leases::Held,
    moves,
    steps::{self, Course, Step},
};
use crate::sqlite::{Json, Nanos, Tx};
use banksman_core::{
    id::{JobId, Token},
    job::{JobEvent, JobState, JobWork, Stage},
    manifest::{Dependency, JobSpec, Priority},
    port::{AddError, Added, NewJob, NewTask, Retried, StoreError},
    text::{Holder, JobKey},
    work::FailReason,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// Why a batch was not added.
#[derive(Debug)]
pub(crate) enum AddStop {
    /// One of the jobs cannot be added.
    Refused(AddError),
    /// As everywhere.
    Stopped(Stop),
}

impl<E: Into<Stop>> From<E> for AddStop {
    fn from(error: E) -> Self {
        Self::Stopped(error.into())
    }
}

impl From<AddStop> for AddError {
    fn from(stop: AddStop) -> Self {
        match stop {
            AddStop::Refused(error) => error,
            AddStop::Stopped(stop) => Self::Store(stop.into()),
        }
    }
}

/// A job to be added, with its manifest written down before the transaction.
pub(crate) struct Incoming {
    new: NewJob,
    work: JobWork,
    spec: String,
}

impl Incoming {
    /// Writes the manifest down.
    pub(crate) fn new(new: NewJob) -> Result<Self, StoreError> {
        let spec = serde_json::to_string(&new.spec).map_err(|e| StoreError::Failed(e.to_string()))?;
        let work = JobWork::Manifest(Box::new(new.spec.clone()));
        Ok(Self { new, work, spec })
    }
}

/// Adds a batch, all or none.
pub(crate) fn add(
    tx: &Tx<'_>,
    batch: &[Incoming],
    who: &Holder,
    now: Timestamp,
) -> Result<Vec<Added>, AddStop> {
    batch.iter().map(|incoming| add_one(tx, incoming, who, now)).collect()
}

fn add_one(tx: &Tx<'_>, incoming: &Incoming, who: &Holder, now: Timestamp) -> Result<Added, AddStop> {
    let (new, spec) = (&incoming.new, &incoming.new.spec);
    if let Some(key) = &new.key
        && let Some(id) = jobs::newest(tx, key)?
    {
        return Ok(Added::Exists(id));
    }
    let dependencies = understood(tx, spec)?;
    for (_, meaning) in &dependencies {
        if let Meaning::Unknown(id) = meaning {
            return Err(AddStop::Refused(AddError::UnknownJob(*id)));
        }
    }
    let awaited = match &new.key {
        Some(key) if would_circle(tx, key, &dependencies)? => {
            return Err(AddStop::Refused(AddError::Cycle(key.clone())));
        }
        Some(key) => dependencies::is_awaited(tx, key)?.then_some(key),
        None => None,
    };
    let id = tx
        .prepare_cached(
            "INSERT INTO job (name, key, lane, lock, priority, item, auto_echo, created_at, moves, waits_for, stage,
                not_before, ripe)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, 'inbox', ?10, ?11)",
        )?
        .insert(params![
            new.name.as_str(),
            new.key.as_ref().map(JobKey::as_str),
            lanes::of(tx, &incoming.work)?,
            spec.lock.as_ref().map_or("", |lock| lock.as_str()),
            rank(spec.priority),
            spec.tracker_item.as_ref().map(|item| item.as_str()),
            spec.auto_echo && spec.tracker_item.is_some(),
            Nanos(now),
            unshipped(&dependencies),
            Nanos(first_start(spec, now)),
            first_start(spec, now) <= now,
        ])?;
    let id = JobId(id.unsigned_abs());
    tx.prepare_cached("INSERT INTO job_body (job, spec, body) VALUES (?1, ?2, ?3)")?.execute(params![
        id.0,
        incoming.spec,
        new.body.as_str()
    ])?;
    if let Some(key) = awaited {
        dependencies::link(tx, key, id)?;
    }
    settle_in(tx, id, Some(spec), &dependencies, who, now)?;
    Ok(Added::New(id))
}

/// Repeats a job that failed or was cancelled.
pub(crate) fn retry(tx: &Tx<'_>, id: JobId, who: &Holder, now: Timestamp) -> Result<Retried, Stop> {
    let old = jobs::known(tx, id)?;
    if !matches!(old.state, JobState::Failed { .. } | JobState::Cancelled { .. }) {
        return Ok(Retried::NotEnded(old.state.stage()));
    }
    let repetition = tx
        .prepare_cached("SELECT id FROM job WHERE retry_of = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    if let Some(repetition) = repetition {
        return Ok(Retried::Already(JobId(repetition)));
    }
    let spec = old.work.spec();
    let dependencies = match spec {
        Some(spec) => understood(tx, spec)?,
        None => Vec::new(),
    };
    let not_before = spec.map_or(now, |spec| first_start(spec, now));
    let new = tx
        .prepare_cached(
            "INSERT INTO job (name, key, generation, retry_of, lane, lock, priority, task, task_key, subject, item, auto_echo,
                created_at, moves, waits_for, stage, not_before, ripe)
             SELECT name, key, generation + 1, id, lane, lock, priority, task, task_key, subject, item, auto_echo,
                ?2, 1, ?3, 'inbox', ?4, ?5 FROM job WHERE id = ?1",
        )?
        .insert(params![id.0, Nanos(now), unshipped(&dependencies), Nanos(not_before), not_before <= now])?;
    let new = JobId(new.unsigned_abs());
    tx.prepare_cached(
        "INSERT INTO job_body (job, spec, body) SELECT ?2, spec, body FROM job_body WHERE job = ?1",
    )?
    .execute(params![id.0, new.0])?;
    settle_in(tx, new, spec, &dependencies, who, now)?;
    Ok(Retried::As(new))
}

/// Adds a task of the pipeline unless it is there for the engine; the newest job for it.
pub(crate) fn enqueue(tx: &Tx<'_>, held: &Held<'_>, who: &Holder, new: &NewTask) -> Result<JobId, Stop> {
    held.covers(&new.repo)?;
    let key = new.task.key();
    let work = JobWork::Task { repo: new.repo.clone(), task: new.task.clone(), engine: new.engine.clone() };
    let lane = lanes::of(tx, &work)?;
    let known = tx
        .prepare_cached(
            "SELECT id FROM job WHERE lane = ?1 AND task_key = ?2 ORDER BY generation DESC LIMIT 1",
        )?
        .query_row(params![lane, &key], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(JobId(id));
    }
    let id = tx
        .prepare_cached(
            "INSERT INTO job (name, lane, priority, task, task_key, subject, created_at, moves, stage, not_before, ripe)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 'inbox', ?7, 1)",
        )?
        .insert(params![
            new.task.name().as_str(),
            lane,
            rank(work.priority()),
            Json(&new.task),
            &key,
            new.task.subject().0,
            Nanos(new.at),
        ])?;
    let id = JobId(id.unsigned_abs());
    settle_in(tx, id, None, &[], who, new.at)?;
    Ok(id)
}

/// What goes with every new row: its dependencies, its first move, its echo; and its end, if it can never be shipped.
fn settle_in(
    tx: &Tx<'_>,
    id: JobId,
    spec: Option<&JobSpec>,
    dependencies: &[(&Dependency, Meaning)],
    who: &Holder,
    now: Timestamp,
) -> Result<(), Stop> {
    dependencies::add(tx, id, dependencies)?;
    moves::begin(tx, id, who, now)?;
    if spec.is_some_and(|spec| spec.auto_echo && spec.tracker_item.is_some()) {
        echoes::wish(tx, id, now)?;
    }
    if !dependencies.iter().any(|(_, meaning)| is_lost(*meaning)) {
        return Ok(());
    }
    let course = Course::of(
        &JobState::Inbox { not_before: now },
        [JobEvent::Failed { reason: FailReason::Dependency, at: now }],
    )?;
    steps::take(tx, &Step { job: id, token: Token(0), course: &course, failures: 0, losses: 0, who, now })
}

fn first_start(spec: &JobSpec, now: Timestamp) -> Timestamp {
    spec.not_before.unwrap_or(now)
}

/// Each dependency once, with what it means.
fn understood<'s>(tx: &Tx<'_>, spec: &'s JobSpec) -> Result<Vec<(&'s Dependency, Meaning)>, Stop> {
    let mut dependencies: Vec<(&Dependency, Meaning)> = Vec::new();
    for dependency in &spec.depends_on {
        if !dependencies.iter().any(|(other, _)| *other == dependency) {
            dependencies.push((dependency, dependencies::meaning(tx, dependency)?));
        }
    }
    Ok(dependencies)
}

/// Whether a job with this key that no job has yet would wait for itself.
fn would_circle(tx: &Tx<'_>, key: &JobKey, dependencies: &[(&Dependency, Meaning)]) -> Result<bool, Stop> {
    for (dependency, meaning) in dependencies {
        let circle = match meaning {
            Meaning::Job(id, Stage::Inbox) => dependencies::leads_to(tx, *id, key)?,
            Meaning::Open => matches!(dependency, Dependency::Key(other) if other == key),
            Meaning::Job(..) | Meaning::Unknown(_) => false,
        };
        if circle {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unshipped(dependencies: &[(&Dependency, Meaning)]) -> usize {
    dependencies.iter().filter(|(_, meaning)| !matches!(meaning, Meaning::Job(_, Stage::Shipped))).count()
}

fn is_lost(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Job(_, Stage::Failed | Stage::Cancelled))
}

/// A priority as the table has it, so that the most urgent one comes first.
fn rank(priority: Priority) -> u8 {
    match priority {
        Priority::Critical => 0,
        Priority::High => 1,
        Priority::Normal => 2,
        Priority::Low => 3,
    }
}

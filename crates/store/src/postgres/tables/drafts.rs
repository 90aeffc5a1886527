//! New rows of jobs, many in one statement.

use super::echoes;
use crate::postgres::{
    columns::{Columns, int, json, nanos},
    error::Stop,
    link::{Durability, Link, Tx},
};
use banksman_core::{
    id::JobId,
    job::JobWork,
    manifest::{Choice, Priority},
    port::{NewJob, NewTask},
    text::{Holder, JobKey},
};
use jiff::Timestamp;
use std::collections::HashSet;
use tokio_postgres::{Row, types::ToSql};

/// Names one writing of a job: the store that wrote it and a number that grows. Whoever lost the answer finds the job by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) struct Ticket {
    /// Random number of the open store.
    pub(in crate::postgres) adder: i64,
    /// Number of the writing.
    pub(in crate::postgres) serial: i64,
}

/// A job about to be written down.
pub(in crate::postgres) struct Draft {
    pub(in crate::postgres) ticket: Ticket,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) key: Option<JobKey>,
    pub(in crate::postgres) work: JobWork,
    pub(in crate::postgres) body: Option<Vec<u8>>,
    pub(in crate::postgres) who: Holder,
    pub(in crate::postgres) now: Timestamp,
    pub(in crate::postgres) retry_of: Option<JobId>,
    /// Dependencies that are not shipped.
    pub(in crate::postgres) waits_for: i32,
}

impl Draft {
    /// Of a manifest.
    pub(in crate::postgres) fn of_job(new: NewJob, ticket: Ticket, who: &Holder, now: Timestamp) -> Self {
        Self {
            ticket,
            name: new.name.as_str().to_owned(),
            key: new.key,
            work: JobWork::Manifest(Box::new(new.spec)),
            body: Some(new.body.as_str().as_bytes().to_vec()),
            who: who.clone(),
            now,
            retry_of: None,
            waits_for: 0,
        }
    }

    /// Of a task of the pipeline.
    pub(in crate::postgres) fn of_task(new: &NewTask, ticket: Ticket, who: &Holder) -> Self {
        Self {
            ticket,
            name: new.task.name().as_str().to_owned(),
            key: None,
            work: JobWork::Task {
                repo: new.repo.clone(),
                task: new.task.clone(),
                engine: new.engine.clone(),
            },
            body: None,
            who: who.clone(),
            now: new.at,
            retry_of: None,
            waits_for: 0,
        }
    }
}

impl Draft {
    /// Whether its tracker item is to be told of each change.
    fn is_told(&self) -> bool {
        self.work.spec().is_some_and(|spec| spec.auto_echo && spec.tracker_item.is_some())
    }

    /// Whether nothing that is there already matters to it.
    pub(in crate::postgres) fn is_free(&self) -> bool {
        self.key.is_none() && self.retry_of.is_none() && !self.is_told()
    }
}

/// Who may run a job, as one word.
pub(in crate::postgres) fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Engine(engine) => format!("engine:{engine}"),
        Choice::Class(class) => format!("class:{class}"),
    }
}

/// A priority so that the most urgent one comes first.
fn rank(priority: Priority) -> i16 {
    match priority {
        Priority::Critical => 0,
        Priority::High => 1,
        Priority::Normal => 2,
        Priority::Low => 3,
    }
}

/// The drafts as columns, for `unnest`.
#[derive(Default)]
struct DraftColumns<'d> {
    adder: Vec<i64>,
    serial: Vec<i64>,
    name: Vec<&'d str>,
    key: Vec<Option<&'d str>>,
    repo: Vec<Option<&'d str>>,
    task: Vec<Option<String>>,
    subject: Vec<Option<i64>>,
    choice: Vec<String>,
    profile: Vec<Option<&'d str>>,
    priority: Vec<i16>,
    lock: Vec<Option<&'d str>>,
    capabilities: Vec<String>,
    item: Vec<Option<&'d str>>,
    auto_echo: Vec<bool>,
    created_at: Vec<i64>,
    not_before: Vec<i64>,
    waits_for: Vec<i32>,
    retry_of: Vec<Option<i64>>,
    who: Vec<&'d str>,
    work: Vec<String>,
    body: Vec<Option<&'d [u8]>>,
}

impl<'d> DraftColumns<'d> {
    fn push(&mut self, draft: &'d Draft) -> Result<(), Stop> {
        let (work, spec) = (&draft.work, draft.work.spec());
        let item = spec.and_then(|spec| spec.tracker_item.as_ref());
        self.adder.push(draft.ticket.adder);
        self.serial.push(draft.ticket.serial);
        self.name.push(&draft.name);
        self.key.push(draft.key.as_ref().map(JobKey::as_str));
        self.repo.push(work.repo().map(|repo| repo.as_str()));
        self.task.push(work.task().map(|task| task.key()));
        self.subject.push(work.task().map(|task| int(task.subject().0)));
        self.choice.push(choice(&work.choice()));
        self.profile.push(work.profile().map(|profile| profile.as_str()));
        self.priority.push(rank(work.priority()));
        self.lock.push(work.lock().map(|lock| lock.as_str()));
        // No capability has a space in it.
        let capabilities: Vec<&str> = work.capabilities().iter().map(|c| c.as_str()).collect();
        self.capabilities.push(capabilities.join(" "));
        self.item.push(item.map(|item| item.as_str()));
        self.auto_echo.push(draft.is_told());
        self.created_at.push(nanos(draft.now));
        self.not_before.push(nanos(spec.and_then(|spec| spec.not_before).unwrap_or(draft.now)));
        self.waits_for.push(draft.waits_for);
        self.retry_of.push(draft.retry_of.map(|job| int(job.0)));
        self.who.push(draft.who.as_str());
        self.work.push(json(work)?);
        self.body.push(draft.body.as_deref());
        Ok(())
    }

    /// In the order of [`INSERT`].
    fn values(&self) -> [&(dyn ToSql + Sync); 21] {
        [
            &self.adder,
            &self.serial,
            &self.name,
            &self.key,
            &self.repo,
            &self.task,
            &self.subject,
            &self.choice,
            &self.profile,
            &self.priority,
            &self.lock,
            &self.capabilities,
            &self.item,
            &self.auto_echo,
            &self.created_at,
            &self.not_before,
            &self.waits_for,
            &self.retry_of,
            &self.who,
            &self.work,
            &self.body,
        ]
    }
}

/// Writes drafts down, in their order, each with its first move; an id for each, or nothing where a job with its key is there already
/// (one of this batch included). Whoever is faster with a key undoes the others.
pub(in crate::postgres) async fn insert(tx: &Tx<'_>, drafts: &[&Draft]) -> Result<Vec<Option<JobId>>, Stop> {
    let mut keys = HashSet::new();
    let mut columns = DraftColumns::default();
    let mut places = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let first = draft.key.as_ref().is_none_or(|key| keys.insert(key));
        places.push(first.then_some(columns.name.len()));
        if first {
            columns.push(draft)?;
        }
    }
    let written = ids(&tx.rows(INSERT, &columns.values()).await?)?;
    let ids: Vec<Option<JobId>> =
        places.into_iter().map(|place| written.get(place?).copied().flatten()).collect();
    for (draft, id) in drafts.iter().zip(&ids) {
        if let Some(id) = id
            && draft.is_told()
        {
            echoes::wish(tx, *id, draft.now).await?;
        }
    }
    Ok(ids)
}

/// The same in one round trip, for drafts without keys, predecessors and echoes: nothing else has to be looked at.
pub(in crate::postgres) async fn insert_free(link: &Link, drafts: &[&Draft]) -> Result<Vec<JobId>, Stop> {
    let mut columns = DraftColumns::default();
    for draft in drafts {
        columns.push(draft)?;
    }
    let [rows] = link.together(Durability::Acknowledged, [(INSERT, &columns.values())]).await?;
    ids(&rows)?.into_iter().collect::<Option<_>>().ok_or(Stop::Shape("job.id"))
}

fn ids(rows: &[Row]) -> Result<Vec<Option<JobId>>, Stop> {
    rows.iter().map(|row| Ok(row.col::<Option<i64>>(0)?.map(|id| JobId(id.unsigned_abs())))).collect()
}

const INSERT: &str = "WITH input AS MATERIALIZED (
                SELECT i.*, CASE WHEN i.key IS NULL OR i.retry_of IS NOT NULL
                        OR NOT EXISTS (SELECT 1 FROM job WHERE job.key = i.key AND NOT job.repeated)
                    THEN nextval('job_id') END AS id
                FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                    $8::text[], $9::text[], $10::smallint[], $11::text[], $12::text[], $13::text[], $14::boolean[],
                    $15::bigint[], $16::bigint[], $17::integer[], $18::bigint[], $19::text[], $20::text[], $21::bytea[])
                    WITH ORDINALITY AS i (adder, serial, name, key, repo, task, subject, choice, profile, priority, lock,
                        capabilities, item, auto_echo, created_at, not_before, waits_for, retry_of, who, work, body, n)
             ), written AS (
                INSERT INTO job (id, name, key, repo, task, subject, choice, profile, priority, lock, capabilities, item,
                    auto_echo, created_at, waits_for, retry_of, state, not_before)
                SELECT id, name, key, repo, task, subject, choice, profile, priority, lock,
                    string_to_array(capabilities, ' '), item, auto_echo, created_at, waits_for, retry_of, 'inbox',
                    not_before
                FROM input WHERE id IS NOT NULL
             ), worded AS (
                INSERT INTO job_work (job, work, body, adder, serial)
                SELECT id, work::json, body, adder, serial FROM input WHERE id IS NOT NULL
             ), moved AS (
                INSERT INTO move (job, to_stage, at, who, why)
                SELECT id, 'inbox', created_at, who, 'added' FROM input WHERE id IS NOT NULL
             )
             SELECT id FROM input ORDER BY n";

/// The jobs that were written under these tickets.
pub(in crate::postgres) async fn written(
    db: &Link,
    adder: i64,
    serials: &[i64],
) -> Result<Vec<(i64, JobId)>, Stop> {
    let rows = db
        .rows("SELECT serial, job FROM job_work WHERE adder = $1 AND serial = ANY ($2)", &[&adder, &serials])
        .await?;
    rows.iter().map(|row| Ok((row.col(0)?, JobId(row.uint(1)?)))).collect()
}

/// The newest jobs with these keys.
pub(in crate::postgres) async fn with_keys(db: &Link, keys: &[&str]) -> Result<Vec<(JobKey, JobId)>, Stop> {
    let rows = db.rows("SELECT key, id FROM job WHERE key = ANY ($1) AND NOT repeated", &[&keys]).await?;
    rows.iter().map(|row| Ok((row.word(0, "job.key")?, JobId(row.uint(1)?)))).collect()
}

/// The body of a job, as bytes, for the one that repeats it.
pub(in crate::postgres) async fn body(db: &Link, job: JobId) -> Result<Option<Vec<u8>>, Stop> {
    db.one("SELECT body FROM job_work WHERE job = $1", &[&int(job.0)]).await?.col(0)
}

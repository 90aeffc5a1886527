//! How jobs come: from manifests, from the pipeline, and as repetitions of old ones.

use super::{
    dependencies::{self, Meaning},
    drafts::{self, Draft, Ticket},
    echoes, jobs,
    leases::Held,
    moves,
};
use crate::postgres::{
    columns::{Columns, int, nanos},
    error::Stop,
    link::Tx,
    trial::Try,
};
use banksman_core::{
    id::JobId,
    job::Stage,
    manifest::Dependency,
    port::{AddError, Added, NewTask, Retried, StoreError},
    text::{Holder, JobKey},
};
use jiff::Timestamp;
use std::collections::HashMap;

/// Why a batch was not added.
pub(in crate::postgres) enum AddStop {
    /// One of the jobs cannot be added.
    Refused(AddError),
    /// As everywhere.
    Stopped(Stop),
}

impl From<Stop> for AddStop {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// Adds jobs that wait for nobody. When an answer was lost, those that stand under their tickets are taken for this call's own.
pub(in crate::postgres) async fn plain(
    tx: &Tx<'_>,
    drafts: &[&Draft],
    which: Try,
) -> Result<Vec<Added>, Stop> {
    let keys: Vec<&str> = drafts.iter().filter_map(|draft| Some(draft.key.as_ref()?.as_str())).collect();
    if !keys.is_empty() {
        dependencies::order_shared(tx).await?;
    }
    if let Some(added) = found_again(tx, drafts, which).await? {
        return Ok(added);
    }
    let ids = drafts::insert(tx, drafts).await?;
    if ids.iter().any(Option::is_none) {
        let known = by_key(tx, &keys).await?;
        return answers(drafts, |draft, place| match ids.get(place).copied().flatten() {
            Some(id) => Some(Added::New(id)),
            None => Some(Added::Exists(*known.get(draft.key.as_ref()?)?)),
        });
    }
    if !keys.is_empty() {
        let with_key = drafts.iter().zip(&ids).filter(|(draft, _)| draft.key.is_some());
        let new: Vec<i64> = with_key.filter_map(|(_, id)| id.map(|id| int(id.0))).collect();
        dependencies::link(tx, &new).await?;
    }
    Ok(ids.into_iter().flatten().map(Added::New).collect())
}

async fn by_key(tx: &Tx<'_>, keys: &[&str]) -> Result<HashMap<JobKey, JobId>, Stop> {
    Ok(drafts::with_keys(tx, keys).await?.into_iter().collect())
}

fn answers(drafts: &[&Draft], answer: impl Fn(&Draft, usize) -> Option<Added>) -> Result<Vec<Added>, Stop> {
    // A key that was there a moment ago cannot be gone: it moves to the repetition in one transaction.
    let all = drafts.iter().enumerate().map(|(place, draft)| answer(draft, place));
    all.collect::<Option<Vec<_>>>().ok_or(Stop::Undone)
}

/// What an earlier try of the same call has added, if it has: all or none.
async fn found_again(tx: &Tx<'_>, drafts: &[&Draft], which: Try) -> Result<Option<Vec<Added>>, Stop> {
    let Some(first) = drafts.first().filter(|_| which == Try::Again) else { return Ok(None) };
    let serials: Vec<i64> = drafts.iter().map(|draft| draft.ticket.serial).collect();
    let written: HashMap<i64, JobId> =
        drafts::written(tx, first.ticket.adder, &serials).await?.into_iter().collect();
    if written.is_empty() {
        return Ok(None);
    }
    let keys: Vec<&str> = drafts.iter().filter_map(|draft| Some(draft.key.as_ref()?.as_str())).collect();
    let known = by_key(tx, &keys).await?;
    answers(drafts, |draft, _| match written.get(&draft.ticket.serial) {
        Some(id) => Some(Added::New(*id)),
        None => Some(Added::Exists(*known.get(draft.key.as_ref()?)?)),
    })
    .map(Some)
}

/// Adds jobs of which some wait for others, one after the other.
pub(in crate::postgres) async fn tied(
    tx: &Tx<'_>,
    drafts: &[Draft],
    which: Try,
) -> Result<Vec<Added>, AddStop> {
    dependencies::order(tx).await?;
    let all: Vec<&Draft> = drafts.iter().collect();
    if let Some(added) = found_again(tx, &all, which).await? {
        return Ok(added);
    }
    let mut added = Vec::with_capacity(drafts.len());
    for draft in drafts {
        added.push(tie(tx, draft).await?);
    }
    Ok(added)
}

async fn tie(tx: &Tx<'_>, draft: &Draft) -> Result<Added, AddStop> {
    if let Some(key) = &draft.key
        && let Some((_, id)) = drafts::with_keys(tx, &[key.as_str()]).await?.first()
    {
        return Ok(Added::Exists(*id));
    }
    let Some(spec) = draft.work.spec() else { return Err(Stop::Shape("a job without a manifest").into()) };
    let dependencies = dependencies::understood(tx, spec).await?;
    for (_, meaning) in &dependencies {
        if let Meaning::Unknown(id) = meaning {
            return Err(AddStop::Refused(AddError::UnknownJob(*id)));
        }
    }
    if let Some(key) = &draft.key
        && dependencies::would_circle(tx, key, &dependencies).await?
    {
        return Err(AddStop::Refused(AddError::Cycle(key.clone())));
    }
    let id = write(tx, draft, &dependencies).await?;
    if draft.key.is_some() {
        dependencies::link(tx, &[int(id.0)]).await?;
    }
    fail_if_hopeless(tx, id, draft, &dependencies).await?;
    Ok(Added::New(id))
}

/// A draft with its dependencies. Those who wait for its key are told by the caller.
async fn write(tx: &Tx<'_>, draft: &Draft, dependencies: &[(&Dependency, Meaning)]) -> Result<JobId, Stop> {
    let unmet = dependencies
        .iter()
        .filter(|(_, meaning)| !matches!(meaning, Meaning::Job(_, Stage::Shipped)))
        .count();
    let draft = &Draft {
        waits_for: i32::try_from(unmet).unwrap_or(i32::MAX),
        name: draft.name.clone(),
        key: draft.key.clone(),
        work: draft.work.clone(),
        body: draft.body.clone(),
        who: draft.who.clone(),
        ..*draft
    };
    let ids = drafts::insert(tx, &[draft]).await?;
    // Another one was faster with the same key: look again.
    let id = ids.into_iter().flatten().next().ok_or(Stop::Undone)?;
    if !dependencies.is_empty() {
        dependencies::add(tx, id, dependencies).await?;
    }
    Ok(id)
}

async fn fail_if_hopeless(
    tx: &Tx<'_>,
    id: JobId,
    draft: &Draft,
    dependencies: &[(&Dependency, Meaning)],
) -> Result<(), Stop> {
    let lost = |meaning: &Meaning| matches!(meaning, Meaning::Job(_, Stage::Failed | Stage::Cancelled));
    if !dependencies.iter().any(|(_, meaning)| lost(meaning)) {
        return Ok(());
    }
    let leg = dependencies::failed(draft.now)?;
    tx.run(
        "UPDATE job SET state = 'failed', reason = 'dependency', ended_at = $2, not_before = NULL, waits_for = 0
         WHERE id = $1",
        &[&int(id.0), &nanos(draft.now)],
    )
    .await?;
    moves::add(tx, id, &[leg], &draft.who, None, draft.now).await?;
    echoes::wish_auto(tx, &[int(id.0)], draft.now).await?;
    dependencies::fail_dependents(tx, id, &draft.who, draft.now).await
}

/// Repeats a failed or cancelled job. When an answer was lost, a repetition that stands under the ticket is this call's own.
pub(in crate::postgres) async fn retry(
    tx: &Tx<'_>,
    id: JobId,
    ticket: Ticket,
    who: &Holder,
    now: Timestamp,
    which: Try,
) -> Result<Retried, Stop> {
    dependencies::order(tx).await?;
    let row = tx
        .maybe("SELECT state FROM job WHERE id = $1 FOR UPDATE", &[&int(id.0)])
        .await?
        .ok_or(StoreError::Missing("job"))?;
    let stage = dependencies::stage(row.try_get(0)?)?;
    if !matches!(stage, Stage::Failed | Stage::Cancelled) {
        return Ok(Retried::NotEnded(stage));
    }
    if let Some(row) = tx.maybe("SELECT id FROM job WHERE retry_of = $1", &[&int(id.0)]).await? {
        let repetition = JobId(row.uint(0)?);
        let own = which == Try::Again
            && drafts::written(tx, ticket.adder, &[ticket.serial])
                .await?
                .contains(&(ticket.serial, repetition));
        return Ok(if own { Retried::As(repetition) } else { Retried::Already(repetition) });
    }
    let old = jobs::by_id(tx, id).await?.ok_or(StoreError::Missing("job"))?;
    let draft = Draft {
        ticket,
        name: old.name.as_str().to_owned(),
        key: old.key,
        work: old.work,
        body: drafts::body(tx, id).await?,
        who: who.clone(),
        now,
        retry_of: Some(id),
        waits_for: 0,
    };
    // Frees the key, or the task, for the new one.
    tx.run("UPDATE job SET repeated = true WHERE id = $1", &[&int(id.0)]).await?;
    let dependencies = match draft.work.spec() {
        Some(spec) => dependencies::understood(tx, spec).await?,
        None => Vec::new(),
    };
    let new = write(tx, &draft, &dependencies).await?;
    fail_if_hopeless(tx, new, &draft, &dependencies).await?;
    Ok(Retried::As(new))
}

/// Adds a task of the pipeline unless it is there for the engine; the newest job for it. The same when it is done twice.
pub(in crate::postgres) async fn enqueue(
    tx: &Tx<'_>,
    held: &Held<'_>,
    who: &Holder,
    new: &NewTask,
    ticket: Ticket,
) -> Result<JobId, Stop> {
    held.covers(&new.repo)?;
    let draft = Draft::of_task(new, ticket, who);
    let known = tx
        .maybe(
            "SELECT id FROM job WHERE repo = $1 AND task = $2 AND choice = $3 AND NOT repeated",
            &[&held.repo.as_str(), &new.task.key(), &drafts::choice(&draft.work.choice())],
        )
        .await?;
    if let Some(row) = known {
        return Ok(JobId(row.uint(0)?));
    }
    drafts::insert(tx, &[&draft]).await?.into_iter().flatten().next().ok_or(Stop::Undone)
}

/// Refuses a job that is none of the pipeline's for the repository whose lease is held.
pub(in crate::postgres) async fn of_pipeline(tx: &Tx<'_>, held: &Held<'_>, id: JobId) -> Result<(), Stop> {
    let row =
        tx.maybe("SELECT 1 FROM job WHERE id = $1 AND repo = $2", &[&int(id.0), &held.repo.as_str()]).await?;
    if row.is_some() { Ok(()) } else { Err(StoreError::Missing("job").into()) }
}

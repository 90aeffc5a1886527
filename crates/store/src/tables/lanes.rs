//! Lanes: jobs that are the same to whoever claims. There are few, so that looking past a lane that is not on offer costs one
//! look, however many jobs are in it.

use super::Stop;
use crate::sqlite::Tx;
use banksman_core::{
    job::JobWork,
    manifest::Choice,
    text::{Capability, ProfileName, RepoName},
};
use rusqlite::{OptionalExtension, params};

/// The lane of a job, made when it is the first one.
pub(crate) fn of(tx: &Tx<'_>, work: &JobWork) -> Result<i64, Stop> {
    let (engine, class) = match work.choice() {
        Choice::Engine(engine) => (Some(engine), None),
        Choice::Class(class) => (None, Some(class)),
    };
    let (engine, class) = (engine.as_ref().map(|e| e.as_str()), class.as_ref().map(|c| c.as_str()));
    let repo = work.repo().map(RepoName::as_str);
    let profile = work.profile().map(ProfileName::as_str);
    let capabilities = written(work.capabilities());
    let known = tx
        .prepare_cached(
            "SELECT id FROM lane WHERE coalesce(engine, '') = coalesce(?1, '') AND coalesce(class, '') = coalesce(?2, '')
                AND coalesce(repo, '') = coalesce(?3, '') AND coalesce(profile, '') = coalesce(?4, '')
                AND capabilities = ?5",
        )?
        .query_row(params![engine, class, repo, profile, capabilities], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => Ok(tx
            .prepare_cached(
                "INSERT INTO lane (engine, class, repo, profile, capabilities) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .insert(params![engine, class, repo, profile, capabilities])?),
    }
}

/// Capabilities as JSON, each once and in order, so that equal sets are one lane.
fn written(capabilities: &[Capability]) -> String {
    let mut sorted: Vec<&str> = capabilities.iter().map(Capability::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    serde_json::Value::from(sorted).to_string()
}

//! What the simulated store keeps, and the rules by which it changes: the semantics of `core::port::Store` without faults or time.

mod budget;
mod claims;
mod dependencies;
mod echoes;
mod jobs;
mod repos;
mod tasks;

pub(crate) use claims::Hold;
pub(crate) use repos::RepoBook;

use banksman_core::{
    id::JobId,
    port::{AttemptRecord, StoreError},
    text::{EngineName, RepoName},
};
use echoes::EchoRow;
use jiff::{SignedDuration, Timestamp};
use jobs::JobRow;
use serde::Serialize;
use std::collections::BTreeMap;

/// All that is kept.
#[derive(Default, Serialize)]
pub(crate) struct Book {
    pub(crate) repos: BTreeMap<RepoName, RepoBook>,
    /// The jobs; the id of each is its place and one more.
    jobs: Vec<JobRow>,
    /// What claims hold, oldest first.
    holds: Vec<Hold>,
    attempts: Vec<AttemptRecord>,
    echoes: BTreeMap<JobId, EchoRow>,
    resting: BTreeMap<EngineName, Timestamp>,
    budget: budget::Books,
}

type Answer<T> = Result<T, StoreError>;

fn end(now: Timestamp, ttl_ms: i64) -> Timestamp {
    now + SignedDuration::from_millis(ttl_ms)
}

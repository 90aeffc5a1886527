//! One file a subject, one function a statement or a few that belong together. Functions that write take the transaction,
//! those that act for a repository the proof that its lease is held.

pub(crate) mod adds;
pub(crate) mod attempts;
pub(crate) mod cancels;
pub(crate) mod candidates;
pub(crate) mod claims;
pub(crate) mod cooldowns;
pub(crate) mod dependencies;
pub(crate) mod echoes;
pub(crate) mod epics;
pub(crate) mod intents;
pub(crate) mod jobs;
pub(crate) mod journal;
pub(crate) mod lanes;
pub(crate) mod leases;
pub(crate) mod ledger;
pub(crate) mod moves;
pub(crate) mod observations;
pub(crate) mod outcomes;
pub(crate) mod plans;
pub(crate) mod pools;
pub(crate) mod runs;
#[cfg(test)]
mod scans;
pub(crate) mod spends;
pub(crate) mod steps;
pub(crate) mod training;

use crate::sqlite::DbError;
use banksman_core::{job::IllegalMove, port::StoreError};

/// Why a function of this module stopped; everything that its transaction wrote is undone.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The store refuses.
    Refused(StoreError),
    /// The database failed.
    Db(DbError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<IllegalMove> for Stop {
    fn from(_: IllegalMove) -> Self {
        Self::Refused(StoreError::Missing("job in that stage"))
    }
}

impl From<Stop> for StoreError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(error) => error,
            Stop::Db(error) => error.into(),
        }
    }
}

//! One file a subject, one function a statement or a few that belong together. Functions that write take the transaction,
//! those that act for a repository the proof that its lease is held.

pub(super) mod adds;
pub(super) mod advances;
pub(super) mod attempts;
pub(super) mod cancels;
pub(super) mod claims;
pub(super) mod cooldowns;
pub(super) mod dependencies;
pub(super) mod drafts;
pub(super) mod echoes;
pub(super) mod intents;
pub(super) mod jobs;
pub(super) mod leases;
pub(super) mod ledger;
pub(super) mod losses;
pub(super) mod moves;
pub(super) mod observations;
pub(super) mod pools;
pub(super) mod records;
pub(super) mod runs;
pub(super) mod spends;
pub(super) mod states;
pub(super) mod training;

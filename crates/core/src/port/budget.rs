//! Port to the books of the budget (60-budget.md), beside [`super::Store`] and kept by the same stores: reservations, the ledger, the plan of a
//! day, scheduled runs. A dispatch of the pipeline reserves through [`super::Store::intend`] with its [`super::Spend`], in the transaction of
//! its intent, so that no reservation outlives its dispatch; what is not a dispatch of the pipeline reserves here, under a key of its own. Both
//! count in the same ledger.

use super::{LedgerEntry, LedgerState, StoreError};
use crate::{
    budget::{Charge, Cost, Held, PlanDay, Span, Usage},
    id::Number,
    text::{EngineName, Holder, MemberName, ProviderName, RepoName, ScheduleName},
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, future::Future};

/// A wish to spend, under a key by which it is found again after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendWish {
    /// Unique for ever; printable ASCII.
    pub key: String,
    /// Who reserves: whoever finds it dead looks after its reservations.
    pub holder: Holder,
    /// Now.
    pub at: Timestamp,
    /// The repository.
    pub repo: RepoName,
    /// The issue.
    pub issue: Number,
    /// Who works.
    pub implementer: EngineName,
    /// For which epic.
    pub epic: Option<Number>,
    /// What it costs, and whose quotas it may use.
    pub charge: Charge,
    /// The day whose plan it has to keep to.
    pub day: Option<PlanDay>,
}

/// What became of a wish to spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpendReserved {
    /// It is reserved on this member's account.
    New(MemberName),
    /// There is one of that key already; nothing was written.
    Known(LedgerState),
    /// There is no room; nothing was written.
    Held(Held),
}

/// A reservation that is open under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSpend {
    /// Its key.
    pub key: String,
    /// Who made it.
    pub holder: Holder,
    /// Its line.
    pub entry: LedgerEntry,
}

/// A line that a person writes, or that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLedgerLine {
    /// Makes it unique: the same key is written once. Printable ASCII.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// The repository.
    pub repo: RepoName,
    /// The issue.
    pub issue: Number,
    /// Who worked.
    pub implementer: EngineName,
    /// Whose pool it counts in.
    pub provider: ProviderName,
    /// For which epic.
    pub epic: Option<Number>,
    /// Whose quota it used; `None`: nobody's in particular.
    pub member: Option<MemberName>,
    /// What it cost.
    pub cost: Cost,
}

/// What is counted of one member (or of nobody) at a provider in a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberUse {
    /// The member.
    pub member: Option<MemberName>,
    /// Reserved: the dispatch is under way.
    pub reserved: Cost,
    /// Settled: it happened.
    pub settled: Cost,
}

/// The plan of a day: most tasks that each repository may be given; a repository that is not named gets none.
pub type Shares = BTreeMap<RepoName, u32>;

/// What became of the wish to run a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunTaken {
    /// It is the caller's until the time it gave; the number counts the tries, from 1.
    Yes(u32),
    /// Somebody else runs it.
    Elsewhere,
    /// It was run.
    Done,
}

/// A run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledRun {
    /// The schedule.
    pub schedule: ScheduleName,
    /// Which slot.
    pub slot: Timestamp,
    /// Who runs or ran it.
    pub holder: Holder,
    /// How often it was begun.
    pub tries: u32,
    /// When it ended; `None`: it runs, or was cut off.
    pub ended_at: Option<Timestamp>,
}

/// The books of the budget.
pub trait Budget: Send + Sync + 'static {
    /// Reserves, if the charge and the plan of the day leave room. One transaction; under any number of concurrent callers what is reserved
    /// and settled never passes a limit. Acknowledged.
    fn reserve_spend(
        &self,
        wish: &SpendWish,
    ) -> impl Future<Output = Result<SpendReserved, StoreError>> + Send;

    /// The dispatch happened; `cost` where more is known than was reserved. A second time changes nothing; [`StoreError::Missing`] when there is
    /// none, or it was released. Acknowledged.
    fn settle_spend(
        &self,
        key: &str,
        cost: Option<Cost>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The dispatch surely did not happen: its room is free again. A second time changes nothing; [`StoreError::Missing`] when there is none,
    /// or it was settled. Acknowledged.
    fn release_spend(&self, key: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reservations that are open under keys of their own, oldest first: after a crash each is settled or released by whoever finds out what
    /// became of it. (Those of the pipeline end with their open intents.)
    fn open_spends(&self) -> impl Future<Output = Result<Vec<OpenSpend>, StoreError>> + Send;

    /// What is counted for a charge now, in one snapshot.
    fn usage(&self, charge: &Charge) -> impl Future<Output = Result<Usage, StoreError>> + Send;

    /// What each member, and nobody, used of a provider in a span, ascending by member.
    fn used(
        &self,
        provider: &ProviderName,
        span: Span,
    ) -> impl Future<Output = Result<Vec<MemberUse>, StoreError>> + Send;

    /// Appends lines, all or none; how many were new. Acknowledged.
    fn append_ledger(
        &self,
        lines: Vec<NewLedgerLine>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The ledger of all repositories from `since` on, before `until`, oldest first; released entries are left out.
    fn ledger_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// Puts the plan of a day in force, in the place of an earlier one of the day. Acknowledged.
    fn set_allocation(
        &self,
        day: Date,
        shares: &Shares,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The plan of a day that is in force; `None`: there is none, and nothing is held back by it.
    fn allocation(&self, day: Date) -> impl Future<Output = Result<Option<Shares>, StoreError>> + Send;

    /// Takes a slot to run it until `until` (after which anybody may, should the caller have died), unless it was run. Acknowledged.
    fn take_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<RunTaken, StoreError>> + Send;

    /// The caller ran it. [`StoreError::Fenced`] when somebody else took it over meanwhile. Acknowledged.
    fn end_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The newest slot of a schedule that was ever taken.
    fn last_run(
        &self,
        schedule: &ScheduleName,
    ) -> impl Future<Output = Result<Option<ScheduledRun>, StoreError>> + Send;
}

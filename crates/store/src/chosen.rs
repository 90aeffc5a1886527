//! One of both stores, as the configuration says: what the binary holds. Every call goes to the store that was chosen.

use crate::{
    SqliteStore,
    postgres::{self, Address, PgError, PostgresStore},
    sqlite::{self, DbError},
};
use banksman_core::{
    budget::{Charge, Cost, Span, Usage},
    id::{JobId, Number},
    intent::{Intent, NewIntent, Receipt},
    job::{Body, Job, JobEvent, Move, Stage},
    journal::JournalEntry,
    manifest::Dependency,
    port::{
        AddError, Added, AttemptFacts, AttemptRecord, Budget, Cancelled, Claim, Claimed, DecisionRecord,
        EchoRecord, EpicRecord, HeadSeen, Intended, JobFilter, JobPlace, Lease, LedgerEntry, Look, Looks,
        NewJob, NewTask, Offer, OutcomeRecord, PlanRecord, Queue, Refusal, Retried, Spend, StageCounts,
        Store, StoreError, TaskFilter, Turned,
        budget::{
            MemberUse, NewLedgerLine, OpenSpend, RunTaken, ScheduledRun, Shares, SpendReserved, SpendWish,
        },
    },
    signals::Signals,
    text::{EngineName, Holder, JobKey, ProviderName, RepoName, ScheduleName},
};
use jiff::{Timestamp, civil::Date};
use std::path::Path;

/// The store that was chosen. Cheap to clone.
#[derive(Clone)]
pub enum Chosen {
    /// A file on this machine.
    Sqlite(SqliteStore),
    /// A server.
    Postgres(PostgresStore),
}

impl Chosen {
    /// Opens or makes the file. Blocks for some milliseconds.
    pub fn sqlite(path: &Path) -> Result<Self, DbError> {
        Ok(Self::Sqlite(SqliteStore::open(path)?))
    }

    /// Connects to the server at `postgres://...` and brings its schema up to date; see [`Address::parse`].
    pub async fn postgres(url: &str) -> Result<Self, PgError> {
        Self::at(&Address::parse(url)?).await
    }

    /// The same with an address that was given its password.
    pub async fn at(address: &Address) -> Result<Self, PgError> {
        Ok(Self::Postgres(PostgresStore::open(address).await?))
    }

    /// Wake-up when anything was committed that somebody may wait for, here or in another process.
    pub fn changes(&self) -> Changes {
        match self {
            Self::Sqlite(store) => Changes::Sqlite(store.changes()),
            Self::Postgres(store) => Changes::Postgres(store.changes()),
        }
    }
}

/// A place in the stream of commits of the store that was chosen.
pub enum Changes {
    /// Of a file.
    Sqlite(sqlite::Changes),
    /// Of a server.
    Postgres(postgres::Changes),
}

impl Changes {
    /// Returns when something was committed since the last call. A hint: it may come for nothing. Can be dropped at any time without
    /// losing a change.
    pub async fn next(&mut self) {
        match self {
            Self::Sqlite(changes) => changes.next().await,
            Self::Postgres(changes) => changes.next().await,
        }
    }
}

/// Hands functions of a port over to the store that was chosen.
macro_rules! hand_over {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        $(async fn $name(&self, $($argument: $type),*) -> $answer {
            match self {
                Self::Sqlite(store) => store.$name($($argument),*).await,
                Self::Postgres(store) => store.$name($($argument),*).await,
            }
        })+
    };
}

impl Queue for Chosen {
    hand_over! {
        fn add(jobs: Vec<NewJob>, who: &Holder, now: Timestamp) -> Result<Vec<Added>, AddError>;
        fn claim(holder: &Holder, offer: &Offer, now: Timestamp, ttl_ms: i64) -> Result<Option<Claimed>, StoreError>;
        fn next_due(now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
        fn renew(claim: &Claim, now: Timestamp, ttl_ms: i64) -> Result<Timestamp, StoreError>;
        fn advance(
            claim: &Claim, events: Vec<JobEvent>, end: Option<&AttemptRecord>, now: Timestamp
        ) -> Result<Claim, StoreError>;
        fn advance_and_claim(
            claim: &Claim, events: Vec<JobEvent>, end: &AttemptRecord, offer: &Offer, now: Timestamp, ttl_ms: i64
        ) -> Result<Turned, StoreError>;
        fn let_go(claim: &Claim, end: Option<&AttemptRecord>, now: Timestamp) -> Result<(), StoreError>;
        fn claims() -> Result<Vec<Claim>, StoreError>;
        fn lose(claim: &Claim, who: &Holder, now: Timestamp) -> Result<bool, StoreError>;
        fn cancel(job: JobId, who: &Holder, now: Timestamp) -> Result<Cancelled, StoreError>;
        fn retry(job: JobId, who: &Holder, now: Timestamp) -> Result<Retried, StoreError>;
        fn places(jobs: &[JobId]) -> Result<Vec<JobPlace>, StoreError>;
        fn job(job: JobId) -> Result<Option<Job>, StoreError>;
        fn job_by_key(key: &JobKey) -> Result<Option<Job>, StoreError>;
        fn body(job: JobId) -> Result<Body, StoreError>;
        fn jobs(filter: &JobFilter) -> Result<Vec<Job>, StoreError>;
        fn counts() -> Result<StageCounts, StoreError>;
        fn blockers(job: JobId) -> Result<Vec<(Dependency, Option<Stage>)>, StoreError>;
        fn moves(job: JobId) -> Result<Vec<Move>, StoreError>;
        fn attempts(job: JobId) -> Result<Vec<AttemptRecord>, StoreError>;
        fn attempts_between(since: Timestamp, until: Timestamp) -> Result<Vec<AttemptFacts>, StoreError>;
        fn cool_down(engine: &EngineName, until: Timestamp) -> Result<(), StoreError>;
        fn cooling(now: Timestamp) -> Result<Vec<(EngineName, Timestamp)>, StoreError>;
        fn want_echo(job: JobId, at: Timestamp) -> Result<(), StoreError>;
        fn take_echo(now: Timestamp, ttl_ms: i64) -> Result<Option<EchoRecord>, StoreError>;
        fn put_echo(echo: &EchoRecord) -> Result<(), StoreError>;
        fn note_echo(echo: &EchoRecord) -> Result<(), StoreError>;
        fn echo(job: JobId) -> Result<Option<EchoRecord>, StoreError>;
    }
}

impl Store for Chosen {
    hand_over! {
        fn lease(repo: &RepoName, holder: &Holder, now: Timestamp, ttl_ms: i64) -> Result<Option<Lease>, StoreError>;
        fn break_leases(gone: &(dyn Fn(&Holder) -> bool + Sync), now: Timestamp) -> Result<u64, StoreError>;
        fn intend(lease: &Lease, intent: &NewIntent, spend: Option<&Spend>) -> Result<Intended, StoreError>;
        fn record(lease: &Lease, key: &str, receipt: &Receipt, done: bool) -> Result<(), StoreError>;
        fn settle(lease: &Lease, key: &str, refusal: Option<Refusal>, now: Timestamp) -> Result<(), StoreError>;
        fn open_intents(repo: &RepoName) -> Result<Vec<Intent>, StoreError>;
        fn intents_about(repo: &RepoName, subject: Number) -> Result<Vec<Intent>, StoreError>;
        fn intent(repo: &RepoName, key: &str) -> Result<Option<Intent>, StoreError>;
        fn intents(repo: &RepoName) -> Result<Vec<Intent>, StoreError>;
        fn ledger(repo: &RepoName) -> Result<Vec<LedgerEntry>, StoreError>;
        fn observe(lease: &Lease, record: &DecisionRecord<'_>) -> Result<(), StoreError>;
        fn last_signals(repo: &RepoName, pull: Number) -> Result<Option<Signals>, StoreError>;
        fn heads(repo: &RepoName, pull: Number) -> Result<Vec<HeadSeen>, StoreError>;
        fn pulls_without_outcome(repo: &RepoName) -> Result<Vec<Number>, StoreError>;
        fn record_outcome(lease: &Lease, outcome: &OutcomeRecord) -> Result<(), StoreError>;
        fn outcomes(repo: &RepoName) -> Result<Vec<OutcomeRecord>, StoreError>;
        fn write_journal(lease: &Lease, entry: &JournalEntry) -> Result<(), StoreError>;
        fn journal(repo: &RepoName) -> Result<Vec<JournalEntry>, StoreError>;
        fn plan(lease: &Lease, plan: &PlanRecord) -> Result<PlanRecord, StoreError>;
        fn plan_done(lease: &Lease, key: &str, now: Timestamp) -> Result<(), StoreError>;
        fn plans(repo: &RepoName) -> Result<Vec<PlanRecord>, StoreError>;
        fn add_epic(lease: &Lease, epic: &EpicRecord) -> Result<(), StoreError>;
        fn end_epic(lease: &Lease, epic: Number, now: Timestamp) -> Result<(), StoreError>;
        fn epics(repo: &RepoName) -> Result<Vec<EpicRecord>, StoreError>;
        fn repos() -> Result<Vec<RepoName>, StoreError>;
        fn enqueue(lease: &Lease, task: &NewTask) -> Result<JobId, StoreError>;
        fn enqueue_again(lease: &Lease, job: JobId, now: Timestamp) -> Result<JobId, StoreError>;
        fn withdraw(lease: &Lease, job: JobId, now: Timestamp) -> Result<(), StoreError>;
        fn tasks(filter: &TaskFilter) -> Result<Vec<Job>, StoreError>;
    }
}

impl Looks for Chosen {
    hand_over! {
        fn looks(repo: &RepoName, pull: Number) -> Result<Vec<Look>, StoreError>;
    }
}

impl Budget for Chosen {
    hand_over! {
        fn reserve_spend(wish: &SpendWish) -> Result<SpendReserved, StoreError>;
        fn settle_spend(key: &str, cost: Option<Cost>) -> Result<(), StoreError>;
        fn release_spend(key: &str) -> Result<(), StoreError>;
        fn open_spends() -> Result<Vec<OpenSpend>, StoreError>;
        fn usage(charge: &Charge) -> Result<Usage, StoreError>;
        fn used(provider: &ProviderName, span: Span) -> Result<Vec<MemberUse>, StoreError>;
        fn append_ledger(lines: Vec<NewLedgerLine>) -> Result<u64, StoreError>;
        fn ledger_between(since: Timestamp, until: Timestamp) -> Result<Vec<LedgerEntry>, StoreError>;
        fn set_allocation(day: Date, shares: &Shares, at: Timestamp) -> Result<(), StoreError>;
        fn allocation(day: Date) -> Result<Option<Shares>, StoreError>;
        fn take_run(
            schedule: &ScheduleName, slot: Timestamp, holder: &Holder, now: Timestamp, until: Timestamp
        ) -> Result<RunTaken, StoreError>;
        fn end_run(
            schedule: &ScheduleName, slot: Timestamp, holder: &Holder, now: Timestamp
        ) -> Result<(), StoreError>;
        fn last_run(schedule: &ScheduleName) -> Result<Option<ScheduledRun>, StoreError>;
    }
}

impl banksman_core::port::Training for Chosen {
    hand_over! {
        fn record_points(points: Vec<banksman_core::training::Point>) -> Result<(), StoreError>;
        fn points(
            query: &banksman_core::port::training::PointQuery
        ) -> Result<Vec<banksman_core::training::Point>, StoreError>;
        fn point_counts() -> Result<banksman_core::port::training::PointCounts, StoreError>;
    }
}

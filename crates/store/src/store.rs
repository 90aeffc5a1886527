//! The store port on SQLite: which function of which table runs in which transaction, and how durable it is. The statements
//! stand in `tables`.

use crate::{
    sqlite::{Changes, Database, DbError, Durability, Schema, Tx},
    tables::{
        Stop, adds, cancels, epics, intents, jobs, journal,
        leases::{self, Held},
        ledger,
        observations::{self, Look},
        outcomes, plans,
    },
};
use banksman_core::{
    id::{JobId, Number},
    intent::{Intent, NewIntent, Receipt},
    job::Job,
    journal::JournalEntry,
    port::{
        DecisionRecord, EpicRecord, HeadSeen, Intended, Lease, LedgerEntry, Looks, NewTask, OutcomeRecord,
        PlanRecord, Refusal, Retried, Spend, Store, StoreError, TaskFilter,
    },
    signals::Signals,
    text::{Holder, RepoName},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::path::Path;

/// The store's schema.
pub const STORE: Schema = Schema {
    name: "store",
    id: 0x626b_7331,
    migrations: &[
        include_str!("../migrations/0001.sql"),
        include_str!("../migrations/0002.sql"),
        include_str!("../migrations/0003.sql"),
        include_str!("../migrations/0004.sql"),
    ],
};

/// The store in one SQLite file. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore {
    db: Database,
}

impl SqliteStore {
    /// Opens or makes the file. Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        Ok(Self::over(Database::open(path, &STORE)?))
    }

    /// The store over a database that was opened with the schema [`STORE`].
    pub fn over(db: Database) -> Self {
        Self { db }
    }

    /// Wake-up when anything was committed that somebody may wait for: intents, jobs, journal, plans, epics; not claims,
    /// heartbeats and observations of this process.
    pub fn changes(&self) -> Changes {
        self.db.changes()
    }

    /// The database, for writes whose refusal is more than a [`StoreError`].
    pub(crate) fn db(&self) -> &Database {
        &self.db
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.db.read(query).await?)
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl Fn(&Tx<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.db.write_repeatable(durability, work).await?)
    }

    /// A write that only the holder of the repository's lease may make (I8).
    async fn write_held<T: Send + 'static>(
        &self,
        durability: Durability,
        lease: &Lease,
        work: impl Fn(&Tx<'_>, &Held<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lease = lease.clone();
        self.write(durability, move |tx| {
            let held = leases::check(tx, &lease)?;
            work(tx, &held)
        })
        .await
    }
}

use Durability::{Acknowledged, Restartable};

impl Looks for SqliteStore {
    async fn looks(
        &self,
        repo: &RepoName,
        pull: Number,
    ) -> Result<Vec<banksman_core::port::Look>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| observations::looks(db, &repo, pull)).await
    }
}

impl Store for SqliteStore {
    async fn lease(
        &self,
        repo: &RepoName,
        holder: &Holder,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        let (repo, holder) = (repo.clone(), holder.clone());
        self.write(Restartable, move |tx| {
            tx.quiet();
            leases::take(tx, &repo, &holder, now, ttl_ms)
        })
        .await
    }

    async fn break_leases(
        &self,
        gone: &(dyn Fn(&Holder) -> bool + Sync),
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        // A process that is gone takes nothing new, so that the list cannot grow between the two transactions.
        let gone: Vec<Holder> = self.read(leases::holders).await?.into_iter().filter(|h| gone(h)).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        self.write(Restartable, move |tx| {
            gone.iter().try_fold(0, |ended, holder| Ok(ended + leases::break_of(tx, holder, now)?))
        })
        .await
    }

    async fn intend(
        &self,
        lease: &Lease,
        intent: &NewIntent,
        spend: Option<&Spend>,
    ) -> Result<Intended, StoreError> {
        let (intent, spend) = (intent.clone(), spend.cloned());
        self.write_held(Acknowledged, lease, move |tx, held| {
            intents::intend(tx, held, &intent, spend.as_ref())
        })
        .await
    }

    async fn record(
        &self,
        lease: &Lease,
        key: &str,
        receipt: &Receipt,
        done: bool,
    ) -> Result<(), StoreError> {
        let (key, receipt) = (key.to_owned(), receipt.clone());
        let durability = if done { Acknowledged } else { Restartable };
        self.write_held(durability, lease, move |tx, held| {
            if !done {
                tx.quiet();
            }
            intents::record(tx, held, &key, &receipt, done.then_some(receipt.at))
        })
        .await
    }

    async fn settle(
        &self,
        lease: &Lease,
        key: &str,
        refusal: Option<Refusal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write_held(Acknowledged, lease, move |tx, held| intents::settle(tx, held, &key, refusal, now))
            .await
    }

    async fn open_intents(&self, repo: &RepoName) -> Result<Vec<Intent>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| intents::open(db, &repo)).await
    }

    async fn intents_about(&self, repo: &RepoName, subject: Number) -> Result<Vec<Intent>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| intents::about(db, &repo, subject)).await
    }

    async fn intent(&self, repo: &RepoName, key: &str) -> Result<Option<Intent>, StoreError> {
        let (repo, key) = (repo.clone(), key.to_owned());
        self.read(move |db| intents::by_key(db, &repo, &key)).await
    }

    async fn intents(&self, repo: &RepoName) -> Result<Vec<Intent>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| intents::of(db, &repo)).await
    }

    async fn ledger(&self, repo: &RepoName) -> Result<Vec<LedgerEntry>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| ledger::of(db, &repo)).await
    }

    async fn observe(&self, lease: &Lease, record: &DecisionRecord<'_>) -> Result<(), StoreError> {
        let look = Look::new(record).map_err(|e| StoreError::Failed(e.to_string()))?;
        self.write_held(Restartable, lease, move |tx, held| {
            tx.quiet();
            observations::observe(tx, held, &look)
        })
        .await
    }

    async fn last_signals(&self, repo: &RepoName, pull: Number) -> Result<Option<Signals>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| observations::last_signals(db, &repo, pull)).await
    }

    async fn heads(&self, repo: &RepoName, pull: Number) -> Result<Vec<HeadSeen>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| observations::heads(db, &repo, pull)).await
    }

    async fn pulls_without_outcome(&self, repo: &RepoName) -> Result<Vec<Number>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| observations::without_outcome(db, &repo)).await
    }

    async fn record_outcome(&self, lease: &Lease, outcome: &OutcomeRecord) -> Result<(), StoreError> {
        let outcome = outcome.clone();
        self.write_held(Acknowledged, lease, move |tx, held| outcomes::add(tx, held, &outcome)).await
    }

    async fn outcomes(&self, repo: &RepoName) -> Result<Vec<OutcomeRecord>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| outcomes::of(db, &repo)).await
    }

    async fn write_journal(&self, lease: &Lease, entry: &JournalEntry) -> Result<(), StoreError> {
        let entry = entry.clone();
        self.write_held(Acknowledged, lease, move |tx, held| journal::add(tx, held, &entry)).await
    }

    async fn journal(&self, repo: &RepoName) -> Result<Vec<JournalEntry>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| journal::of(db, &repo)).await
    }

    async fn plan(&self, lease: &Lease, plan: &PlanRecord) -> Result<PlanRecord, StoreError> {
        let plan = plan.clone();
        self.write_held(Acknowledged, lease, move |tx, held| plans::add(tx, held, &plan)).await
    }

    async fn plan_done(&self, lease: &Lease, key: &str, now: Timestamp) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write_held(Acknowledged, lease, move |tx, held| plans::done(tx, held, &key, now)).await
    }

    async fn plans(&self, repo: &RepoName) -> Result<Vec<PlanRecord>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| plans::of(db, &repo)).await
    }

    async fn add_epic(&self, lease: &Lease, epic: &EpicRecord) -> Result<(), StoreError> {
        let epic = epic.clone();
        self.write_held(Acknowledged, lease, move |tx, held| epics::add(tx, held, &epic)).await
    }

    async fn end_epic(&self, lease: &Lease, epic: Number, now: Timestamp) -> Result<(), StoreError> {
        self.write_held(Acknowledged, lease, move |tx, held| epics::end(tx, held, epic, now)).await
    }

    async fn epics(&self, repo: &RepoName) -> Result<Vec<EpicRecord>, StoreError> {
        let repo = repo.clone();
        self.read(move |db| epics::of(db, &repo)).await
    }

    async fn repos(&self) -> Result<Vec<RepoName>, StoreError> {
        self.read(leases::repos).await
    }

    async fn enqueue(&self, lease: &Lease, task: &NewTask) -> Result<JobId, StoreError> {
        let (task, who) = (task.clone(), lease.holder.clone());
        self.write_held(Acknowledged, lease, move |tx, held| adds::enqueue(tx, held, &who, &task)).await
    }

    async fn enqueue_again(&self, lease: &Lease, job: JobId, now: Timestamp) -> Result<JobId, StoreError> {
        let who = lease.holder.clone();
        self.write_held(Acknowledged, lease, move |tx, held| {
            cancels::of_pipeline(tx, held, job)?;
            match adds::retry(tx, job, &who, now)? {
                Retried::As(id) | Retried::Already(id) => Ok(id),
                Retried::NotEnded(_) => Err(StoreError::Missing("failed or cancelled job").into()),
            }
        })
        .await
    }

    async fn withdraw(&self, lease: &Lease, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        let who = lease.holder.clone();
        self.write_held(Restartable, lease, move |tx, held| cancels::withdraw(tx, held, job, &who, now)).await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Job>, StoreError> {
        let filter = filter.clone();
        self.read(move |db| jobs::tasks(db, &filter)).await
    }
}

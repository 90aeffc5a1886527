//! The store port on PostgreSQL: which function of which table runs in which transaction, and how durable it is. The statements
//! stand in `tables`. What a function does when its answer was lost stands there too; those that say nothing are the same when
//! they are done twice.

use super::{
    address::Address,
    batches::{self, AddOrder, ClaimOrder, StepOrder},
    changes::{Bell, Changes},
    columns::Columns,
    error::{PgError, Stop},
    lane::Lane,
    link::Durability::{Acknowledged, Restartable},
    pool::Pool,
    schema,
    tables::{
        adds, cancels,
        drafts::Ticket,
        intents, jobs, leases, ledger,
        observations::{self, Look},
        records,
    },
    trial::{read, transact},
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
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a store waits for the server when it is opened.
const OPENING: Duration = Duration::from_secs(5);
/// Pause between two tries to open it.
const PAUSE: Duration = Duration::from_millis(200);

/// The store on a PostgreSQL server. Cheap to clone; belongs to the runtime on which it was opened.
#[derive(Clone)]
pub struct PostgresStore(pub(super) Arc<Open>);

/// What the clones share.
pub(super) struct Open {
    pub(super) pool: Arc<Pool>,
    pub(super) bell: Arc<Bell>,
    pub(super) claims: Lane<ClaimOrder>,
    pub(super) steps: Lane<StepOrder>,
    pub(super) adds: Lane<AddOrder>,
    adder: i64,
    serial: AtomicI64,
}

impl Open {
    /// A name for one more writing.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket { adder: self.adder, serial: self.serial.fetch_add(1, Ordering::Relaxed) }
    }
}

impl PostgresStore {
    /// Connects and brings the schema up to date; makes it when it is not there. A server that does not answer is asked again for
    /// some seconds.
    pub async fn open(address: &Address) -> Result<Self, PgError> {
        let pool = Arc::new(Pool::new(address.clone())?);
        let until = Instant::now() + OPENING;
        let adder = loop {
            match Self::prepare(&pool, address).await {
                Err(PgError::Unreachable { .. }) if Instant::now() < until => sleep(PAUSE).await,
                other => break other?,
            }
        };
        let bell = Bell::hang(Arc::clone(&pool)).await;
        Ok(Self(Arc::new(Open {
            claims: batches::claiming(&pool),
            steps: batches::stepping(&pool, &bell),
            adds: batches::adding(&pool, &bell),
            pool,
            bell,
            adder,
            serial: AtomicI64::new(1),
        })))
    }

    /// Migrates; a random number for this store.
    async fn prepare(pool: &Pool, address: &Address) -> Result<i64, PgError> {
        let link = pool.connect().await?;
        schema::migrate(&link, address).await?;
        let number = async {
            link.one(
                "SELECT ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint",
                &[],
            )
            .await?
            .col(0)
        };
        number.await.map_err(|stop: Stop| match stop {
            Stop::Failed(what) => PgError::Sql(what),
            _ => {
                PgError::Unreachable { place: address.place(), reason: "the connection was lost".to_owned() }
            }
        })
    }

    /// Wake-up when anything was committed that somebody may wait for, here or in another process: intents, jobs, journal, plans,
    /// epics; not heartbeats, claims and observations.
    pub fn changes(&self) -> Changes {
        self.0.bell.changes()
    }

    /// Somebody may wait for what was just written.
    pub(super) fn told<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        if result.is_ok() {
            self.0.bell.ring();
        }
        result
    }
}

/// A write that only the holder of the repository's lease may make (I8).
macro_rules! held {
    ($self:ident, $durability:expr, $lease:ident, |$tx:ident, $held:ident, $which:ident| $body:expr) => {
        transact!(&$self.0.pool, $durability, |$tx, $which| async {
            let _ = $which;
            let $held = &leases::check(&$tx, $lease).await?;
            $body.await
        })
    };
}

impl Looks for PostgresStore {
    async fn looks(
        &self,
        repo: &RepoName,
        pull: Number,
    ) -> Result<Vec<banksman_core::port::Look>, StoreError> {
        read!(&self.0.pool, |db| observations::looks(db, repo, pull))
    }
}

impl Store for PostgresStore {
    async fn lease(
        &self,
        repo: &RepoName,
        holder: &Holder,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        let until = leases::end(now, ttl_ms);
        transact!(&self.0.pool, Restartable, |tx, _which| leases::take(&tx, repo, holder, now, until))
    }

    async fn break_leases(
        &self,
        gone: &(dyn Fn(&Holder) -> bool + Sync),
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        // A process that is gone takes nothing new, so that the list cannot grow between the two transactions.
        let holders = read!(&self.0.pool, |db| leases::holders(db))?;
        let gone: Vec<Holder> = holders.into_iter().filter(|holder| gone(holder)).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        let ended = transact!(&self.0.pool, Restartable, |tx, _which| async {
            let mut ended = 0;
            for holder in &gone {
                ended += leases::break_of(&tx, holder, now).await?;
            }
            Ok(ended)
        });
        self.told(ended)
    }

    async fn intend(
        &self,
        lease: &Lease,
        intent: &NewIntent,
        spend: Option<&Spend>,
    ) -> Result<Intended, StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| intents::intend(
            &tx, held, intent, spend, which
        )))
    }

    async fn record(
        &self,
        lease: &Lease,
        key: &str,
        receipt: &Receipt,
        done: bool,
    ) -> Result<(), StoreError> {
        let (durability, done_at) = if done { (Acknowledged, Some(receipt.at)) } else { (Restartable, None) };
        let recorded = held!(self, durability, lease, |tx, held, which| intents::record(
            &tx, held, key, receipt, done_at, which
        ));
        if done { self.told(recorded) } else { recorded }
    }

    async fn settle(
        &self,
        lease: &Lease,
        key: &str,
        refusal: Option<Refusal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| intents::settle(
            &tx, held, key, refusal, now, which
        )))
    }

    async fn open_intents(&self, repo: &RepoName) -> Result<Vec<Intent>, StoreError> {
        read!(&self.0.pool, |db| intents::open(db, repo))
    }

    async fn intents_about(&self, repo: &RepoName, subject: Number) -> Result<Vec<Intent>, StoreError> {
        read!(&self.0.pool, |db| intents::about(db, repo, subject))
    }

    async fn intent(&self, repo: &RepoName, key: &str) -> Result<Option<Intent>, StoreError> {
        read!(&self.0.pool, |db| intents::by_key(db, repo, key))
    }

    async fn intents(&self, repo: &RepoName) -> Result<Vec<Intent>, StoreError> {
        read!(&self.0.pool, |db| intents::of(db, repo))
    }

    async fn ledger(&self, repo: &RepoName) -> Result<Vec<LedgerEntry>, StoreError> {
        read!(&self.0.pool, |db| ledger::of(db, repo))
    }

    async fn observe(&self, lease: &Lease, record: &DecisionRecord<'_>) -> Result<(), StoreError> {
        let look = Look::new(record).map_err(|error| StoreError::Failed(error.to_string()))?;
        held!(self, Restartable, lease, |tx, held, which| observations::observe(&tx, held, &look))
    }

    async fn last_signals(&self, repo: &RepoName, pull: Number) -> Result<Option<Signals>, StoreError> {
        read!(&self.0.pool, |db| observations::last_signals(db, repo, pull))
    }

    async fn heads(&self, repo: &RepoName, pull: Number) -> Result<Vec<HeadSeen>, StoreError> {
        read!(&self.0.pool, |db| observations::heads(db, repo, pull))
    }

    async fn pulls_without_outcome(&self, repo: &RepoName) -> Result<Vec<Number>, StoreError> {
        read!(&self.0.pool, |db| observations::without_outcome(db, repo))
    }

    async fn record_outcome(&self, lease: &Lease, outcome: &OutcomeRecord) -> Result<(), StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| records::add_outcome(
            &tx, held, outcome
        )))
    }

    async fn outcomes(&self, repo: &RepoName) -> Result<Vec<OutcomeRecord>, StoreError> {
        read!(&self.0.pool, |db| records::outcomes(db, repo))
    }

    async fn write_journal(&self, lease: &Lease, entry: &JournalEntry) -> Result<(), StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| records::add_line(&tx, held, entry)))
    }

    async fn journal(&self, repo: &RepoName) -> Result<Vec<JournalEntry>, StoreError> {
        read!(&self.0.pool, |db| records::journal(db, repo))
    }

    async fn plan(&self, lease: &Lease, plan: &PlanRecord) -> Result<PlanRecord, StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| records::add_plan(&tx, held, plan)))
    }

    async fn plan_done(&self, lease: &Lease, key: &str, now: Timestamp) -> Result<(), StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| records::end_plan(&tx, held, key, now)))
    }

    async fn plans(&self, repo: &RepoName) -> Result<Vec<PlanRecord>, StoreError> {
        read!(&self.0.pool, |db| records::plans(db, repo))
    }

    async fn add_epic(&self, lease: &Lease, epic: &EpicRecord) -> Result<(), StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| records::add_epic(&tx, held, epic)))
    }

    async fn end_epic(&self, lease: &Lease, epic: Number, now: Timestamp) -> Result<(), StoreError> {
        self.told(held!(self, Acknowledged, lease, |tx, held, which| records::end_epic(&tx, held, epic, now)))
    }

    async fn epics(&self, repo: &RepoName) -> Result<Vec<EpicRecord>, StoreError> {
        read!(&self.0.pool, |db| records::epics(db, repo))
    }

    async fn repos(&self) -> Result<Vec<RepoName>, StoreError> {
        read!(&self.0.pool, |db| leases::repos(db))
    }

    async fn enqueue(&self, lease: &Lease, task: &NewTask) -> Result<JobId, StoreError> {
        let ticket = self.0.ticket();
        self.told(held!(self, Acknowledged, lease, |tx, held, which| adds::enqueue(
            &tx,
            held,
            &lease.holder,
            task,
            ticket
        )))
    }

    async fn enqueue_again(&self, lease: &Lease, job: JobId, now: Timestamp) -> Result<JobId, StoreError> {
        let ticket = self.0.ticket();
        self.told(held!(self, Acknowledged, lease, |tx, held, which| async {
            adds::of_pipeline(&tx, held, job).await?;
            match adds::retry(&tx, job, ticket, &lease.holder, now, which).await? {
                Retried::As(id) | Retried::Already(id) => Ok(id),
                Retried::NotEnded(_) => Err(StoreError::Missing("failed or cancelled job").into()),
            }
        }))
    }

    async fn withdraw(&self, lease: &Lease, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.told(held!(self, Restartable, lease, |tx, held, which| cancels::withdraw(
            &tx,
            held,
            job,
            &lease.holder,
            now
        )))
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Job>, StoreError> {
        read!(&self.0.pool, |db| jobs::tasks(db, filter))
    }
}

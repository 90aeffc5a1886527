//! The store's part about repositories and tasks of the pipeline.

use super::SimStore;
use banksman_core::{
    id::{JobId, Number},
    intent::{Intent, IntentState, NewIntent, Receipt},
    job::Job,
    journal::JournalEntry,
    port::{
        DecisionRecord, EpicRecord, HeadSeen, Intended, Lease, LedgerEntry, Look, Looks, NewTask,
        OutcomeRecord, PlanRecord, Refusal, Spend, Store, StoreError, TaskFilter,
    },
    signals::Signals,
    text::{Holder, RepoName},
};
use jiff::Timestamp;

impl Store for SimStore {
    async fn lease(
        &self,
        repo: &RepoName,
        holder: &Holder,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        self.silent("lease", |u| u.store.lease(repo, holder, now, ttl_ms)).await
    }

    async fn break_leases(
        &self,
        gone: &(dyn Fn(&Holder) -> bool + Sync),
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write("break_leases", |u| Ok(u.store.break_leases(gone))).await
    }

    async fn intend(
        &self,
        lease: &Lease,
        intent: &NewIntent,
        spend: Option<&Spend>,
    ) -> Result<Intended, StoreError> {
        self.write("intend", |u| {
            let intended = u.store.intend(lease, intent, spend)?;
            u.check_intended(&lease.repo, &intended, spend);
            Ok(intended)
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
        self.write("record", |u| u.store.record(lease, key, receipt, done)).await
    }

    async fn settle(
        &self,
        lease: &Lease,
        key: &str,
        refusal: Option<Refusal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("settle", |u| u.store.settle(lease, key, refusal, now)).await
    }

    async fn open_intents(&self, repo: &RepoName) -> Result<Vec<Intent>, StoreError> {
        self.quiet("open_intents", |u| {
            let book = u.store.repo(repo);
            let open = book.iter().flat_map(|b| &b.intents).filter(|i| i.state == IntentState::Open);
            open.cloned().collect()
        })
        .await
    }

    async fn intents_about(&self, repo: &RepoName, subject: Number) -> Result<Vec<Intent>, StoreError> {
        self.quiet("intents_about", |u| {
            let book = u.store.repo(repo);
            book.iter().flat_map(|b| &b.intents).filter(|i| i.subject == subject).cloned().collect()
        })
        .await
    }

    async fn intent(&self, repo: &RepoName, key: &str) -> Result<Option<Intent>, StoreError> {
        self.quiet("intent", |u| u.store.repo(repo).and_then(|b| b.intent(key)).cloned()).await
    }

    async fn intents(&self, repo: &RepoName) -> Result<Vec<Intent>, StoreError> {
        self.quiet("intents", |u| u.store.repo(repo).map(|b| b.intents.clone()).unwrap_or_default()).await
    }

    async fn ledger(&self, repo: &RepoName) -> Result<Vec<LedgerEntry>, StoreError> {
        self.quiet("ledger", |u| u.store.ledger(repo)).await
    }

    async fn observe(&self, lease: &Lease, record: &DecisionRecord<'_>) -> Result<(), StoreError> {
        self.quiet("observe", |u| u.store.observe(lease, record)).await?
    }

    async fn last_signals(&self, repo: &RepoName, pull: Number) -> Result<Option<Signals>, StoreError> {
        self.quiet("last_signals", |u| u.store.last_signals(repo, pull)).await
    }

    async fn heads(&self, repo: &RepoName, pull: Number) -> Result<Vec<HeadSeen>, StoreError> {
        self.quiet("heads", |u| u.store.heads(repo, pull)).await
    }

    async fn pulls_without_outcome(&self, repo: &RepoName) -> Result<Vec<Number>, StoreError> {
        self.quiet("pulls_without_outcome", |u| {
            let Some(book) = u.store.repo(repo) else { return Vec::new() };
            book.pulls.keys().filter(|n| !book.outcomes.contains_key(n)).copied().collect()
        })
        .await
    }

    async fn record_outcome(&self, lease: &Lease, outcome: &OutcomeRecord) -> Result<(), StoreError> {
        self.write("record_outcome", |u| u.store.record_outcome(lease, outcome)).await
    }

    async fn outcomes(&self, repo: &RepoName) -> Result<Vec<OutcomeRecord>, StoreError> {
        self.quiet("outcomes", |u| {
            u.store.repo(repo).iter().flat_map(|b| b.outcomes.values()).cloned().collect()
        })
        .await
    }

    async fn write_journal(&self, lease: &Lease, entry: &JournalEntry) -> Result<(), StoreError> {
        self.write("write_journal", |u| {
            u.check_text("journal", entry);
            u.store.write_journal(lease, entry)
        })
        .await
    }

    async fn journal(&self, repo: &RepoName) -> Result<Vec<JournalEntry>, StoreError> {
        self.quiet("journal", |u| u.store.repo(repo).map(|b| b.journal.clone()).unwrap_or_default()).await
    }

    async fn plan(&self, lease: &Lease, plan: &PlanRecord) -> Result<PlanRecord, StoreError> {
        self.write("plan", |u| u.store.plan(lease, plan)).await
    }

    async fn plan_done(&self, lease: &Lease, key: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("plan_done", |u| u.store.plan_done(lease, key, now)).await
    }

    async fn plans(&self, repo: &RepoName) -> Result<Vec<PlanRecord>, StoreError> {
        self.quiet("plans", |u| u.store.plans(repo)).await
    }

    async fn add_epic(&self, lease: &Lease, epic: &EpicRecord) -> Result<(), StoreError> {
        self.write("add_epic", |u| u.store.add_epic(lease, epic)).await
    }

    async fn end_epic(&self, lease: &Lease, epic: Number, now: Timestamp) -> Result<(), StoreError> {
        self.write("end_epic", |u| u.store.end_epic(lease, epic, now)).await
    }

    async fn epics(&self, repo: &RepoName) -> Result<Vec<EpicRecord>, StoreError> {
        self.quiet("epics", |u| u.store.repo(repo).iter().flat_map(|b| b.epics.values()).cloned().collect())
            .await
    }

    async fn repos(&self) -> Result<Vec<RepoName>, StoreError> {
        self.quiet("repos", |u| u.store.repos.keys().cloned().collect()).await
    }

    async fn enqueue(&self, lease: &Lease, task: &NewTask) -> Result<JobId, StoreError> {
        self.write("enqueue", |u| u.store.enqueue(lease, task)).await
    }

    async fn enqueue_again(&self, lease: &Lease, job: JobId, now: Timestamp) -> Result<JobId, StoreError> {
        self.write("enqueue_again", |u| u.store.enqueue_again(lease, job, now)).await
    }

    async fn withdraw(&self, lease: &Lease, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.write("withdraw", |u| u.store.withdraw(lease, job, now)).await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Job>, StoreError> {
        self.quiet("tasks", |u| u.store.tasks(filter)).await
    }
}

impl Looks for SimStore {
    async fn looks(&self, repo: &RepoName, pull: Number) -> Result<Vec<Look>, StoreError> {
        self.quiet("looks", |u| u.store.looks(repo, pull)).await
    }
}

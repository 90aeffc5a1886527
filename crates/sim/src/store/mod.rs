//! The simulated store: the port over the book, each call through the gate of faults. The book survives every process.

mod book;

pub(crate) use book::Book;

use crate::{gate::Port, universe::Universe, violation::Invariant, world::Me};
use banksman_core::{
    id::{Number, WorkId},
    intent::{Intent, IntentState, NewIntent, Receipt},
    journal::JournalEntry,
    port::{
        AttemptRecord, Claim, DecisionRecord, EpicRecord, HeadSeen, Intended, Lease, LedgerEntry, NewWork,
        OutcomeRecord, PlanRecord, Refusal, Spend, Store, StoreError, WorkFilter,
    },
    signals::Signals,
    text::{EngineName, Holder, RepoName},
    work::{WorkItem, WorkOutcome},
};
use jiff::Timestamp;

/// One process's connection to the store.
#[derive(Clone)]
pub(crate) struct SimStore(pub(crate) Me);

impl SimStore {
    /// A call that changes something: others are woken.
    async fn write<T>(
        &self,
        call: &'static str,
        write: impl FnOnce(&mut Universe) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.0.before(Port::Store, call).await.map_err(|_| StoreError::Failed("simulated".to_owned()))?;
        let answer = self.0.shared.with(write);
        self.0.shared.note(self.0.process, call, answer.is_ok().into(), String::new);
        if answer.is_ok() {
            self.0.changed();
        }
        self.0.after(Port::Store, call).await.map_err(|_| StoreError::Failed("simulated".to_owned()))?;
        answer
    }

    /// A call that changes nothing that anybody waits for.
    async fn quiet<T>(
        &self,
        call: &'static str,
        read: impl FnOnce(&mut Universe) -> T,
    ) -> Result<T, StoreError> {
        self.0.before(Port::Store, call).await.map_err(|_| StoreError::Failed("simulated".to_owned()))?;
        Ok(self.0.shared.with(read))
    }
}

impl Store for SimStore {
    async fn lease(
        &self,
        repo: &RepoName,
        holder: &Holder,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        let lease = self.quiet("lease", |u| u.store.lease(repo, holder, now, ttl_ms)).await?;
        self.0.after(Port::Store, "lease").await.map_err(|_| StoreError::Failed("simulated".to_owned()))?;
        Ok(lease)
    }

    async fn break_leases(
        &self,
        gone: &(dyn Fn(&Holder) -> bool + Sync),
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write("break_leases", |u| Ok(u.store.break_leases(gone, now))).await
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
        self.quiet("ledger", |u| {
            u.store.repo(repo).iter().flat_map(|b| &b.ledger).map(|(entry, _)| entry.clone()).collect()
        })
        .await
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

    async fn enqueue(&self, lease: &Lease, work: &NewWork) -> Result<WorkId, StoreError> {
        self.write("enqueue", |u| u.store.enqueue(lease, work)).await
    }

    async fn claim(
        &self,
        holder: &Holder,
        engines: &[EngineName],
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Claim>, StoreError> {
        let claim = self.quiet("claim", |u| u.store.claim(holder, engines, now, ttl_ms)).await?;
        self.0.after(Port::Store, "claim").await.map_err(|_| StoreError::Failed("simulated".to_owned()))?;
        Ok(claim)
    }

    async fn renew(&self, claim: &Claim, now: Timestamp, ttl_ms: i64) -> Result<Timestamp, StoreError> {
        self.quiet("renew", |u| u.store.renew(claim, now, ttl_ms)).await?
    }

    async fn finish(
        &self,
        claim: &Claim,
        result: Result<WorkOutcome, Timestamp>,
        record: &AttemptRecord,
    ) -> Result<(), StoreError> {
        self.write("finish", |u| {
            let current = u.store.holds(claim);
            let answer = u.store.finish(claim, result, record);
            if answer.is_ok() && !current {
                let what =
                    format!("{}: attempt {} ended an item it had lost", claim.item.repo, claim.attempt);
                u.violated(Invariant::Fenced, what);
            }
            answer
        })
        .await
    }

    async fn cancel(&self, lease: &Lease, work: WorkId, now: Timestamp) -> Result<(), StoreError> {
        self.write("cancel", |u| u.store.cancel(lease, work, now)).await
    }

    async fn work(&self, filter: &WorkFilter) -> Result<Vec<WorkItem>, StoreError> {
        self.quiet("work", |u| u.store.work(filter)).await
    }

    async fn attempts(&self, repo: &RepoName) -> Result<Vec<AttemptRecord>, StoreError> {
        self.quiet("attempts", |u| u.store.attempts(repo)).await
    }
}

#[cfg(test)]
mod conformance {
    use super::*;
    use crate::{
        chance::Chance,
        executor::{Kernel, NATURE},
        plan::Plan,
        trace::Record,
        world::Shared,
    };
    use futures_util::FutureExt;
    use std::{future::Future, sync::Arc};

    /// A store without faults: nature's calls pass the gate at once.
    async fn open() -> Box<SimStore> {
        let plan = Plan::draw(&mut Chance::new(1), 1, 1);
        let kernel = Arc::new(Kernel::new(Chance::new(2)));
        let shared = Shared::new(kernel, plan, Universe::new(0), Record::default());
        Box::new(SimStore(Me::new(&shared, NATURE)))
    }

    fn at_once<T>(case: impl Future<Output = T>) -> T {
        case.now_or_never().expect("nothing waits in a store without faults")
    }

    banksman_store::store_conformance!(open, at_once);
}

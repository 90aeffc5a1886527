//! The books of the budget on SQLite: which function of which table runs in which transaction.

use crate::{
    SqliteStore,
    sqlite::Durability::Acknowledged,
    tables::{pools, runs, spends},
};
use banksman_core::{
    budget::{Charge, Cost, Span, Usage, reservation::End},
    port::{
        Budget, LedgerEntry, StoreError,
        budget::{
            MemberUse, NewLedgerLine, OpenSpend, RunTaken, ScheduledRun, Shares, SpendReserved, SpendWish,
        },
    },
    text::{Holder, ProviderName, ScheduleName},
};
use jiff::{Timestamp, civil::Date};

impl Budget for SqliteStore {
    async fn reserve_spend(&self, wish: &SpendWish) -> Result<SpendReserved, StoreError> {
        let wish = wish.clone();
        self.write(Acknowledged, move |tx| spends::reserve(tx, &wish)).await
    }

    async fn settle_spend(&self, key: &str, cost: Option<Cost>) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write(Acknowledged, move |tx| spends::end(tx, &key, End::Settle, cost)).await
    }

    async fn release_spend(&self, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write(Acknowledged, move |tx| spends::end(tx, &key, End::Release, None)).await
    }

    async fn open_spends(&self) -> Result<Vec<OpenSpend>, StoreError> {
        self.read(spends::open).await
    }

    async fn usage(&self, charge: &Charge) -> Result<Usage, StoreError> {
        let charge = charge.clone();
        self.read(move |db| pools::usage(db, &charge)).await
    }

    async fn used(&self, provider: &ProviderName, span: Span) -> Result<Vec<MemberUse>, StoreError> {
        let provider = provider.clone();
        self.read(move |db| pools::used(db, &provider, span)).await
    }

    async fn append_ledger(&self, lines: Vec<NewLedgerLine>) -> Result<u64, StoreError> {
        self.write(Acknowledged, move |tx| {
            lines.iter().try_fold(0, |added, line| Ok(added + spends::append(tx, line)?))
        })
        .await
    }

    async fn ledger_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read(move |db| spends::between(db, since, until)).await
    }

    async fn set_allocation(&self, day: Date, shares: &Shares, at: Timestamp) -> Result<(), StoreError> {
        let shares = shares.clone();
        self.write(Acknowledged, move |tx| pools::set_allocation(tx, day, &shares, at)).await
    }

    async fn allocation(&self, day: Date) -> Result<Option<Shares>, StoreError> {
        self.read(move |db| pools::allocation(db, day)).await
    }

    async fn take_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<RunTaken, StoreError> {
        let (schedule, holder) = (schedule.clone(), holder.clone());
        self.write(Acknowledged, move |tx| runs::take(tx, &schedule, slot, &holder, now, until)).await
    }

    async fn end_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (schedule, holder) = (schedule.clone(), holder.clone());
        self.write(Acknowledged, move |tx| runs::end(tx, &schedule, slot, &holder, now)).await
    }

    async fn last_run(&self, schedule: &ScheduleName) -> Result<Option<ScheduledRun>, StoreError> {
        let schedule = schedule.clone();
        self.read(move |db| runs::last(db, &schedule)).await
    }
}

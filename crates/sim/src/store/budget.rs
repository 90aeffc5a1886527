//! The store's part about the budget.

use super::SimStore;
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

impl Budget for SimStore {
    async fn reserve_spend(&self, wish: &SpendWish) -> Result<SpendReserved, StoreError> {
        self.write("reserve_spend", |u| Ok(u.store.reserve_spend(wish))).await
    }

    async fn settle_spend(&self, key: &str, cost: Option<Cost>) -> Result<(), StoreError> {
        self.write("settle_spend", |u| u.store.end_spend(key, End::Settle, cost)).await
    }

    async fn release_spend(&self, key: &str) -> Result<(), StoreError> {
        self.write("release_spend", |u| u.store.end_spend(key, End::Release, None)).await
    }

    async fn open_spends(&self) -> Result<Vec<OpenSpend>, StoreError> {
        self.quiet("open_spends", |u| u.store.open_spends()).await
    }

    async fn usage(&self, charge: &Charge) -> Result<Usage, StoreError> {
        self.quiet("usage", |u| u.store.usage(charge)).await
    }

    async fn used(&self, provider: &ProviderName, span: Span) -> Result<Vec<MemberUse>, StoreError> {
        self.quiet("used", |u| u.store.used(provider, span)).await
    }

    async fn append_ledger(&self, lines: Vec<NewLedgerLine>) -> Result<u64, StoreError> {
        self.write("append_ledger", |u| Ok(u.store.append_ledger(lines))).await
    }

    async fn ledger_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.quiet("ledger_between", |u| u.store.ledger_between(since, until)).await
    }

    async fn set_allocation(&self, day: Date, shares: &Shares, _at: Timestamp) -> Result<(), StoreError> {
        self.write("set_allocation", |u| {
            u.store.set_allocation(day, shares);
            Ok(())
        })
        .await
    }

    async fn allocation(&self, day: Date) -> Result<Option<Shares>, StoreError> {
        self.quiet("allocation", |u| u.store.allocation(day)).await
    }

    async fn take_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<RunTaken, StoreError> {
        self.write("take_run", |u| Ok(u.store.take_run(schedule, slot, holder, now, until))).await
    }

    async fn end_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("end_run", |u| u.store.end_run(schedule, slot, holder, now)).await
    }

    async fn last_run(&self, schedule: &ScheduleName) -> Result<Option<ScheduledRun>, StoreError> {
        self.quiet("last_run", |u| u.store.last_run(schedule)).await
    }
}

//! The books of the budget on PostgreSQL: which function of which table runs in which transaction.

use super::{
    link::Durability::Acknowledged,
    store::PostgresStore,
    tables::{pools, runs, spends},
    trial::{read, transact},
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

impl Budget for PostgresStore {
    async fn reserve_spend(&self, wish: &SpendWish) -> Result<SpendReserved, StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, which| spends::reserve(&tx, wish, which)))
    }

    async fn settle_spend(&self, key: &str, cost: Option<Cost>) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| spends::end(
            &tx,
            key,
            End::Settle,
            cost
        )))
    }

    async fn release_spend(&self, key: &str) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| spends::end(
            &tx,
            key,
            End::Release,
            None
        )))
    }

    async fn open_spends(&self) -> Result<Vec<OpenSpend>, StoreError> {
        read!(&self.0.pool, |db| spends::open(db))
    }

    async fn usage(&self, charge: &Charge) -> Result<Usage, StoreError> {
        read!(&self.0.pool, |db| pools::usage(db, charge))
    }

    async fn used(&self, provider: &ProviderName, span: Span) -> Result<Vec<MemberUse>, StoreError> {
        read!(&self.0.pool, |db| pools::used(db, provider, span))
    }

    async fn append_ledger(&self, lines: Vec<NewLedgerLine>) -> Result<u64, StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| spends::append(&tx, &lines)))
    }

    async fn ledger_between(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        read!(&self.0.pool, |db| spends::between(db, since, until))
    }

    async fn set_allocation(&self, day: Date, shares: &Shares, at: Timestamp) -> Result<(), StoreError> {
        self.told(transact!(&self.0.pool, Acknowledged, |tx, _which| pools::set_allocation(
            &tx, day, shares, at
        )))
    }

    async fn allocation(&self, day: Date) -> Result<Option<Shares>, StoreError> {
        read!(&self.0.pool, |db| pools::allocation(db, day))
    }

    async fn take_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<RunTaken, StoreError> {
        transact!(&self.0.pool, Acknowledged, |tx, _which| runs::take(
            &tx, schedule, slot, holder, now, until
        ))
    }

    async fn end_run(
        &self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        transact!(&self.0.pool, Acknowledged, |tx, _which| runs::end(&tx, schedule, slot, holder, now))
    }

    async fn last_run(&self, schedule: &ScheduleName) -> Result<Option<ScheduledRun>, StoreError> {
        read!(&self.0.pool, |db| runs::last(db, schedule))
    }
}

//! The books of the budget: lines of the ledger, the plan of a day, scheduled runs, without faults or time.

use super::{Answer, Book};
use banksman_core::{
    budget::{
        Charge, Cost, Held, Limit, PlanDay, Span, Usage,
        reservation::{End, next},
    },
    intent::NewIntent,
    port::{
        LedgerEntry, LedgerState, Spend, StoreError,
        budget::{
            MemberUse, NewLedgerLine, OpenSpend, RunTaken, ScheduledRun, Shares, SpendReserved, SpendWish,
        },
    },
    text::{Holder, MemberName, ProviderName, RepoName, ScheduleName},
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use std::collections::BTreeMap;

/// A line of the ledger: of an intent, or under a key of its own.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    pub(crate) entry: LedgerEntry,
    pub(crate) key: String,
    pub(crate) counted_at: Timestamp,
    holder: Option<Holder>,
}

/// What is kept beside the ledgers of the repositories.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Books {
    /// Lines under keys of their own.
    lines: Vec<Line>,
    plans: BTreeMap<Date, Shares>,
    #[serde(skip)]
    runs: BTreeMap<(ScheduleName, Timestamp), (ScheduledRun, Timestamp)>,
}

fn counted(amount: u64) -> Option<u64> {
    (amount > 0).then_some(amount)
}

fn cost_of(entry: &LedgerEntry) -> Cost {
    let (money, tokens) = (entry.money.unwrap_or_default(), entry.tokens.unwrap_or_default());
    Cost { tasks: entry.cost, money, tokens }
}

impl Book {
    /// Every line that counts.
    fn counting(&self) -> impl Iterator<Item = &Line> {
        let of_intents = self.repos.values().flat_map(|book| &book.ledger);
        of_intents.chain(&self.budget.lines).filter(|line| line.entry.state != LedgerState::Released)
    }

    /// The ledger of a repository, oldest first.
    pub(crate) fn ledger(&self, repo: &RepoName) -> Vec<LedgerEntry> {
        let own = self.repo(repo).into_iter().flat_map(|book| &book.ledger);
        let others = self.budget.lines.iter().filter(|line| line.entry.repo == *repo);
        let mut entries: Vec<LedgerEntry> = own.chain(others).map(|line| line.entry.clone()).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    pub(crate) fn usage(&self, charge: &Charge) -> Usage {
        let sum = |limit: &Limit, is: &dyn Fn(Option<&MemberName>) -> bool| -> u64 {
            let span = Span { start: limit.span.start, end: limit.span.counted_until() };
            let lines = self.counting().filter(|line| {
                line.entry.provider == charge.provider
                    && span.has(line.counted_at)
                    && is(line.entry.member.as_ref())
            });
            lines.map(|line| cost_of(&line.entry).of(limit.unit)).sum()
        };
        let known = |member: Option<&MemberName>| charge.accounts.iter().any(|a| Some(&a.member) == member);
        let mut usage = Usage::default();
        for account in &charge.accounts {
            let own = |member: Option<&MemberName>| member == Some(&account.member);
            usage.used.push(account.limits.iter().map(|limit| sum(limit, &own)).collect());
            usage.strays.push(account.limits.iter().map(|limit| sum(limit, &|m| !known(m))).collect());
        }
        usage
    }

    fn counted_at(&self, charge: &Charge, at: Timestamp) -> Timestamp {
        let limits = charge.accounts.iter().flat_map(|account| &account.limits);
        let Some(horizon) = limits.map(|limit| limit.span.counted_until()).min() else { return at };
        let all = self.repos.values().flat_map(|book| &book.ledger).chain(&self.budget.lines);
        let pool = all.filter(|line| line.entry.provider == charge.provider && line.counted_at < horizon);
        pool.map(|line| line.counted_at).max().map_or(at, |newest| newest.max(at))
    }

    fn plan_holds(&self, repo: &RepoName, day: &PlanDay, tasks: u32) -> Option<Held> {
        let shares = self.budget.plans.get(&day.date)?;
        let span = Span { start: day.span.start, end: day.span.counted_until() };
        let lines = self.counting().filter(|line| line.entry.repo == *repo && span.has(line.counted_at));
        let spent: u32 = lines.map(|line| line.entry.cost).sum();
        let share = shares.get(repo).copied().unwrap_or_default();
        (spent + tasks > share).then_some(Held::Plan { until: day.span.end })
    }

    /// The line of a dispatch of the pipeline, or why the budget holds it back.
    pub(super) fn budget_line(&self, new: &NewIntent, spend: &Spend) -> Answer<Result<Line, Held>> {
        if let Some(why) = spend.day.as_ref().and_then(|day| self.plan_holds(&new.repo, day, spend.cost)) {
            return Ok(Err(why));
        }
        let (provider, member, counted_at) = match &spend.charge {
            None => {
                let own = ProviderName::new(spend.implementer.as_str());
                (own.map_err(|e| StoreError::Failed(e.to_string()))?, None, new.at)
            }
            Some(charge) => match charge.choose(&self.usage(charge)) {
                Ok(member) => {
                    (charge.provider.clone(), Some(member.clone()), self.counted_at(charge, new.at))
                }
                Err(why) => return Ok(Err(why)),
            },
        };
        let cost = spend.charge.as_ref().map(|charge| charge.cost).unwrap_or_default();
        let entry = LedgerEntry {
            at: new.at,
            repo: new.repo.clone(),
            issue: new.subject,
            implementer: spend.implementer.clone(),
            epic: Some(spend.epic),
            cost: spend.cost,
            money: counted(cost.money),
            tokens: counted(cost.tokens),
            provider,
            member,
            state: LedgerState::Reserved,
        };
        Ok(Ok(Line { entry, key: new.key.clone(), counted_at, holder: None }))
    }

    pub(crate) fn reserve_spend(&mut self, wish: &SpendWish) -> SpendReserved {
        if let Some(line) = self.budget.lines.iter().find(|line| line.key == wish.key) {
            return SpendReserved::Known(line.entry.state);
        }
        let cost = wish.charge.cost;
        if let Some(why) = wish.day.as_ref().and_then(|day| self.plan_holds(&wish.repo, day, cost.tasks)) {
            return SpendReserved::Held(why);
        }
        let member = match wish.charge.choose(&self.usage(&wish.charge)) {
            Ok(member) => member.clone(),
            Err(why) => return SpendReserved::Held(why),
        };
        let entry = LedgerEntry {
            at: wish.at,
            repo: wish.repo.clone(),
            issue: wish.issue,
            implementer: wish.implementer.clone(),
            epic: wish.epic,
            cost: cost.tasks,
            money: counted(cost.money),
            tokens: counted(cost.tokens),
            provider: wish.charge.provider.clone(),
            member: Some(member.clone()),
            state: LedgerState::Reserved,
        };
        let counted_at = self.counted_at(&wish.charge, wish.at);
        let holder = Some(wish.holder.clone());
        self.budget.lines.push(Line { entry, key: wish.key.clone(), counted_at, holder });
        SpendReserved::New(member)
    }

    pub(crate) fn end_spend(&mut self, key: &str, end: End, cost: Option<Cost>) -> Answer<()> {
        let line = self.budget.lines.iter_mut().find(|line| line.key == key);
        let entry = &mut line.ok_or(StoreError::Missing("reservation"))?.entry;
        let ended = next(entry.state, end).map_err(|_| StoreError::Missing("open reservation"))?;
        if ended != entry.state {
            entry.state = ended;
            if let Some(cost) = cost {
                (entry.cost, entry.money, entry.tokens) =
                    (cost.tasks, counted(cost.money), counted(cost.tokens));
            }
        }
        Ok(())
    }

    pub(crate) fn open_spends(&self) -> Vec<OpenSpend> {
        let open = self.budget.lines.iter().filter(|line| line.entry.state == LedgerState::Reserved);
        open.filter_map(|line| {
            let holder = line.holder.clone()?;
            Some(OpenSpend { key: line.key.clone(), holder, entry: line.entry.clone() })
        })
        .collect()
    }

    pub(crate) fn used(&self, provider: &ProviderName, span: Span) -> Vec<MemberUse> {
        let span = Span { start: span.start, end: span.counted_until() };
        let mut by: BTreeMap<Option<MemberName>, MemberUse> = BTreeMap::new();
        for line in self.counting().filter(|l| l.entry.provider == *provider && span.has(l.counted_at)) {
            let member = line.entry.member.clone();
            let none =
                MemberUse { member: member.clone(), reserved: Cost::default(), settled: Cost::default() };
            let used = by.entry(member).or_insert(none);
            let sum = match line.entry.state {
                LedgerState::Reserved => &mut used.reserved,
                LedgerState::Settled | LedgerState::Released => &mut used.settled,
            };
            *sum = sum.plus(cost_of(&line.entry));
        }
        by.into_values().collect()
    }

    pub(crate) fn append_ledger(&mut self, lines: Vec<NewLedgerLine>) -> u64 {
        let mut added = 0;
        for line in lines {
            if self.budget.lines.iter().any(|known| known.key == line.key) {
                continue;
            }
            let entry = LedgerEntry {
                at: line.at,
                repo: line.repo,
                issue: line.issue,
                implementer: line.implementer,
                epic: line.epic,
                cost: line.cost.tasks,
                money: counted(line.cost.money),
                tokens: counted(line.cost.tokens),
                provider: line.provider,
                member: line.member,
                state: LedgerState::Settled,
            };
            self.budget.lines.push(Line { entry, key: line.key, counted_at: line.at, holder: None });
            added += 1;
        }
        added
    }

    pub(crate) fn ledger_between(&self, since: Timestamp, until: Timestamp) -> Vec<LedgerEntry> {
        let inside = self.counting().map(|line| &line.entry).filter(|e| since <= e.at && e.at < until);
        let mut entries: Vec<LedgerEntry> = inside.cloned().collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    pub(crate) fn set_allocation(&mut self, day: Date, shares: &Shares) {
        self.budget.plans.insert(day, shares.clone());
    }

    pub(crate) fn allocation(&self, day: Date) -> Option<Shares> {
        self.budget.plans.get(&day).cloned()
    }

    pub(crate) fn take_run(
        &mut self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> RunTaken {
        let key = (schedule.clone(), slot);
        match self.budget.runs.get_mut(&key) {
            Some((run, _)) if run.ended_at.is_some() => RunTaken::Done,
            Some((run, held)) if *held > now && run.holder != *holder => RunTaken::Elsewhere,
            Some((run, held)) => {
                run.holder = holder.clone();
                run.tries += 1;
                *held = until;
                RunTaken::Yes(run.tries)
            }
            None => {
                let run = ScheduledRun {
                    schedule: schedule.clone(),
                    slot,
                    holder: holder.clone(),
                    tries: 1,
                    ended_at: None,
                };
                self.budget.runs.insert(key, (run, until));
                RunTaken::Yes(1)
            }
        }
    }

    pub(crate) fn end_run(
        &mut self,
        schedule: &ScheduleName,
        slot: Timestamp,
        holder: &Holder,
        now: Timestamp,
    ) -> Answer<()> {
        match self.budget.runs.get_mut(&(schedule.clone(), slot)) {
            Some((run, _)) if run.holder == *holder => {
                run.ended_at.get_or_insert(now);
                Ok(())
            }
            Some(_) | None => Err(StoreError::Fenced),
        }
    }

    pub(crate) fn last_run(&self, schedule: &ScheduleName) -> Option<ScheduledRun> {
        let runs = self.budget.runs.values().map(|(run, _)| run);
        runs.filter(|run| run.schedule == *schedule).max_by_key(|run| run.slot).cloned()
    }
}

//! The team: its members, the providers of its agents, and who may use how much of whom (B1, B2). Written in `team.toml`; the older
//! `team.yaml` is imported.

mod read;
mod yaml;

pub use read::{Mistake, TeamError, clock_time};
pub use yaml::{Imported, from_yaml};

use super::{Account, Charge, Cost, Limit, PlanDay, Provider, Quota, Span, Unit, Window};
use crate::text::{EngineName, MemberName, ProviderName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everybody whose quotas are used, and the quotas. Without any, nothing is limited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Team {
    /// The day of plans, of pacing and of the history; its time of day is that of the quotas that name none.
    pub day: Window,
    /// The members, in the order of the file.
    pub members: Vec<MemberName>,
    /// The providers.
    pub providers: Vec<Provider>,
    /// The quotas.
    pub quotas: Vec<Quota>,
}

/// One pool for people: what all members may use of a provider together in windows of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool<'t> {
    /// Whose.
    pub provider: &'t Provider,
    /// What is counted.
    pub unit: Unit,
    /// The quotas that it is the sum of.
    pub quotas: Vec<&'t Quota>,
}

impl Pool<'_> {
    /// Most in one window of all its quotas.
    pub fn most(&self) -> u64 {
        self.quotas.iter().fold(0, |sum, quota| sum.saturating_add(quota.most))
    }
}

impl Team {
    /// Reads `team.toml`.
    pub fn from_toml(text: &str) -> Result<Self, TeamError> {
        read::read(text)
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.quotas.is_empty()
    }

    /// The provider that counts the dispatches of an implementer.
    pub fn provider_of(&self, implementer: &EngineName) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.implementers.contains(implementer))
    }

    /// A provider by its name.
    pub fn provider(&self, name: &ProviderName) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == *name)
    }

    /// What a dispatch to an implementer would charge now; `None`: nobody limits it.
    pub fn charge(&self, implementer: &EngineName, now: Timestamp) -> Option<Charge> {
        let provider = self.provider_of(implementer)?;
        Some(self.charge_of(provider, now))
    }

    /// The same for one task of a provider.
    pub fn charge_of(&self, provider: &Provider, now: Timestamp) -> Charge {
        let mut accounts: Vec<Account> = Vec::new();
        for quota in self.quotas.iter().filter(|quota| quota.provider == provider.name) {
            let limit = Limit { unit: quota.unit, most: quota.most, span: quota.window.around(now) };
            match accounts.iter_mut().find(|account| account.member == quota.member) {
                Some(account) => account.limits.push(limit),
                None => accounts.push(Account { member: quota.member.clone(), limits: vec![limit] }),
            }
        }
        Charge { provider: provider.name.clone(), cost: provider.task, accounts }
    }

    /// The day that a plan made or followed now is for.
    pub fn plan_day(&self, now: Timestamp) -> PlanDay {
        let (date, span) = self.day.named(now);
        PlanDay { date, span }
    }

    /// The pools, in the order of the file: one for each provider, unit and kind of window.
    pub fn pools(&self) -> Vec<Pool<'_>> {
        let mut pools: Vec<Pool<'_>> = Vec::new();
        for quota in &self.quotas {
            let Some(provider) = self.provider(&quota.provider) else { continue };
            let same = |pool: &&mut Pool<'_>| {
                let window = pool.quotas.first().map(|first| first.window.period.word());
                pool.provider.name == quota.provider
                    && pool.unit == quota.unit
                    && window == Some(quota.window.period.word())
            };
            match pools.iter_mut().find(same) {
                Some(pool) => pool.quotas.push(quota),
                None => pools.push(Pool { provider, unit: quota.unit, quotas: vec![quota] }),
            }
        }
        pools
    }

    /// Most tasks that the quotas of days and longer windows allow in the present day of the team, a longer window's spread evenly over its
    /// days; `None`: no quota counts tasks.
    pub fn tasks_a_day(&self, now: Timestamp) -> Option<u32> {
        let tasks = self.quotas.iter().filter(|quota| quota.unit == Unit::Tasks);
        let daily = tasks.map(|quota| {
            let Span { start, end } = quota.window.around(now);
            let days = (end.duration_since(start).as_hours() + 12) / 24;
            quota.most / u64::try_from(days).unwrap_or(1).max(1)
        });
        let sum = daily.reduce(u64::saturating_add)?;
        Some(u32::try_from(sum).unwrap_or(u32::MAX))
    }

    /// A provider for an implementer that the team does not name, which costs one task.
    pub fn unlisted(implementer: &EngineName) -> Option<Provider> {
        let name = ProviderName::new(implementer.as_str()).ok()?;
        Some(Provider { name, implementers: vec![implementer.clone()], task: Cost::TASK })
    }
}

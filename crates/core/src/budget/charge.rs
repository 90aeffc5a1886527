//! Whose quota a dispatch uses: the one decision that every store makes inside its transaction, from what it has counted there (B4).

use super::{Cost, Span, Unit};
use crate::text::{MemberName, ProviderName};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A dispatch on its way to a provider's pool: what it costs, and the limits of everybody whose quota it may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Whose pool.
    pub provider: ProviderName,
    /// What is reserved.
    pub cost: Cost,
    /// The members with a quota there, in the order of the team file. Nobody: nothing is allowed.
    pub accounts: Vec<Account>,
}

/// One member's limits at the provider in the windows of this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The member.
    pub member: MemberName,
    /// All have to hold.
    pub limits: Vec<Limit>,
}

/// One quota in its present window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What is counted.
    pub unit: Unit,
    /// Most in the window.
    pub most: u64,
    /// The window.
    pub span: Span,
}

/// The day of a plan (B7): where one was applied for it, a repository gets its share of the day and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDay {
    /// Its date in the team's zone.
    pub date: Date,
    /// From when to when.
    pub span: Span,
}

/// What a store has counted for a charge, reserved and settled together: for each account and limit, and for each of these limits what is on
/// nobody's account (lines written by hand, members that left).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// By account and limit, in the order of the charge.
    pub used: Vec<Vec<u64>>,
    /// The same for what nobody's account has.
    pub strays: Vec<Vec<u64>>,
}

/// Why a dispatch has to wait for the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "held_by")]
pub enum Held {
    /// The pool is used up; until then.
    Pool {
        /// The first reset of a window that is full.
        until: Timestamp,
    },
    /// Nobody in the team has a quota at the provider.
    NoQuota,
    /// The plan of the day gives the repository no more; until then.
    Plan {
        /// The end of the day.
        until: Timestamp,
    },
}

impl Charge {
    /// The member whose quota is used: of those with room for the cost under every limit the one with the greatest part of the tightest
    /// limit left, in doubt the first. What is on nobody's account is taken off the pool as a whole.
    pub fn choose(&self, usage: &Usage) -> Result<&MemberName, Held> {
        if self.accounts.is_empty() {
            return Err(Held::NoQuota);
        }
        let full = Held::Pool { until: self.next_reset() };
        if [Unit::Tasks, Unit::Money, Unit::Tokens].into_iter().any(|unit| !self.pool_has_room(unit, usage)) {
            return Err(full);
        }
        let mut best: Option<(u128, &MemberName)> = None;
        for (n, account) in self.accounts.iter().enumerate() {
            let Some(left) = self.left_of(n, usage) else { continue };
            if best.is_none_or(|(most, _)| left > most) {
                best = Some((left, &account.member));
            }
        }
        best.map(|(_, member)| member).ok_or(full)
    }

    /// Whether the pool as a whole has room in a unit.
    fn pool_has_room(&self, unit: Unit, usage: &Usage) -> bool {
        let wanted = self.cost.of(unit);
        let (mut room, mut strays) = (0u64, 0u64);
        for (n, account) in self.accounts.iter().enumerate() {
            let mut least: Option<u64> = None;
            for (m, limit) in account.limits.iter().enumerate().filter(|(_, limit)| limit.unit == unit) {
                let left = limit.most.saturating_sub(at(&usage.used, n, m));
                least = Some(least.map_or(left, |least| least.min(left)));
                strays = strays.max(at(&usage.strays, n, m));
            }
            match least {
                Some(least) => room = room.saturating_add(least),
                // Nothing limits this one.
                None => return true,
            }
        }
        wanted == 0 || room.saturating_sub(strays) >= wanted
    }

    /// The part of the tightest limit that is left after the cost, in parts of 2^64; `None`: there is no room.
    fn left_of(&self, n: usize, usage: &Usage) -> Option<u128> {
        let mut least = u128::MAX;
        for (m, limit) in self.accounts.get(n)?.limits.iter().enumerate() {
            let after = at(&usage.used, n, m).checked_add(self.cost.of(limit.unit))?;
            let left = limit.most.checked_sub(after)?;
            least = least.min((u128::from(left) << 64) / u128::from(limit.most.max(1)));
        }
        Some(least)
    }

    /// When the first of the windows is reset.
    pub fn next_reset(&self) -> Timestamp {
        let ends = self.accounts.iter().flat_map(|account| &account.limits).map(|limit| limit.span.end);
        ends.min().unwrap_or(Timestamp::MAX)
    }
}

fn at(counted: &[Vec<u64>], n: usize, m: usize) -> u64 {
    counted.get(n).and_then(|row| row.get(m)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(hours: i64) -> Span {
        let start = Timestamp::UNIX_EPOCH;
        Span { start, end: start + jiff::SignedDuration::from_hours(hours) }
    }

    fn account(name: &str, limits: &[(Unit, u64, i64)]) -> Account {
        let limits = limits.iter().map(|(unit, most, h)| Limit { unit: *unit, most: *most, span: span(*h) });
        Account { member: MemberName::new(name).unwrap(), limits: limits.collect() }
    }

    fn charge(cost: Cost, accounts: Vec<Account>) -> Charge {
        Charge { provider: ProviderName::new("jules").unwrap(), cost, accounts }
    }

    fn chosen(charge: &Charge, used: &[&[u64]], strays: &[&[u64]]) -> Option<String> {
        let rows = |rows: &[&[u64]]| rows.iter().map(|row| row.to_vec()).collect();
        charge.choose(&Usage { used: rows(used), strays: rows(strays) }).ok().map(ToString::to_string)
    }

    #[test]
    fn the_member_with_the_most_left_pays() {
        let two = charge(
            Cost::TASK,
            vec![account("ann", &[(Unit::Tasks, 300, 24)]), account("bob", &[(Unit::Tasks, 100, 24)])],
        );
        assert_eq!(chosen(&two, &[&[0], &[0]], &[]).as_deref(), Some("ann"));
        assert_eq!(chosen(&two, &[&[200], &[10]], &[]).as_deref(), Some("bob"));
        assert_eq!(chosen(&two, &[&[300], &[99]], &[]).as_deref(), Some("bob"));
        assert_eq!(chosen(&two, &[&[300], &[100]], &[]), None);
    }

    #[test]
    fn every_limit_of_a_member_has_to_hold() {
        let limits = [(Unit::Tasks, 10, 24), (Unit::Tasks, 30, 168), (Unit::Money, 500, 24)];
        let one = charge(Cost { tasks: 1, money: 80, tokens: 0 }, vec![account("ann", &limits)]);
        assert_eq!(chosen(&one, &[&[9, 29, 420]], &[]).as_deref(), Some("ann"));
        assert_eq!(chosen(&one, &[&[0, 30, 0]], &[]), None);
        assert_eq!(chosen(&one, &[&[0, 0, 421]], &[]), None);
    }

    #[test]
    fn what_is_on_nobodys_account_is_taken_off_the_pool() {
        let two = charge(
            Cost::TASK,
            vec![account("ann", &[(Unit::Tasks, 2, 24)]), account("bob", &[(Unit::Tasks, 2, 24)])],
        );
        assert_eq!(chosen(&two, &[&[1], &[1]], &[&[1], &[1]]).as_deref(), Some("ann"));
        assert_eq!(chosen(&two, &[&[1], &[1]], &[&[2], &[2]]), None);
    }

    #[test]
    fn a_quota_below_what_is_used_refuses_and_says_until_when() {
        let one = charge(Cost::TASK, vec![account("ann", &[(Unit::Tasks, 5, 24)])]);
        let usage = Usage { used: vec![vec![9]], strays: vec![vec![0]] };
        assert_eq!(one.choose(&usage), Err(Held::Pool { until: span(24).end }));
        assert_eq!(charge(Cost::TASK, Vec::new()).choose(&usage), Err(Held::NoQuota));
    }
}

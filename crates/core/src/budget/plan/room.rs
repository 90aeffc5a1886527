//! How many more dispatches a pool has room for, and what a tier weighs: the two facts of a plan that are not counted but reckoned.

use crate::budget::{Charge, Usage};

/// Dispatches that a pool still has room for, by what was counted for one of its charges; `None`: nothing limits them.
pub fn tasks_left(charge: &Charge, usage: &Usage) -> Option<u32> {
    let count = |table: &[Vec<u64>], account: usize, limit: usize| {
        table.get(account).and_then(|row| row.get(limit)).copied().unwrap_or(0)
    };
    let (mut left, mut strays) = (0u64, 0u64);
    for (n, account) in charge.accounts.iter().enumerate() {
        let tightest = account
            .limits
            .iter()
            .enumerate()
            .filter(|(_, limit)| charge.cost.of(limit.unit) > 0)
            .map(|(m, limit)| {
                let each = charge.cost.of(limit.unit);
                strays = strays.max(count(&usage.strays, n, m).div_ceil(each));
                limit.most.saturating_sub(count(&usage.used, n, m)) / each
            })
            .min()?;
        left = left.saturating_add(tightest);
    }
    Some(u32::try_from(left.saturating_sub(strays)).unwrap_or(u32::MAX))
}

/// What a tier weighs: a tier that names a number from 1 (the first) to 3 weighs 4 to 2, every other one, and none, 1.
pub fn tier_weight(tier: Option<&str>) -> u32 {
    let digits = |tier: &str| {
        let start = tier.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = start.find(|c: char| !c.is_ascii_digit()).unwrap_or(start.len());
        start[..end].parse::<u32>().ok()
    };
    match tier.and_then(digits) {
        Some(number @ 1..=3) => 5 - number,
        Some(_) | None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        budget::{Account, Cost, Limit, Span, Unit},
        text::{MemberName, ProviderName},
    };
    use jiff::Timestamp;

    #[test]
    fn the_tightest_limit_of_each_member_counts() {
        let span = Span { start: Timestamp::MIN, end: Timestamp::MAX };
        let limit = |unit, most| Limit { unit, most, span };
        let account = |name: &str, limits| Account { member: MemberName::new(name).unwrap(), limits };
        let charge = |accounts| Charge {
            provider: ProviderName::new("jules").unwrap(),
            cost: Cost { tasks: 1, money: 50, tokens: 0 },
            accounts,
        };
        let both = vec![limit(Unit::Tasks, 10), limit(Unit::Money, 200)];
        let two = charge(vec![account("ann", both), account("bob", vec![limit(Unit::Tasks, 5)])]);
        let usage = Usage { used: vec![vec![3, 0], vec![1]], strays: vec![vec![2, 0], vec![2]] };
        // Ann has money for 4, Bob tasks for 4; 2 are on nobody's account.
        assert_eq!(tasks_left(&two, &usage), Some(6));
        assert_eq!(tasks_left(&charge(Vec::new()), &usage), Some(0));
        let tokens = charge(vec![account("ann", vec![limit(Unit::Tokens, 5)])]);
        assert_eq!(tasks_left(&tokens, &Usage::default()), None);
    }

    #[test]
    fn the_first_tier_weighs_most() {
        let tiers = [Some("1"), Some("tier 2"), Some("T3"), Some("9"), Some("core"), None];
        assert_eq!(tiers.map(tier_weight), [4, 3, 2, 1, 1, 1]);
    }
}

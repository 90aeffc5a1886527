//! What keeps the pipeline filled (B6, B12): the depth of READY against the daily rate, and suggestions what to begin next.

use crate::{id::Number, text::RepoName};
use serde::{Deserialize, Serialize};

/// Below so many ready issues more work should be prepared.
pub const READY_LOW: u32 = 20;
/// So many days' worth should be ready.
pub const DAYS_READY: u32 = 2;

/// One repository, as far as the triggers look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoStand {
    /// The repository.
    pub repo: RepoName,
    /// Its tier; repositories without one come last.
    pub tier: Option<String>,
    /// Issues that could be dispatched now.
    pub ready: u32,
    /// Children that wait for a phase, a blocker or an approval.
    pub waiting: u32,
    /// Open epics.
    pub epics: Vec<Number>,
    /// Epics that ended in the last day.
    pub ended: Vec<Number>,
    /// Open issues that are in no epic yet.
    pub loose: u32,
}

/// What should be done next. Suggestions unless `auto` is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "suggest")]
pub enum Suggestion {
    /// Few issues are ready: audit the next repository in the order of the tiers.
    Audit {
        /// Which.
        repo: RepoName,
        /// How many are ready.
        ready: u32,
    },
    /// An epic ended and its repository has issues for the next one.
    NextEpic {
        /// Which.
        repo: RepoName,
        /// The one that ended.
        ended: Number,
        /// Issues that are in no epic.
        issues: u32,
    },
    /// All of a tier is done.
    NextTier {
        /// The one that is done.
        done: String,
        /// The next one.
        next: String,
    },
}

/// Order of tiers: by number where they begin with one, else by the word; none is last.
fn rank(tier: Option<&str>) -> (u8, u64, &str) {
    let Some(tier) = tier else { return (2, 0, "") };
    let start = tier.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits: String = start.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse() {
        Ok(number) => (0, number, tier),
        Err(_) => (1, 0, tier),
    }
}

/// Issues that could be dispatched now, in all repositories.
pub fn ready(stands: &[RepoStand]) -> u32 {
    stands.iter().map(|stand| stand.ready).sum()
}

/// Whether less is ready than [`DAYS_READY`] days of the daily rate (B6).
pub fn is_shallow(ready: u32, daily: u32) -> bool {
    u64::from(ready) < u64::from(daily) * u64::from(DAYS_READY)
}

fn is_idle(stand: &RepoStand) -> bool {
    stand.ready == 0 && stand.waiting == 0 && stand.epics.is_empty()
}

/// What to do next, in a stable order.
pub fn suggestions(stands: &[RepoStand]) -> Vec<Suggestion> {
    let mut order: Vec<&RepoStand> = stands.iter().collect();
    order.sort_by(|a, b| {
        rank(a.tier.as_deref()).cmp(&rank(b.tier.as_deref())).then_with(|| a.repo.cmp(&b.repo))
    });
    let mut found = Vec::new();
    for stand in order.iter().filter(|stand| stand.loose > 0 && stand.epics.is_empty()) {
        if let Some(ended) = stand.ended.last() {
            let next = Suggestion::NextEpic { repo: stand.repo.clone(), ended: *ended, issues: stand.loose };
            found.push(next);
        }
    }
    let ready = ready(stands);
    if ready < READY_LOW
        && let Some(next) =
            order.iter().find(|stand| is_idle(stand) && stand.loose == 0 && stand.ended.is_empty())
    {
        found.push(Suggestion::Audit { repo: next.repo.clone(), ready });
    }
    found.extend(next_tier(&order));
    found
}

/// The first change from a tier of which everything is done to one with something left.
fn next_tier(order: &[&RepoStand]) -> Option<Suggestion> {
    let mut tiers: Vec<(&str, bool)> = Vec::new();
    for stand in order {
        let Some(tier) = stand.tier.as_deref() else { continue };
        let done = is_idle(stand) && stand.loose == 0;
        match tiers.last_mut() {
            Some((last, all)) if *last == tier => *all &= done,
            _ => tiers.push((tier, done)),
        }
    }
    let begun = |tier: &str| order.iter().any(|s| s.tier.as_deref() == Some(tier) && !s.ended.is_empty());
    tiers.windows(2).find_map(|pair| match pair {
        [(done, true), (next, false)] if begun(done) => {
            Some(Suggestion::NextTier { done: (*done).to_owned(), next: (*next).to_owned() })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(name: &str, tier: Option<&str>, ready: u32) -> RepoStand {
        RepoStand {
            repo: RepoName::new(&format!("acme/{name}")).unwrap(),
            tier: tier.map(str::to_owned),
            ready,
            waiting: 0,
            epics: if ready > 0 { vec![Number(1)] } else { Vec::new() },
            ended: Vec::new(),
            loose: 0,
        }
    }

    #[test]
    fn below_twenty_ready_the_next_repository_in_tier_order_is_audited() {
        let mut stands = [
            stand("z", None, 0),
            stand("b", Some("2"), 0),
            stand("a", Some("10"), 0),
            stand("c", Some("1"), 19),
        ];
        let b = RepoName::new("acme/b").unwrap();
        assert_eq!(suggestions(&stands), [Suggestion::Audit { repo: b, ready: 19 }]);
        stands[3].ready = 20;
        assert_eq!(suggestions(&stands), []);
    }

    #[test]
    fn after_an_epic_the_same_repository_goes_on_and_after_a_tier_the_next() {
        let mut done = stand("a", Some("tier 1"), 0);
        done.ended = vec![Number(4)];
        let mut more = stand("b", Some("tier 2"), 0);
        more.ended = vec![Number(9)];
        more.loose = 6;
        let told = suggestions(&[stand("c", None, 30), more.clone(), done]);
        assert_eq!(
            told,
            [
                Suggestion::NextEpic { repo: more.repo, ended: Number(9), issues: 6 },
                Suggestion::NextTier { done: "tier 1".to_owned(), next: "tier 2".to_owned() },
            ]
        );
    }

    #[test]
    fn two_days_of_the_rate_should_be_ready() {
        assert!(is_shallow(159, 80) && !is_shallow(160, 80) && !is_shallow(0, 0));
    }
}

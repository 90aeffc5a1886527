//! What GitHub knows beyond the towns: which labels there are, earlier versions of bodies, who resolved what, and what was spent of its
//! limits.

use super::cost::Asked;
use crate::executor::{HOUR, MINUTE, Micros};
use banksman_core::{
    id::{Number, ThreadId},
    text::{RepoName, Sha},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Points or requests an hour.
const HOURLY: u32 = 5_000;

/// GitHub's own books about the one account that asks.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Labels that were made.
    pub(super) labels: BTreeSet<(RepoName, String)>,
    /// Versions of bodies, oldest first.
    pub(super) versions: BTreeMap<(RepoName, Number), Vec<String>>,
    /// Threads that Banksman resolved.
    pub(super) resolved: BTreeSet<(RepoName, ThreadId)>,
    /// Reviews of our own: pull request and head.
    pub(super) reviews: Vec<(RepoName, Number, Sha)>,
    /// What was asked so far.
    pub(super) asked: Asked,
    rest: Budget,
    graphql: Budget,
    content: VecDeque<Micros>,
}

/// One hourly budget with a fixed end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    /// What was spent of it.
    pub(super) used: u32,
    /// When it is full again.
    pub(super) reset: Micros,
}

impl Budget {
    fn spend(&mut self, now: Micros) -> Self {
        if now >= self.reset {
            *self = Self { used: 0, reset: now + HOUR };
        }
        self.used += 1;
        *self
    }

    /// What is left of it.
    pub(super) fn left(self) -> u32 {
        HOURLY.saturating_sub(self.used)
    }
}

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It may.
    Free,
    /// The hour's budget is used up.
    UsedUp,
    /// Too much content in a short time.
    TooMuch,
}

impl Account {
    /// Keeps both versions of a body that somebody changed, as GitHub does.
    pub(crate) fn edited(&mut self, repo: &RepoName, number: Number, before: &str, after: &str) {
        let versions = self.versions.entry((repo.clone(), number)).or_default();
        if versions.last().is_none_or(|last| last != before) {
            versions.push(before.to_owned());
        }
        versions.push(after.to_owned());
    }

    /// Counts a request.
    pub(super) fn count(&mut self, now: Micros, graphql: Way, content: Sort) -> (Passage, Budget) {
        let budget = match graphql {
            Way::Graphql => self.graphql.spend(now),
            Way::Rest => self.rest.spend(now),
        };
        if budget.used > HOURLY {
            return (Passage::UsedUp, budget);
        }
        if content == Sort::Content {
            while self.content.front().is_some_and(|at| *at <= now - HOUR) {
                self.content.pop_front();
            }
            let minute = self.content.iter().rev().take_while(|at| **at > now - MINUTE).count();
            if minute >= 80 || self.content.len() >= 500 {
                return (Passage::TooMuch, budget);
            }
            self.content.push_back(now);
        }
        (Passage::Free, budget)
    }
}

/// Which interface a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Graphql,
    Rest,
}

/// Whether a request makes content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Content,
    Other,
}

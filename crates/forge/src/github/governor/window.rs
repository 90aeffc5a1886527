//! A limit over a sliding stretch of time, shared fairly by the repositories that wait for it.

use super::steady::{Correction, Moment};
use banksman_core::text::RepoName;
use std::collections::{BTreeMap, VecDeque};

/// Somebody who was told to wait and has not come back counts as waiting this long after his time, in milliseconds.
const PATIENCE: i64 = 60_000;

/// Which request an entry belongs to.
pub(super) type Serial = u64;

/// One request in the books.
#[derive(Debug)]
struct Entry {
    serial: Serial,
    at: Moment,
    amount: u32,
    repo: Option<RepoName>,
}

/// At most so much in any stretch of so long.
#[derive(Debug)]
pub(super) struct Window {
    /// Milliseconds.
    span: i64,
    limit: u32,
    /// Ascending by time. Those outside the span stay until time is confirmed: a clock that ran ahead must not empty the books.
    entries: VecDeque<Entry>,
    /// Sum of all entries kept.
    kept: u64,
    /// Entries kept by repository; a little too high at times, which gives the others less advance and nobody too much.
    by_repo: BTreeMap<RepoName, u64>,
    /// Repositories that were told to wait, and until when they count as waiting.
    waiting: BTreeMap<RepoName, Moment>,
}

impl Window {
    pub(super) fn new(span: i64, limit: u32) -> Self {
        Self {
            span,
            limit,
            entries: VecDeque::new(),
            kept: 0,
            by_repo: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// What counts at that moment.
    pub(super) fn used(&self, now: Moment) -> u64 {
        let gone: u64 = self.outside(now).map(|entry| u64::from(entry.amount)).sum();
        self.kept.saturating_sub(gone)
    }

    fn outside(&self, now: Moment) -> impl Iterator<Item = &Entry> {
        let begin = now.plus(-self.span);
        self.entries.iter().take_while(move |entry| entry.at <= begin)
    }

    /// When so much fits for that repository, with `spare` left over; `now` if it does already. `None`: it never does.
    pub(super) fn fits(
        &self,
        now: Moment,
        repo: Option<&RepoName>,
        amount: u32,
        spare: u32,
    ) -> Option<Moment> {
        let room = u64::from(self.limit.saturating_sub(spare));
        let wanted = u64::from(amount);
        if wanted > room {
            return None;
        }
        let mut used = self.used(now);
        if used + wanted <= room - (room / 2) {
            // What is kept for others is at most the other half.
            return Some(now);
        }
        let room = room.saturating_sub(self.kept_for_others(now, repo, wanted, room)).max(wanted);
        if used + wanted <= room {
            return Some(now);
        }
        let begin = now.plus(-self.span);
        for entry in self.entries.iter().filter(|entry| entry.at > begin) {
            used = used.saturating_sub(u64::from(entry.amount));
            if used + wanted <= room {
                return Some(entry.at.plus(self.span + 1));
            }
        }
        Some(now.plus(self.span))
    }

    /// What those who wait have not used of their equal parts of one half. Nothing is kept from who takes of his own part.
    fn kept_for_others(&self, now: Moment, repo: Option<&RepoName>, wanted: u64, room: u64) -> u64 {
        let used = |name: &RepoName| self.by_repo.get(name).copied().unwrap_or(0);
        let others = || {
            self.waiting
                .iter()
                .filter(|(name, until)| **until >= now && repo != Some(name))
                .map(|(name, _)| name)
        };
        let count = u64::try_from(others().count()).unwrap_or(u64::MAX);
        let part = room / 2 / count.saturating_add(1);
        if repo.is_some_and(|repo| used(repo) + wanted <= part) {
            return 0;
        }
        others().map(|name| part.saturating_sub(used(name))).sum()
    }

    /// Writes a request down.
    pub(super) fn spend(&mut self, now: Moment, serial: Serial, repo: Option<&RepoName>, amount: u32) {
        if let Some(repo) = repo {
            *self.by_repo.entry(repo.clone()).or_default() += u64::from(amount);
            self.waiting.remove(repo);
        }
        self.kept += u64::from(amount);
        self.entries.push_back(Entry { serial, at: now, amount, repo: repo.cloned() });
    }

    /// When what is in the books happened, ascending.
    pub(super) fn moments(&self) -> impl Iterator<Item = Moment> {
        self.entries.iter().map(|entry| entry.at)
    }

    /// Writes down what another process did before, one each.
    pub(super) fn remember(&mut self, moments: impl Iterator<Item = Moment>) {
        for at in moments {
            self.kept += 1;
            // No request of this process ever has that number.
            self.entries.push_back(Entry { serial: Serial::MAX, at, amount: 1, repo: None });
        }
        self.entries.make_contiguous().sort_by_key(|entry| entry.at);
    }

    /// Remembers that a repository was told to wait.
    pub(super) fn wait(&mut self, repo: &RepoName, until: Moment) {
        self.waiting.insert(repo.clone(), until.plus(PATIENCE));
    }

    /// A request cost something else than was thought.
    pub(super) fn correct(&mut self, serial: Serial, amount: u32) {
        let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.serial == serial) else { return };
        let before = u64::from(std::mem::replace(&mut entry.amount, amount));
        self.kept = (self.kept + u64::from(amount)).saturating_sub(before);
        if let Some(sum) = entry.repo.as_ref().and_then(|repo| self.by_repo.get_mut(repo)) {
            *sum = (*sum + u64::from(amount)).saturating_sub(before);
        }
    }

    /// Drops what will never count again, given the latest moment that is sure.
    pub(super) fn forget(&mut self, sure: Moment) {
        let begin = sure.plus(-self.span);
        while self.entries.front().is_some_and(|entry| entry.at <= begin) {
            let Some(entry) = self.entries.pop_front() else { return };
            self.kept = self.kept.saturating_sub(u64::from(entry.amount));
            let Some(repo) = entry.repo else { continue };
            if let Some(sum) = self.by_repo.get_mut(&repo) {
                *sum = sum.saturating_sub(u64::from(entry.amount));
                if *sum == 0 {
                    self.by_repo.remove(&repo);
                }
            }
        }
        self.waiting.retain(|_, until| *until >= sure);
    }

    /// The present turned out to be another one.
    pub(super) fn correct_time(&mut self, correction: &Correction) {
        for entry in &mut self.entries {
            entry.at = correction.latest(entry.at);
        }
        let latest = correction.present.plus(self.span + PATIENCE);
        for until in self.waiting.values_mut() {
            *until = (*until).min(latest);
        }
    }

    /// Repositories that wait.
    pub(super) fn waiting(&self, now: Moment) -> impl Iterator<Item = &RepoName> {
        self.waiting.iter().filter(move |(_, until)| **until >= now).map(|(repo, _)| repo)
    }
}

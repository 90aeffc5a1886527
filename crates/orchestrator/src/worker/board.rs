//! What runs in this worker now, and what there is room for.

use super::WorkerSetup;
use banksman_core::{
    id::AttemptId,
    port::{Claim, Offer},
    text::{EngineName, ProfileName},
};
use jiff::Timestamp;
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Why an attempt is being ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its claim is lost, or its job was cancelled: nothing more is written about it but that it is gone.
    Lost,
    /// Its lease could not be renewed and is about to end.
    Unrenewed,
    /// The worker stops.
    Stopping,
}

/// Whether an attempt takes up room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Its processes may run.
    Taken,
    /// They are gone; how it went is still to be written.
    Free,
}

/// One attempt that runs.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its claim; the end of the lease is that of the last renewal.
    pub(super) claim: Claim,
    /// It is being ended.
    pub(super) ending: Option<Ending>,
    place: Place,
}

/// The attempts of a worker.
#[derive(Default)]
pub(super) struct Board {
    entries: Mutex<BTreeMap<AttemptId, Entry>>,
}

impl Board {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt begins.
    pub(super) fn enter(&self, claim: Claim) {
        self.entries().insert(claim.attempt, Entry { claim, ending: None, place: Place::Taken });
    }

    /// The processes of an attempt are gone: there is room for another one.
    pub(super) fn make_room(&self, attempt: AttemptId) {
        if let Some(entry) = self.entries().get_mut(&attempt) {
            entry.place = Place::Free;
        }
    }

    /// An attempt is over and what there is to write about it is written.
    pub(super) fn leave(&self, attempt: AttemptId) {
        self.entries().remove(&attempt);
    }

    /// Why an attempt is being ended, if it is.
    pub(super) fn ending(&self, attempt: AttemptId) -> Option<Ending> {
        self.entries().get(&attempt).and_then(|entry| entry.ending)
    }

    /// An attempt is to end. `false` when it is over, or for that reason or a stronger one ending already.
    pub(super) fn end(&self, attempt: AttemptId, why: Ending) -> bool {
        match self.entries().get_mut(&attempt) {
            Some(entry) if entry.ending.is_none() || (why == Ending::Lost && entry.ending != Some(why)) => {
                entry.ending = Some(why);
                true
            }
            _ => false,
        }
    }

    /// A lease was renewed.
    pub(super) fn renewed(&self, attempt: AttemptId, until: Timestamp) {
        if let Some(entry) = self.entries().get_mut(&attempt) {
            entry.claim.until = until;
        }
    }

    /// What runs, oldest first.
    pub(super) fn all(&self) -> Vec<Entry> {
        self.entries().values().cloned().collect()
    }

    /// Whether this attempt runs.
    pub(super) fn has(&self, attempt: AttemptId) -> bool {
        self.entries().contains_key(&attempt)
    }

    /// Whether an older attempt at the same job or under the same lock is still on the board.
    pub(super) fn is_behind(&self, claim: &Claim) -> bool {
        let lock = claim.job.work.lock();
        self.entries().range(..claim.attempt).any(|(_, entry)| {
            let other = &entry.claim.job;
            other.id == claim.job.id || (lock.is_some() && other.work.lock() == lock)
        })
    }

    /// Whether nothing runs.
    pub(super) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// When the oldest attempt began.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.entries().values().map(|entry| entry.claim.since).min()
    }

    /// The end of the lease that ends first, of attempts that are not being ended.
    pub(super) fn first_end(&self) -> Option<Timestamp> {
        let entries = self.entries();
        entries.values().filter(|entry| entry.ending.is_none()).map(|entry| entry.claim.until).min()
    }

    /// Whether an attempt is being ended and its lease is over: nothing about it needs to be written any more.
    pub(super) fn over(&self, attempt: AttemptId, now: Timestamp) -> bool {
        self.entries().get(&attempt).is_none_or(|entry| entry.ending.is_some() && entry.claim.until <= now)
    }

    /// What there is room for; `None`: nothing.
    pub(super) fn offer(&self, setup: &WorkerSetup) -> Option<Offer> {
        let entries = self.entries();
        let running = || entries.values().filter(|entry| entry.place == Place::Taken);
        if running().count() >= setup.at_once.max(1) as usize {
            return None;
        }
        let mut engines: BTreeMap<&EngineName, u32> = BTreeMap::new();
        let mut profiles: BTreeMap<&ProfileName, u32> = BTreeMap::new();
        for Entry { claim, .. } in running() {
            *engines.entry(&claim.engine).or_default() += 1;
            if let Some(profile) = claim.job.work.profile() {
                *profiles.entry(profile).or_default() += 1;
            }
        }
        let room = |name: &EngineName| engines.get(name).copied().unwrap_or_default();
        let mut free: Vec<_> =
            setup.engines.iter().filter(|engine| room(&engine.name) < engine.parallel.max(1)).collect();
        if free.is_empty() {
            return None;
        }
        // Of a class the first one runs the job: what a job requires and one engine alone offers, that engine has to have.
        let own = |name: &EngineName| setup.of_engines.get(name).map_or(&[][..], Vec::as_slice);
        free.sort_by_key(|engine| Reverse(own(&engine.name).len()));
        let engines: Vec<_> = free.iter().map(|engine| (engine.name.clone(), engine.class.clone())).collect();
        let mut capabilities = setup.capabilities.clone();
        for more in free.iter().flat_map(|engine| own(&engine.name)) {
            if !capabilities.contains(more) {
                capabilities.push(more.clone());
            }
        }
        let full = |(name, most): &(&ProfileName, &u32)| {
            profiles.get(name).copied().unwrap_or_default() >= (**most).max(1)
        };
        Some(Offer {
            engines,
            capabilities,
            repos: setup.rules.iter().map(|rules| rules.repo.clone()).collect(),
            full_profiles: setup.profiles.iter().filter(full).map(|(name, _)| name.clone()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineRoom;
    use banksman_core::{
        port::{Hosts, Life},
        text::{Capability, ClassName, Holder},
    };
    use std::sync::Arc;

    struct Nobody;

    impl Hosts for Nobody {
        fn life(&self, _holder: &Holder) -> Life {
            Life::Elsewhere
        }
    }

    #[test]
    fn what_one_engine_offers_is_offered_while_it_has_room_and_it_comes_first() {
        let engine = |name: &str| EngineName::new(name).unwrap();
        let mut setup = WorkerSetup::new(Holder::new("me").unwrap(), Arc::new(Nobody));
        let class = ClassName::new("coder").unwrap();
        let room = |name| EngineRoom { name: engine(name), class: class.clone(), parallel: 1 };
        setup.engines = vec![room("a"), room("b")];
        setup.capabilities = vec![Capability::new("os:linux").unwrap()];
        let own = vec![Capability::new("gpu:cuda").unwrap(), Capability::new("os:linux").unwrap()];
        setup.of_engines.insert(engine("b"), own);
        let offer = Board::default().offer(&setup).unwrap();
        let names: Vec<&str> = offer.engines.iter().map(|(name, _)| name.as_str()).collect();
        let words: Vec<&str> = offer.capabilities.iter().map(Capability::as_str).collect();
        assert_eq!((names, words), (vec!["b", "a"], vec!["os:linux", "gpu:cuda"]));
        setup.engines.pop();
        assert_eq!(Board::default().offer(&setup).unwrap().capabilities, setup.capabilities);
    }
}

//! The order of claiming (Q11, Q12, Q21): the most urgent, then the oldest job that fits is claimed, on an engine that can, and no other.

use super::Held;
use crate::{universe::Universe, violation::Invariant};
use banksman_core::{
    id::JobId,
    job::{Job, Stage},
    manifest::{Choice, Dependency, Priority},
    port::{Claim, Offer},
    text::{EngineName, Holder},
};
use jiff::Timestamp;

impl Universe {
    pub(crate) fn claim(
        &mut self,
        holder: &Holder,
        offer: &Offer,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Option<Claim> {
        let best = self.best(offer, now);
        let claim = self.store.claim(holder, offer, now, ttl_ms);
        let Some(claim) = claim else {
            if let Some((_, job)) = best {
                self.violated(Invariant::ClaimOrder, format!("job {job} was ready and not claimed"));
            }
            return None;
        };
        let id = claim.job.id;
        if let Some((invariant, why)) = self.refusal(&claim.job, offer, now) {
            self.violated(invariant, format!("job {id} was claimed: {why}"));
        } else if best.is_none_or(|(_, job)| job != id) {
            self.violated(Invariant::ClaimOrder, format!("job {id} was claimed before {best:?}"));
        }
        let rests = self.model.resting.get(&claim.engine).is_some_and(|until| *until > now);
        let offered = offer.engines.iter().any(|(engine, class)| {
            *engine == claim.engine
                && match claim.job.work.choice() {
                    Choice::Engine(wanted) => *engine == wanted,
                    Choice::Class(wanted) => *class == wanted,
                }
        });
        if rests || !offered {
            self.violated(Invariant::ClaimOrder, format!("job {id} runs on {}, which cannot", claim.engine));
        }
        let last = self.model.tokens.insert(id, claim.token).map_or(0, |token| token.0);
        if claim.token.0 != last + 1 {
            self.violated(Invariant::Fenced, format!("job {id}: token {} after {last}", claim.token));
        }
        let held = Held {
            job: id,
            token: claim.token,
            lock: claim.job.work.lock().cloned(),
            holder: holder.clone(),
            until: claim.until,
            cancelled: false,
        };
        self.model.held.insert(claim.attempt, held);
        self.look_at(id);
        Some(claim)
    }

    /// The job that has to be claimed next under an offer.
    fn best(&self, offer: &Offer, now: Timestamp) -> Option<(Priority, JobId)> {
        let jobs = self.store.rows().iter().map(|row| &row.job);
        let ready = jobs.filter(|job| job.state.is_waiting() && self.refusal(job, offer, now).is_none());
        ready.map(|job| (job.work.priority(), job.id)).min()
    }

    /// Why a job may not be claimed under an offer, whether it waits or was just claimed.
    fn refusal(&self, job: &Job, offer: &Offer, now: Timestamp) -> Option<(Invariant, &'static str)> {
        use banksman_core::job::JobState as S;
        if let S::Inbox { not_before } | S::Waiting { not_before } = &job.state
            && *not_before > now
        {
            return Some((Invariant::ClaimOrder, "before its time"));
        }
        let work = &job.work;
        if !work.capabilities().iter().all(|c| offer.capabilities.contains(c)) {
            return Some((Invariant::ClaimOrder, "a capability is missing"));
        }
        if work.repo().is_some_and(|repo| !offer.repos.contains(repo)) {
            return Some((Invariant::ClaimOrder, "of a foreign repository"));
        }
        if work.profile().is_some_and(|profile| offer.full_profiles.contains(profile)) {
            return Some((Invariant::ClaimOrder, "its profile is full"));
        }
        let engine = |(engine, class): &(EngineName, _)| {
            let fits = match work.choice() {
                Choice::Engine(wanted) => *engine == wanted,
                Choice::Class(wanted) => *class == wanted,
            };
            fits && self.model.resting.get(engine).is_none_or(|until| *until <= now)
        };
        if !offer.engines.iter().any(engine) {
            return Some((Invariant::ClaimOrder, "no engine is free"));
        }
        let lock = work.lock();
        if lock.is_some()
            && self.model.held.values().any(|held| held.job != job.id && held.lock.as_ref() == lock)
        {
            return Some((Invariant::NoOverlap, "its lock is held"));
        }
        let open = work.spec()?.depends_on.iter().any(|on| {
            let on = match on {
                Dependency::Id(id) => self.newest(*id),
                Dependency::Key(key) => self.store.by_key(key),
            };
            on.is_none_or(|job| job.state.stage() != Stage::Shipped)
        });
        open.then_some((Invariant::Dependencies, "what it depends on is not shipped"))
    }

    /// The newest repetition of a job.
    pub(super) fn newest(&self, id: JobId) -> Option<&Job> {
        let again = self.store.rows().iter().map(|row| &row.job).find(|job| job.retry_of == Some(id));
        match again {
            Some(again) => self.newest(again.id),
            None => self.store.job(id),
        }
    }

    pub(crate) fn cool_down(&mut self, engine: &EngineName, until: Timestamp) {
        self.see("engine rests");
        self.store.cool_down(engine, until);
        let rest = self.model.resting.entry(engine.clone()).or_insert(until);
        *rest = until.max(*rest);
    }
}

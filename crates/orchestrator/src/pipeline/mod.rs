//! The pipeline: one look at one repository after the other. A look observes, decides, acts and resolves; everything that it
//! needs to know is in the store and on the forge, so that any process can make the next one.

mod by_hand;
mod calls;
mod chronicle;
mod dealt;
mod deeds;
mod enqueue;
mod epics;
mod history;
mod hosted;
mod outlook;
mod picture;
mod pulls;
mod resolve;
pub(crate) use deeds::{Did, NoDrafts, Unsure, Wish};
pub(crate) use history::own_heads;

pub use by_hand::{Fix, Fixed};
pub use hosted::Awaited;
pub use outlook::Outlook;
pub use picture::{EpicView, Picture, PullView};

use crate::Trouble;
use banksman_core::{
    event::{Event, What},
    id::Number,
    policy::{Action, Decision},
    port::{Clock, ForgeError, Lease, Store, Watcher, World, training::Outlet},
    repo::RepoRules,
    signals::Signals,
    text::{Holder, RepoName},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// How long a lease on a repository lasts unless renewed.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Deeds about different subjects that are carried out at the same time, so that the store can group their commits.
const AT_ONCE: usize = 8;

/// Directs implementers: looks at repositories and does what they need.
pub struct Orchestrator<W: World> {
    pub(crate) world: W,
    holder: Holder,
    /// The last decision about each pull request that was shown; repetitions are not shown again.
    shown: Mutex<BTreeMap<(RepoName, Number), (u8, Action)>>,
    /// What the forge said no to for a repository as a whole; nothing more is tried there in the same look.
    halts: Mutex<BTreeMap<RepoName, ForgeError>>,
    /// Hears of all that is recorded for learning, besides the store.
    pub(crate) outlet: Arc<dyn Outlet>,
    /// What the outlet was told last about each pull request; repetitions are not told again.
    told: Mutex<BTreeMap<(RepoName, Number), (Signals, Decision)>>,
}

/// What one look came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Something was changed: look again at once.
    pub acted: bool,
    /// When to look again if nothing wakes earlier.
    pub next: Timestamp,
    /// Whether there is anything left to do.
    pub outlook: Outlook,
}

/// The right to act on a repository during one look, renewed when it runs low.
pub(crate) struct Turn {
    lease: Mutex<Lease>,
}

impl<W: World> Orchestrator<W> {
    /// An orchestrator in this world. `holder` names this process in leases.
    pub fn new(world: W, holder: Holder) -> Self {
        let outlet = Arc::new(());
        Self {
            world,
            holder,
            shown: Mutex::default(),
            halts: Mutex::default(),
            outlet,
            told: Mutex::default(),
        }
    }

    /// Tells what is recorded for learning to the sinks as well.
    #[must_use]
    pub fn with_outlet(self, outlet: Arc<dyn Outlet>) -> Self {
        Self { outlet, ..self }
    }

    /// The world it acts in.
    pub fn world(&self) -> &W {
        &self.world
    }

    /// One look at one repository: settles what an earlier process left open, observes, decides, acts, resolves.
    pub async fn sweep(&self, rules: &RepoRules) -> Result<Look, Trouble> {
        let turn = self.turn(&rules.repo).await?;
        if !self.recover(&turn, rules).await? {
            return Ok(self.soon());
        }
        self.continue_plans(&turn, rules).await?;
        let picture = self.observe(rules).await?;
        let mut acted = self.enqueue_work(&turn, rules, &picture).await?;
        acted |= self.act_on_pulls(&turn, rules, &picture).await?;
        let issues = self.act_on_issues(&turn, rules, &picture).await?;
        acted |= issues.acted;
        acted |= self.resolve_ended(&turn, rules, &picture).await?;
        let (epics_acted, over_cap) = self.act_on_epics(&turn, rules, &picture).await?;
        acted |= epics_acted;
        let held_back: Vec<Number> = over_cap.iter().map(|(child, _)| *child).collect();
        let outlook = if issues.pending { Outlook::Moving } else { picture.outlook(rules, &held_back) };
        if let Some(halt) = self.halt(&rules.repo) {
            return Err(halt.into());
        }
        if let Outlook::OverCap(children) = &outlook {
            for (child, why) in over_cap.into_iter().filter(|(child, _)| children.contains(child)) {
                let what = match why {
                    None => What::OverCap { child },
                    Some(held) => What::OverBudget { child, held },
                };
                self.show(&rules.repo, what);
            }
        }
        Ok(Look { acted, next: picture.next_look(rules, &outlook, self.now()), outlook })
    }

    fn soon(&self) -> Look {
        Look { acted: false, next: self.now() + SignedDuration::from_secs(2), outlook: Outlook::Moving }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock().now()
    }

    pub(crate) fn show(&self, repo: &RepoName, what: What) {
        self.world.watcher().event(&Event { at: self.now(), repo: Some(repo.clone()), what });
    }

    /// What the forge said no to for the whole repository in this look.
    pub(crate) fn halt(&self, repo: &RepoName) -> Option<ForgeError> {
        self.halts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(repo).cloned()
    }

    /// Ends this look's effects on a repository: the forge wants a pause, or refuses everything there. Effects that are under way are
    /// waited for.
    pub(crate) fn halt_at(&self, repo: &RepoName, error: ForgeError) {
        self.halts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(repo.clone(), error);
    }

    /// Effects on a repository may be tried again.
    pub(crate) fn go_on(&self, repo: &RepoName) {
        self.halts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).remove(repo);
    }

    /// Takes the lease on a repository, unless the forge wanted a pause there that is not over.
    pub(crate) async fn turn(&self, repo: &RepoName) -> Result<Turn, Trouble> {
        match self.halt(repo) {
            Some(halt @ ForgeError::Later(until)) if until > self.now() => return Err(halt.into()),
            Some(_) => self.go_on(repo),
            None => {}
        }
        let lease =
            self.world.store().lease(repo, &self.holder, self.now(), LEASE.as_millis() as i64).await?;
        lease.map(|lease| Turn { lease: Mutex::new(lease) }).ok_or(Trouble::Elsewhere)
    }

    /// The lease, renewed when less than half of it is left: an effect never starts on a lease that may end under it.
    pub(crate) async fn lease(&self, turn: &Turn) -> Result<Lease, Trouble> {
        loop {
            let held = turn.lease.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
            let now = self.now();
            if held.until.duration_since(now) > LEASE / 2 {
                return Ok(held);
            }
            let renewed = self
                .world
                .store()
                .lease(&held.repo, &self.holder, now, LEASE.as_millis() as i64)
                .await?
                .filter(|renewed| renewed.token == held.token)
                .ok_or(Trouble::Elsewhere)?;
            // The answer may have come so late that it ran out on the way: it is looked at like any other.
            *turn.lease.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = renewed;
        }
    }
}

//! The loop over looks: again at once while something was changed, else when woken or when something is due.

use crate::{Look, Orchestrator, Outlook, Trouble};
use banksman_core::{
    port::{Clock, World},
    repo::RepoRules,
};
use jiff::SignedDuration;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A wish to stop, shared by everybody who loops: no new looks or claims, what runs is finished.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Wishes to stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody wished to.
    pub fn wished(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How long to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until nothing moves any more.
    Settled,
    /// Until stopped.
    Stopped,
}

/// Longest pause after trouble.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

impl<W: World> Orchestrator<W> {
    /// Looks at these repositories again and again. Comes back with the outlook of each: at the end for [`Until::Settled`], else when
    /// stopped. Trouble that passes is waited out; any other ends the loop.
    pub async fn run(&self, rules: &[RepoRules], until: Until, stop: &Stop) -> Result<Vec<Outlook>, Trouble> {
        let mut troubles = 0u32;
        loop {
            let mut looks: Vec<Look> = Vec::with_capacity(rules.len());
            let mut pause = None;
            for rules in rules {
                match self.sweep(rules).await {
                    Ok(look) => {
                        troubles = 0;
                        looks.push(look);
                    }
                    Err(trouble) if trouble.passes() => {
                        tracing::info!(repo = %rules.repo, %trouble, "look again later");
                        troubles += 1;
                        let wait = SignedDuration::from_millis(500) * (1i32 << troubles.min(6));
                        pause = Some(wait.min(PAUSE));
                    }
                    Err(trouble) => return Err(trouble),
                }
            }
            let settled =
                looks.len() == rules.len() && looks.iter().all(|l| !l.acted && l.outlook != Outlook::Moving);
            if stop.wished() || (settled && until == Until::Settled) {
                return Ok(looks.into_iter().map(|l| l.outlook).collect());
            }
            if pause.is_none() && looks.iter().any(|l| l.acted) {
                continue;
            }
            let now = self.now();
            let due = looks.iter().map(|l| l.next).min().unwrap_or(now + PAUSE);
            match pause {
                // After trouble only time helps: waking would spin.
                Some(pause) => self.world.clock().sleep_until(now + pause).await,
                None => self.world.clock().changed(due).await,
            }
        }
    }
}

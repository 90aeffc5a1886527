//! Check runs: queued when a commit becomes the head of a pull request, made here through the checker. A runner that died is
//! noticed at the next start; a commit that is no head any more is not checked.

use super::{LocalError, LocalForge, home::Home};
use banksman_core::{
    port::{
        Book, CheckOrder, CheckReport, Checker, EngineError,
        book::{CheckLog, RunClaim, Select},
    },
    signals::CheckState,
    tainted::Tainted,
    text::RepoName,
};
use futures_util::{FutureExt, StreamExt, pin_mut, select_biased, stream::FuturesUnordered};
use std::{future::Future, num::NonZeroUsize, time::Duration};

/// How often other processes' pushes and wishes are looked for while nothing is queued here.
const LOOK: Duration = Duration::from_secs(1);
/// How often a run is tried that the host cannot make; then its checks have failed.
const TRIES: u32 = 3;

/// Whether a run was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// One was.
    One,
    /// None was queued.
    Nothing,
}

/// Runs at one time that leave a core to everything else: one less than there are, at least one.
pub fn cores_to_spare() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores.saturating_sub(1)).unwrap_or(NonZeroUsize::MIN)
}

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Makes the oldest queued check run of a repository.
    pub async fn run_checks(&self, repo: &RepoName) -> Result<Checked, LocalError> {
        let home = self.home(repo)?;
        match self.claim(home).await? {
            Some(claim) => {
                self.check(home, claim).await?;
                Ok(Checked::One)
            }
            None => Ok(Checked::Nothing),
        }
    }

    /// Makes check runs of all repositories until `stop` is ready, at most so many at one time. To be called by the one process
    /// that runs the loops: at the start every run that a dead process left is queued again, at the end every run under way.
    pub async fn run_checks_until(
        &self,
        stop: impl Future<Output = ()>,
        at_once: NonZeroUsize,
    ) -> Result<(), LocalError> {
        self.requeue().await?;
        let stop = stop.fuse();
        pin_mut!(stop);
        {
            let mut running = FuturesUnordered::new();
            loop {
                let mut found = true;
                while found && running.len() < at_once.get() {
                    found = false;
                    for home in self.homes.values().filter(|home| !home.rules.checks.is_empty()) {
                        if running.len() < at_once.get()
                            && let Some(claim) = self.claim(home).await?
                        {
                            running.push(self.check(home, claim));
                            found = true;
                        }
                    }
                }
                let queued = self.queued.notified();
                let look = tokio::time::sleep(LOOK);
                let ended = async {
                    match running.next().await {
                        Some(ended) => ended,
                        None => std::future::pending().await,
                    }
                };
                let (queued, look, ended) = (queued.fuse(), look.fuse(), ended.fuse());
                pin_mut!(queued, look, ended);
                select_biased! {
                    () = stop => break,
                    ended = ended => ended?,
                    () = queued => {}
                    () = look => {
                        if let Err(error) = self.look_for_pushes().await {
                            tracing::warn!(%error, "pushes are looked for later");
                        }
                    }
                }
            }
            // Dropping the runs ends their processes.
        }
        self.requeue().await
    }

    async fn requeue(&self) -> Result<(), LocalError> {
        for name in self.homes.keys() {
            self.book.requeue_runs(name).await?;
        }
        Ok(())
    }

    /// A push from outside is a new head, and its checks are queued, as soon as somebody looks.
    async fn look_for_pushes(&self) -> Result<(), LocalError> {
        for home in self.homes.values() {
            if home.moved().await {
                self.look(home, &Select::Open).await?;
            }
        }
        Ok(())
    }

    async fn claim(&self, home: &Home) -> Result<Option<RunClaim>, LocalError> {
        if home.rules.checks.is_empty() {
            return Ok(None);
        }
        Ok(self.book.claim_run(&home.rules.name).await?)
    }

    /// Makes one run and writes its results down.
    async fn check(&self, home: &Home, claim: RunClaim) -> Result<(), LocalError> {
        let rules = &home.rules;
        let order = CheckOrder {
            run: claim.claim,
            repo: rules.name.clone(),
            sha: claim.sha.clone(),
            checks: rules.checks.clone(),
            timeout: rules.check_timeout,
        };
        let results = match self.checker.check(&order).await {
            Ok(reports) => reports.into_iter().map(|report| self.log(report)).collect(),
            Err(EngineError::Host(what)) if claim.tries >= TRIES => {
                tracing::warn!(run = claim.claim, what, "a check run could not be made");
                let names = rules.checks.iter().map(|(name, _)| name.clone());
                let failed = |name| {
                    let log = Tainted::new(format!("The check could not be run on this host: {what}."));
                    CheckLog { name, state: CheckState::Failing, log, at: self.now() }
                };
                names.map(failed).collect()
            }
            Err(error) => {
                tracing::info!(run = claim.claim, %error, "a check run goes back to the queue");
                self.book.release_run(&rules.name, &claim).await?;
                return Ok(());
            }
        };
        self.book.finish_run(&rules.name, &claim, results).await?;
        self.merge_armed(home).await
    }

    fn log(&self, report: CheckReport) -> CheckLog {
        let state = if report.passed { CheckState::Passing } else { CheckState::Failing };
        CheckLog { name: report.name, state, log: report.log, at: self.now() }
    }
}

//! The loops of one process: the orchestrator, workers and check runs, until everything is settled or somebody stops them.

use super::{Host, forge::is_embedded, journals, stop::interrupted, world::HostWorld};
use anstream::eprintln;
use banksman_core::repo::RepoRules;
use banksman_forge::local::cores_to_spare;
use banksman_orchestrator::{Orchestrator, Outlook, Stop, Trouble, Until, Worker};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::time::Duration;
use tokio::{select, task::JoinSet, time};

/// How long the loops may take to end after the wish to stop. Agents get TERM at once and KILL after their own grace.
pub(super) const GRACE: Duration = Duration::from_secs(15);

/// How long after its grace an agent is surely gone.
const AFTER_GRACE: Duration = Duration::from_secs(5);

/// How the loops ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing moves any more; the outlook of each repository.
    Settled(Vec<Outlook>),
    /// The work is with a hosted agent now, whose answers take their time.
    HandedOut,
    /// Somebody pressed Ctrl-C. What was acknowledged is kept; the next start goes on.
    Interrupted,
}

impl Host {
    /// Looks at each repository until nothing more is to be done at once, and starts no worker. The caller holds the home's lock.
    pub(crate) async fn settle_now(&self) -> anyhow::Result<()> {
        /// More looks than any plan needs: whoever changes something that often is at odds with somebody.
        const LOOKS: u32 = 100;
        let orchestrator = self.orchestrator()?;
        for rules in self.rules() {
            for _ in 0..LOOKS {
                if !orchestrator.sweep(&rules).await?.acted {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Runs the loops. The caller holds the home's lock.
    pub(crate) async fn run(&self, until: Until) -> anyhow::Result<Ended> {
        let stop = Stop::default();
        let delivery = self.deliver();
        let mut tasks: JoinSet<Result<(), Trouble>> = JoinSet::new();
        let worker = Worker::new(self.world(), self.worker_setup()?);
        let own_stop = stop.clone();
        tasks.spawn(async move { worker.run(&own_stop).await });
        let shared = self.shared.clone();
        tasks.spawn(async move {
            let stopping = shared.stopping.notified();
            shared
                .forge
                .embedded()
                .run_checks_until(stopping, cores_to_spare())
                .await
                .map_err(|e| Trouble::Forge(e.into()))
        });
        let ended = select! {
            done = self.look(until, &stop) => done.map(Ended::Settled),
            trouble = failed(&mut tasks) => Err(trouble),
            () = self.tell_loops() => Ok(Ended::Interrupted),
            () = self.hear_others() => Ok(Ended::Interrupted),
            () = interrupted() => Ok(Ended::Interrupted),
        };
        // Nobody runs the loops any more.
        drop(std::fs::remove_file(self.home.loops()));
        stop.stop();
        self.shared.engine.stop();
        self.shared.stopping.notify_waiters();
        if matches!(ended, Ok(Ended::Interrupted)) {
            eprintln!("stopping: running agents are being ended; Ctrl-C again does not wait for them");
            select! {
                () = all(&mut tasks) => {}
                () = interrupted() => {}
                () = time::sleep(GRACE.max(Duration::try_from(self.grace).unwrap_or(GRACE) + AFTER_GRACE)) => {}
            }
        }
        tasks.shutdown().await;
        delivery.end().await;
        for hosted in &self.hosted {
            journals::write(&self.home, &self.shared.store, &hosted.repo).await?;
        }
        Ok(ended?)
    }
}

impl Host {
    /// Looks at all repositories again and again: at those of the embedded forge in one loop that every commit wakes, at each one of GitHub
    /// in a loop of its own, so that none waits for another's answers. A repository that GitHub refuses keeps no other one from going on.
    pub(super) async fn look(&self, until: Until, stop: &Stop) -> Result<Vec<Outlook>, Trouble> {
        let (embedded, elsewhere): (Vec<RepoRules>, Vec<RepoRules>) =
            self.rules().into_iter().partition(|rules| is_embedded(&rules.repo));
        let mut groups: Vec<(HostWorld, Vec<RepoRules>)> = Vec::new();
        if !embedded.is_empty() {
            groups.push((self.world(), embedded));
        }
        for rules in elsewhere {
            groups.push((HostWorld::of_repository(self.shared.clone(), &rules.repo), vec![rules]));
        }
        let one = |(world, rules): (HostWorld, Vec<RepoRules>)| async move {
            Orchestrator::new(world, self.holder("loop"))
                .with_outlet(self.outlet())
                .run(&rules, until, stop)
                .await
        };
        let mut loops: FuturesUnordered<_> = groups.into_iter().map(one).collect();
        let (mut outlooks, mut trouble) = (Vec::new(), None);
        while let Some(ended) = loops.next().await {
            match ended {
                Ok(more) => outlooks.extend(more),
                Err(refused @ Trouble::Forge(_)) => trouble = Some(refused),
                Err(failed) => return Err(failed),
            }
        }
        trouble.map_or(Ok(outlooks), Err)
    }
}

/// The trouble of the first task that fails; never returns while all go on.
async fn failed(tasks: &mut JoinSet<Result<(), Trouble>>) -> Trouble {
    loop {
        match tasks.join_next().await {
            Some(Ok(Err(trouble))) => return trouble,
            Some(Ok(Ok(()))) => {}
            Some(Err(error)) => {
                tracing::error!(%error, "a loop ended unexpectedly");
                return Trouble::Elsewhere;
            }
            None => std::future::pending().await,
        }
    }
}

/// Returns when every task has ended.
async fn all(tasks: &mut JoinSet<Result<(), Trouble>>) {
    while tasks.join_next().await.is_some() {}
}

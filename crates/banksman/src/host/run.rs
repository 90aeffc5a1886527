//! The loops of one process: the orchestrator, workers and check runs, until everything is settled or somebody stops them.

use super::{Host, journals, stop::interrupted};
use anstream::eprintln;
use banksman_forge::local::cores_to_spare;
use banksman_orchestrator::{Outlook, Stop, Trouble, Until, Worker};
use std::time::Duration;
use tokio::{select, task::JoinSet, time};

/// How long the loops may take to end after the wish to stop. Agents get TERM at once and KILL after their own grace.
const GRACE: Duration = Duration::from_secs(15);

/// How the loops ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing moves any more; the outlook of each repository.
    Settled(Vec<Outlook>),
    /// Somebody pressed Ctrl-C. What was acknowledged is kept; the next start goes on.
    Interrupted,
}

impl Host {
    /// Runs the loops. The caller holds the home's lock.
    pub(crate) async fn run(&self, until: Until) -> anyhow::Result<Ended> {
        let stop = Stop::default();
        let rules = self.rules();
        let orchestrator = self.orchestrator()?;
        let mut tasks: JoinSet<Result<(), Trouble>> = JoinSet::new();
        let worker = Worker::new(self.world(), self.worker_setup()?);
        let own_stop = stop.clone();
        tasks.spawn(async move { worker.run(&own_stop).await });
        let shared = self.shared.clone();
        tasks.spawn(async move {
            let stopping = shared.stopping.notified();
            shared
                .forge
                .run_checks_until(stopping, cores_to_spare())
                .await
                .map_err(|e| Trouble::Forge(e.into()))
        });
        let ended = select! {
            done = orchestrator.run(&rules, until, &stop) => done.map(Ended::Settled),
            trouble = failed(&mut tasks) => Err(trouble),
            () = interrupted() => Ok(Ended::Interrupted),
        };
        stop.stop();
        self.shared.engine.stop();
        self.shared.stopping.notify_waiters();
        if matches!(ended, Ok(Ended::Interrupted)) {
            eprintln!("stopping: running agents are being ended; Ctrl-C again does not wait for them");
            select! {
                () = all(&mut tasks) => {}
                () = interrupted() => {}
                () = time::sleep(GRACE) => {}
            }
        }
        tasks.shutdown().await;
        for hosted in &self.hosted {
            journals::write(&self.home, &self.shared.store, &hosted.repo).await?;
        }
        Ok(ended?)
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

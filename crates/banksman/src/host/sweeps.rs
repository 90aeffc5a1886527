//! Sweeps as a part of `serve`, whose workers are a part of their own: looks at all repositories and check runs, until somebody stops them.

use super::{Host, journals, run::GRACE};
use anyhow::Context as _;
use banksman_forge::local::cores_to_spare;
use banksman_orchestrator::{Stop, Until};
use std::future::Future;
use tokio::{join, select, time};

impl Host {
    /// Looks at all repositories until `end` is there. The caller holds the home's lock.
    pub(crate) async fn sweep_until(&self, end: impl Future<Output = ()>) -> anyhow::Result<()> {
        let stop = Stop::default();
        let stopping = self.shared.stopping.notified();
        let look = self.look(Until::Stopped, &stop);
        let checks = self.shared.forge.embedded().run_checks_until(stopping, cores_to_spare());
        tokio::pin!(look, checks);
        let ended: anyhow::Result<()> = select! {
            // They end when they are told to, or fail.
            done = &mut look => done.map(drop).map_err(Into::into),
            done = &mut checks => done.context("cannot run checks"),
            () = self.tell_loops() => Ok(()),
            () = self.hear_others() => Ok(()),
            () = end => {
                stop.stop();
                self.shared.stopping.notify_waiters();
                let all = async { join!(&mut look, &mut checks) };
                match time::timeout(GRACE, all).await {
                    Ok((looked, checked)) => {
                        looked.map(drop).map_err(anyhow::Error::from).and(checked.context("cannot run checks"))
                    }
                    // What was acknowledged is kept; the next start goes on.
                    Err(_) => Ok(()),
                }
            }
        };
        // Nobody runs the loops any more.
        drop(std::fs::remove_file(self.home.loops()));
        for hosted in &self.hosted {
            journals::write(&self.home, &self.shared.store, &hosted.repo).await?;
        }
        ended
    }
}

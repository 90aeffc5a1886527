//! Training data on this host: its sinks, delivery to them, and the captures on schedule (D1).

use super::Host;
use crate::{
    config::{Settings, TrainingKeys, sinks},
    home::Home,
};
use anyhow::Context as _;
use banksman_core::{
    port::{Budget as _, budget::RunTaken, training::Outlet},
    repo::RepoRules,
    text::ScheduleName,
};
use banksman_sink::{Pauses, Sinks};
use jiff::{SignedDuration, Timestamp};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{select, sync::watch, task::JoinHandle, time};

/// How often it is looked whether a capture is due: soon enough for the shortest schedule.
const TICK: Duration = Duration::from_secs(10);
/// How long a batch that is under way may take when the process is to end.
const ENDS: Duration = Duration::from_secs(5);
/// How long a capture may take before another process may do it.
const TAKES: SignedDuration = SignedDuration::from_mins(5);

/// Opens the sinks that are configured.
pub(crate) fn open_sinks(settings: &Settings, home: &Home) -> anyhow::Result<Sinks> {
    let most = u64::from(settings.training.spool_limit) * 1024 * 1024;
    Sinks::open(sinks(&settings.training)?, &home.folder().join("training/spool"), most)
        .context("cannot open the sinks of the training data")
}

/// Delivers to the sinks until it is ended. One that is dropped instead may deliver its last batch twice, which overwrites itself where
/// the sink has keys.
pub(crate) struct Delivery(Option<(watch::Sender<()>, JoinHandle<()>)>);

impl Delivery {
    /// Ends it: what is under way is finished, if that does not take too long.
    pub(crate) async fn end(self) {
        if let Some((stop, task)) = self.0 {
            drop(stop);
            if time::timeout(ENDS, task).await.is_err() {
                tracing::info!("a sink that does not answer is left alone; its batches wait on disk");
            }
        }
    }
}

impl Host {
    /// Hears of what is recorded for learning.
    pub(crate) fn outlet(&self) -> Arc<dyn Outlet> {
        Arc::new(self.shared.sinks.clone())
    }

    /// Begins to deliver to the sinks.
    pub(crate) fn deliver(&self) -> Delivery {
        let sinks = self.shared.sinks.clone();
        if sinks.is_empty() {
            return Delivery(None);
        }
        let (stop, mut stopped) = watch::channel(());
        // The sender only ever goes away.
        let stopped = async move { while stopped.changed().await.is_ok() {} };
        let task = tokio::spawn(async move { sinks.deliver_until(Pauses::default(), stopped).await });
        Delivery(Some((stop, task)))
    }

    /// Captures every repository when it is due, until `end` is there. Of several processes on one store one does it.
    pub(crate) async fn capture_until(
        &self,
        keys: &TrainingKeys,
        end: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let mut end = std::pin::pin!(end);
        loop {
            let captures = async {
                for hosted in &self.hosted {
                    self.capture_if_due(keys, &hosted.rules).await;
                }
                time::sleep(TICK).await;
            };
            select! {
                () = captures => {}
                () = &mut end => return Ok(()),
            }
        }
    }

    /// A capture that fails is told and tried again at the next look; nothing else stops for it.
    async fn capture_if_due(&self, keys: &TrainingKeys, rules: &RepoRules) {
        let now = crate::clock::now();
        let (Some(slot), Some(schedule)) = (slot(now, keys.interval(&rules.repo)), schedule(rules)) else {
            return;
        };
        let store = &self.shared.store;
        let holder = self.holder("capture");
        match store.take_run(&schedule, slot, &holder, now, now + TAKES).await {
            Ok(RunTaken::Yes(_)) => {}
            Ok(RunTaken::Elsewhere | RunTaken::Done) => return,
            Err(error) => {
                tracing::warn!(repo = %rules.repo, %error, "the schedule of captures cannot be read");
                return;
            }
        }
        let captured = match self.orchestrator() {
            Ok(orchestrator) => orchestrator.capture(rules).await.map_err(|trouble| trouble.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match captured {
            Ok(points) => {
                tracing::debug!(repo = %rules.repo, pulls = points.len(), "captured");
                if let Err(error) = store.end_run(&schedule, slot, &holder, crate::clock::now()).await {
                    tracing::warn!(repo = %rules.repo, %error, "a capture cannot be noted");
                }
            }
            Err(trouble) => tracing::warn!(repo = %rules.repo, %trouble, "a capture failed"),
        }
    }
}

/// The begin of the interval that now is in.
fn slot(now: Timestamp, interval: SignedDuration) -> Option<Timestamp> {
    let seconds = interval.as_secs().max(1);
    Timestamp::from_second(now.as_second().div_euclid(seconds) * seconds).ok()
}

/// The name of a repository's schedule: short, whatever the repository is called.
fn schedule(rules: &RepoRules) -> Option<ScheduleName> {
    let sum =
        rules.repo.as_str().to_ascii_lowercase().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    ScheduleName::new(&format!("capture-{sum:016x}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_one_another() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let quarter = SignedDuration::from_mins(15);
        assert_eq!(slot(at(899), quarter), Some(at(0)));
        assert_eq!(slot(at(900), quarter), Some(at(900)));
    }
}

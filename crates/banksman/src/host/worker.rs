//! The worker of this process: its setup from the configuration, and the loops of the command `worker` around it: the inbox
//! folder, the folders of the stages, the echo to a tracker.

use super::{Host, logs, stop::interrupted};
use crate::{
    config::Settings,
    output::Failure,
    queue::{Folders, Inbox, Mirror, Moved, Taken},
};
use anstream::eprintln;
use anyhow::Context as _;
use banksman_core::{
    port::{Queue as _, World as _},
    text::{Capability, ClassName, Holder},
};
use banksman_engine::ThisHost;
use banksman_orchestrator::{Echo, EngineRoom, Stop, Worker, WorkerSetup};
use banksman_tracker::AnyTracker;
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};
use tokio::{join, select, sync::mpsc, time};

/// How often the inbox folder is looked at.
const INBOX: Duration = Duration::from_millis(100);
/// A look rests this many times as long as it took: with a hundred thousand files in the folder each takes a while.
const RESTS: u32 = 20;
/// How long a worker that is through waits for the tracker.
const ECHO: Duration = Duration::from_secs(35);
/// How much later than its job a file may move.
const MOMENT: Duration = Duration::from_millis(50);
/// How often all files are compared with the store: other hosts move jobs too.
const RECONCILE: Duration = Duration::from_secs(10);

/// How often old logs are looked for.
const SWEEP: Duration = Duration::from_secs(3600);

/// When the worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerUntil {
    /// When somebody stops it.
    Stopped,
    /// When no job waits or runs.
    Empty,
}

impl Host {
    /// What the worker of this process may do.
    pub(super) fn worker_setup(&self) -> anyhow::Result<WorkerSetup> {
        let mut setup = WorkerSetup::new(self.holder("worker"), Arc::new(ThisHost::of(self.home.folder())));
        // What is not installed is left to hosts that have it: a job of a class is never given to it.
        for (name, definition) in
            self.definitions.iter().filter(|(name, _)| self.shared.engine.has_program(name))
        {
            let class = ClassName::new(&definition.class)
                .with_context(|| format!("the class of the engine {name} is no word"))?;
            setup.engines.push(EngineRoom { name: name.clone(), class, parallel: definition.parallel });
            let own: Result<Vec<Capability>, _> =
                definition.capabilities.iter().map(|word| Capability::new(word)).collect();
            let own = own.with_context(|| {
                format!("[engines.{name}] capabilities: each is a word such as `gpu:cuda`")
            })?;
            setup.of_engines.insert(name.clone(), own);
        }
        setup.capabilities = self.capabilities.clone();
        setup.capabilities.extend(own_capabilities());
        setup.profiles = self.profile_limits.clone();
        setup.at_once = self.at_once;
        setup.grace = self.grace;
        setup.rules = self.rules();
        Ok(setup)
    }

    /// Runs the loops of the command `worker`, until `end` is there.
    pub(crate) async fn work(
        &self,
        settings: &Settings,
        tracker: Option<AnyTracker>,
        until: WorkerUntil,
        end: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        self.shared
            .engine
            .level()
            .map_err(|reason| Failure::new("no engine can run on this host", reason.describe()))?;
        let folders = Folders::of(&self.home);
        folders.make()?;
        let mirror = Mirror::new(folders.clone());
        mirror
            .reconcile(&self.shared.store)
            .await
            .context("cannot bring the folders in line with the store")?;
        let (moves, moved) = mpsc::unbounded_channel();
        self.shared.watchers.tell_moves(moves);
        let follower = tokio::spawn(follow(mirror.clone(), moved));
        let stop = Stop::default();
        let worker = Worker::new(self.world(), self.worker_setup()?);
        let cwd = std::env::current_dir().context("cannot tell the current folder")?;
        let mut inbox = Inbox::new(folders, settings.clone(), cwd);
        if until == WorkerUntil::Empty {
            // What was dropped before counts: files settle first.
            let who = self.holder("inbox");
            self.take_in(&mut inbox, &who).await?;
            while inbox.is_settling() {
                time::sleep(INBOX).await;
                self.take_in(&mut inbox, &who).await?;
            }
        }
        let runs = async {
            match until {
                WorkerUntil::Stopped => worker.run(&stop).await,
                WorkerUntil::Empty => worker.run_until_empty(&stop).await,
            }
        };
        let echoes = self.echo_loop(tracker.as_ref(), &stop);
        tokio::pin!(runs, echoes);
        let ended = select! {
            ended = &mut runs => Some(ended),
            () = self.inbox_loop(&mut inbox, &mirror) => None,
            () = &mut echoes, if tracker.is_some() => None,
            () = end => None,
        };
        let ended = match ended {
            Some(ended) => {
                stop.stop();
                echoes.await;
                ended
            }
            None => {
                stop.stop();
                self.shared.stopping.notify_waiters();
                eprintln!(
                    "draining: nothing new is claimed, what runs gets its grace period; Ctrl-C again ends it at once"
                );
                select! {
                    (ended, ()) = async { join!(&mut runs, &mut echoes) } => ended,
                    () = interrupted() => {
                        stop.stop();
                        return Err(Failure::new("stopped at once", "the next worker goes on where this one was"));
                    }
                }
            }
        };
        drop(follower);
        if until == WorkerUntil::Empty
            && let Some(tracker) = &tracker
        {
            self.echo_rest(tracker).await;
        }
        mirror.reconcile(&self.shared.store).await?;
        if until == WorkerUntil::Empty && ended.is_ok() {
            let left = self.shared.store.counts().await?.inbox;
            if left > 0 {
                self.shared.watchers.surface().note(&format!(
                    "{left} jobs wait for what this host does not have: an engine, a capability, another job (`banksman status`)"
                ));
            }
        }
        Ok(ended?)
    }

    async fn take_in(&self, inbox: &mut Inbox, who: &Holder) -> anyhow::Result<()> {
        let now = crate::clock::now();
        for taken in inbox.take_in(&self.shared.store, who, std::time::Instant::now(), now).await? {
            let surface = self.shared.watchers.surface();
            match taken {
                Taken::Job(added) => surface.note(&format!("job {} taken from the inbox", added.id())),
                Taken::Rejected(file) => {
                    surface.note(&format!("rejected: {} (see the .error beside it)", file.display()))
                }
                Taken::LeftAlone(file, why) => {
                    let name = file.file_name().unwrap_or_default().to_string_lossy();
                    surface
                        .note(&format!("{} in the inbox is left alone: {why}", crate::output::clean(&name)))
                }
            }
        }
        Ok(())
    }

    /// Takes in dropped files and compares the folders now and then; never returns.
    async fn inbox_loop(&self, inbox: &mut Inbox, mirror: &Mirror) {
        let who = self.holder("inbox");
        let mut compared = time::Instant::now();
        let mut swept: Option<time::Instant> = None;
        let mut rest = INBOX;
        loop {
            time::sleep(rest).await;
            if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                swept = Some(time::Instant::now());
                self.remove_old_logs().await;
            }
            let begun = time::Instant::now();
            if let Err(error) = self.take_in(inbox, &who).await {
                tracing::warn!(%error, "the inbox folder is looked at again later");
                time::sleep(RECONCILE).await;
            }
            rest = INBOX.max(begun.elapsed() * RESTS).min(RECONCILE);
            if compared.elapsed() >= RECONCILE {
                compared = time::Instant::now();
                if let Err(error) = mirror.reconcile(&self.shared.store).await {
                    tracing::warn!(%error, "the folders are compared again later");
                }
            }
        }
    }

    /// Removes logs that are older than the configuration wants, but never those of attempts that run.
    async fn remove_old_logs(&self) {
        let (folder, keep) = (self.home.logs(), Duration::try_from(self.keep_logs).unwrap_or(Duration::MAX));
        let running = match self.shared.store.claims().await {
            Ok(claims) => claims.into_iter().map(|claim| self.home.attempt_log(claim.attempt)).collect(),
            Err(error) => return tracing::warn!(%error, "old logs are removed later"),
        };
        match tokio::task::spawn_blocking(move || logs::remove_older(&folder, keep, &running)).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "old logs were removed"),
            Ok(Err(error)) => tracing::warn!(%error, "old logs cannot be removed"),
        }
    }

    /// Echoes what the last jobs left in the outbox; a tracker that does not answer is told by the next worker.
    async fn echo_rest(&self, tracker: &AnyTracker) {
        let world = self.world();
        let echo = Echo { queue: world.store(), tracker, clock: world.clock(), watcher: world.watcher() };
        match time::timeout(ECHO, echo.settle()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the outbox of echoes cannot be used"),
            Err(_) => tracing::info!("the tracker is slow; it is told by the next worker"),
        }
    }

    /// Echoes to the tracker, where there is one, until stopped; what is on its way then gets a few seconds.
    async fn echo_loop(&self, tracker: Option<&AnyTracker>, stop: &Stop) {
        if let Some(tracker) = tracker {
            let world = self.world();
            let echo = Echo { queue: world.store(), tracker, clock: world.clock(), watcher: world.watcher() };
            echo.run(stop).await;
        }
    }
}

/// Moves files along, off the loops' threads. What moves within a moment is moved together, straight to where it is by then.
async fn follow(mirror: Mirror, mut moved: mpsc::UnboundedReceiver<Moved>) {
    while let Some(first) = moved.recv().await {
        time::sleep(MOMENT).await;
        let mut all = BTreeMap::from([(first.job, first)]);
        while let Ok(next) = moved.try_recv() {
            all.insert(next.job, next);
        }
        let mirror = mirror.clone();
        let done = tokio::task::spawn_blocking(move || all.values().for_each(|moved| mirror.follow(moved)));
        if done.await.is_err() {
            return;
        }
    }
}

/// What is known of this host: operating system, architecture, name.
fn own_capabilities() -> Vec<Capability> {
    let os = if cfg!(target_os = "macos") { "mac" } else { std::env::consts::OS };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let words = [format!("os:{os}"), format!("arch:{}", std::env::consts::ARCH), format!("host:{host}")];
    // A host name that is no word cannot be asked for.
    words.iter().filter_map(|word| Capability::new(word).ok()).collect()
}

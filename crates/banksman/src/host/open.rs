//! Opens a home: databases, forge, engines, with the rules of the repositories that a command is about.

use super::{
    bells::Bells,
    books::Books,
    captures::open_sinks,
    forge::{Github, HostForge, is_embedded},
    github::{self, Access},
    queue::open_store,
    troubles::Troubles,
    watch::Watchers,
    world::HostWorld,
};
use crate::{
    config::{SandboxMode, Settings},
    home::{Entry, Home, Lock, Place},
    output::Failure,
    surface::Surface,
};
use anyhow::Context as _;
use banksman_core::{
    repo::RepoRules,
    text::{Capability, EngineName, Holder, ProfileName, RepoName},
    work::SandboxLevel,
};
use banksman_engine::{
    EngineDefinition, EngineHost, EngineHostConfig, EngineSettings, Found, Network, Remote, RepositorySetup,
    SandboxPolicy,
};
use banksman_forge::local::LocalForge;
use banksman_orchestrator::Orchestrator;
use banksman_sink::Sinks;
use banksman_store::{Chosen, book::SqliteBook};
use jiff::SignedDuration;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// One repository of the inventory, ready to work on.
#[derive(Debug, Clone)]
pub(crate) struct Hosted {
    /// Its name.
    pub(crate) repo: RepoName,
    /// Its entry in the inventory.
    pub(crate) entry: Entry,
    /// How it is run.
    pub(crate) rules: RepoRules,
}

/// What all looping tasks share.
pub(crate) struct Shared {
    pub(crate) store: Chosen,
    pub(crate) book: SqliteBook,
    pub(crate) forge: HostForge,
    pub(crate) engine: Arc<EngineHost>,
    pub(crate) watchers: Watchers,
    /// Wake single repositories on GitHub.
    pub(crate) bells: Bells,
    /// Repositories that GitHub keeps waiting or refuses.
    pub(super) troubles: Troubles,
    /// Wakes everybody who waits when the process is to end.
    pub(crate) stopping: Arc<Notify>,
    /// Where copies of the training data go.
    pub(crate) sinks: Sinks,
}

/// An open home.
pub(crate) struct Host {
    pub(crate) home: Home,
    pub(crate) shared: Arc<Shared>,
    pub(crate) hosted: Vec<Hosted>,
    pub(crate) at_once: u32,
    /// Time between SIGTERM and SIGKILL for what runs.
    pub(super) grace: SignedDuration,
    /// How long logs are kept.
    pub(super) keep_logs: SignedDuration,
    /// The engines of the configuration.
    pub(super) definitions: BTreeMap<EngineName, EngineDefinition>,
    /// What this host's workers offer beside what is known of it.
    pub(super) capabilities: Vec<Capability>,
    /// Most attempts at once of jobs with a profile.
    pub(super) profile_limits: BTreeMap<ProfileName, u32>,
}

/// Engines that a command adds to those of the configuration (the demo's own).
pub(crate) type MoreEngines = BTreeMap<EngineName, EngineDefinition>;

impl Host {
    /// Opens a home for these repositories. Makes the home if it is missing; starts and changes nothing.
    pub(crate) async fn open(
        settings: &Settings,
        sandbox: SandboxPolicy,
        hosted: Vec<Hosted>,
        more: MoreEngines,
        surface: Surface,
    ) -> anyhow::Result<Self> {
        let home = Home::at(&settings.home);
        home.make()?;
        let store = open_store(settings, &home).await?;
        let book = SqliteBook::open(&home.book())
            .with_context(|| format!("cannot open {}", home.book().display()))?;
        let access = github::access_for(settings, &hosted)?;
        let (engine, definitions) =
            engine_host(settings, sandbox, &home, &hosted, access.as_ref(), more).await?;
        let engine = Arc::new(engine);
        let repos =
            hosted.iter().filter_map(|h| h.entry.local_repo(&h.repo, settings.check_timeout)).collect();
        let embedded =
            LocalForge::open(repos, book.clone(), Arc::clone(&engine), Arc::new(crate::clock::now)).await?;
        let troubles = Troubles::default();
        let github = access.map(|access| Arc::new(access.forge(&hosted)));
        if let Some(github) = &github {
            remind(github, &store, &hosted).await?;
        }
        let books = github.as_ref().map(|github| Books::open(&home, github));
        let forge = HostForge::new(embedded, github, books, troubles.clone());
        let bells = Bells::default();
        let sinks = open_sinks(settings, &home)?;
        let shared = Arc::new(Shared {
            store,
            book,
            forge,
            engine,
            watchers: Watchers::new(surface, bells.clone()),
            bells,
            troubles,
            stopping: Arc::default(),
            sinks,
        });
        let limits = settings.profiles.iter().filter_map(|(name, p)| Some((name.clone(), p.parallel?)));
        Ok(Self {
            home,
            shared,
            hosted,
            at_once: settings.at_once,
            grace: settings.grace,
            keep_logs: settings.keep_logs,
            definitions,
            capabilities: settings.capabilities.clone(),
            profile_limits: limits.collect(),
        })
    }

    /// What the configuration asks of the sandbox.
    pub(crate) fn sandbox_policy(settings: &Settings) -> SandboxPolicy {
        match settings.sandbox {
            SandboxMode::Auto => SandboxPolicy::Auto,
            SandboxMode::Off => SandboxPolicy::Off,
        }
    }

    /// Takes the home's lock and cleans up after a process that died: its processes and its leases.
    pub(crate) async fn recover(&self) -> anyhow::Result<Lock> {
        use banksman_core::port::Store as _;
        let lock = Lock::take(self.home.folder())?;
        self.shared.engine.recover().await;
        // Whoever held a lease here held the lock too, so it is gone.
        self.shared
            .store
            .break_leases(&|_| true, crate::clock::now())
            .await
            .context("cannot free the leases")?;
        Ok(lock)
    }

    /// An orchestrator with a clock of its own.
    pub(crate) fn orchestrator(&self) -> anyhow::Result<Orchestrator<HostWorld>> {
        Ok(Orchestrator::new(self.world(), self.holder("loop")).with_outlet(self.outlet()))
    }

    /// The world for one looping task.
    pub(crate) fn world(&self) -> HostWorld {
        HostWorld::new(Arc::clone(&self.shared))
    }

    /// The name of a part of this process in leases.
    pub(crate) fn holder(&self, part: &str) -> Holder {
        banksman_engine::holder_in(self.home.folder(), part)
    }

    /// The rules of all repositories.
    pub(crate) fn rules(&self) -> Vec<RepoRules> {
        self.hosted.iter().map(|h| h.rules.clone()).collect()
    }

    /// The engines of this host that work may ask for.
    pub(crate) fn engines(&self) -> Vec<EngineName> {
        let mut names: Vec<EngineName> =
            self.hosted.iter().flat_map(|h| h.entry.own_engines().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Refuses engines that cannot run here, before anything is spent. `None`: all the work is done elsewhere.
    pub(crate) async fn check_engines(&self) -> anyhow::Result<Option<SandboxLevel>> {
        if self.engines().is_empty() {
            return Ok(None);
        }
        let diagnosis = self.shared.engine.diagnose().await;
        for name in self.engines() {
            match diagnosis.engines.iter().find(|e| e.name == name).map(|e| &e.program) {
                Some(Found::There { .. }) => {}
                Some(Found::Missing { name: program }) => {
                    return Err(Failure::new(
                        format!(
                            "the engine {name} is not installed: there is no program {}",
                            program.display()
                        ),
                        format!(
                            "install it, or set [engines.{name}] program = \"/path\" in the configuration; \
                             `banksman doctor` lists every engine"
                        ),
                    ));
                }
                Some(Found::Unconfigured { key }) => {
                    return Err(Failure::new(
                        format!("the engine {name} is not configured: its key {key} is missing"),
                        format!("set [engines.{name}] {key} = \"...\" in the configuration"),
                    ));
                }
                None => {
                    let known: Vec<&str> = diagnosis.engines.iter().map(|e| e.name.as_str()).collect();
                    return Err(Failure::new(
                        format!("there is no engine {name}"),
                        format!("known are {}; define another one under [engines.{name}]", known.join(", ")),
                    ));
                }
            }
        }
        self.shared
            .engine
            .level()
            .map(Some)
            .map_err(|reason| Failure::new("no engine can run on this host", reason.describe()))
    }
}

/// Tells the client of GitHub which threads Banksman resolved before this process began.
async fn remind(github: &Github, store: &Chosen, hosted: &[Hosted]) -> anyhow::Result<()> {
    use banksman_core::{intent::Deed, port::Store as _};
    for hosted in hosted.iter().filter(|hosted| !is_embedded(&hosted.repo)) {
        let intents = store.intents(&hosted.repo).await.context("cannot read what was done")?;
        let resolved = intents.into_iter().filter_map(|intent| match intent.deed {
            Deed::ResolveThreads { threads, .. } => Some(threads.into_iter().take(intent.receipts.len())),
            _ => None,
        });
        github.remember_resolved(resolved.flatten());
    }
    Ok(())
}

async fn engine_host(
    settings: &Settings,
    sandbox: SandboxPolicy,
    home: &Home,
    hosted: &[Hosted],
    access: Option<&Access>,
    more: MoreEngines,
) -> anyhow::Result<(EngineHost, BTreeMap<EngineName, EngineDefinition>)> {
    let folder = std::path::absolute(home.folder())?;
    let environment = std::env::vars_os().collect();
    let mut config = EngineHostConfig::new(folder, environment, crate::clock::now);
    let mut overrides: BTreeMap<EngineName, EngineSettings> = BTreeMap::new();
    for (name, table) in &settings.engines {
        let settings = table.clone().try_into().with_context(|| format!("cannot read [engines.{name}]"))?;
        overrides.insert(name.clone(), settings);
    }
    config.engines = banksman_engine::engines(&overrides)?;
    config.engines.extend(more);
    config.sandbox = sandbox;
    config.output_cap = settings.output_cap;
    config.grace = Duration::try_from(settings.grace).unwrap_or(config.grace);
    for hosted in hosted {
        let remote: Remote = match (hosted.entry.place(), access) {
            (Place::Folder(folder), _) => super::repository::git_dir(folder)?.into(),
            (Place::Github(name), Some(access)) => access.remote(name)?.into(),
            (Place::Github(_), None) => continue,
        };
        let mut setup = RepositorySetup::new(remote);
        setup.verify = hosted.entry.checks.0.iter().map(|(_, command)| command.clone()).collect();
        setup.verify_timeout = Duration::try_from(settings.check_timeout).unwrap_or(setup.verify_timeout);
        setup.check_network = Network::from(hosted.entry.check_network);
        setup.read_only.clone_from(&hosted.entry.read_only);
        setup.writable.clone_from(&hosted.entry.writable);
        setup.union_merge.clone_from(&hosted.entry.union_merge);
        config.repositories.insert(hosted.repo.clone(), setup);
    }
    let engines = config.engines.clone();
    Ok((EngineHost::new(config).await?, engines))
}

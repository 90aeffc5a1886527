//! The host of the engines: what the wiring gives it, and the two ports that it implements.

use crate::{
    attempt, check,
    control::Control,
    definition::{EngineDefinition, Network},
    doctor::{self, Diagnosis},
    git::{Git, GitError},
    launch::{Spawner, Stop, adopt_runaways},
    leftovers,
    sandbox::{Limits, Offered, Sandbox, SandboxPolicy, find_program},
};
use banksman_core::{
    id::AttemptId,
    job::Body,
    port::{
        CheckOrder, CheckReport, Checker, Engine, EngineError, JobOrder, Order, Report, Step, StepReport,
    },
    tainted::Tainted,
    text::{EngineName, RepoName},
    work::{FailReason, SandboxLevel},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, Semaphore, watch};

/// Everything that the host of the engines is told. It reads neither environment nor configuration by itself.
#[derive(Debug, Clone)]
pub struct EngineHostConfig {
    /// Banksman's home; an absolute path.
    pub home: PathBuf,
    /// The engines, see [`crate::engines`].
    pub engines: BTreeMap<EngineName, EngineDefinition>,
    /// What is asked of the sandbox.
    pub sandbox: SandboxPolicy,
    /// What one attempt may use up.
    pub limits: Limits,
    /// The repositories.
    pub repositories: BTreeMap<RepoName, RepositorySetup>,
    /// The environment of the process. Only what is on a list goes from here to an engine (S13).
    pub environment: BTreeMap<OsString, OsString>,
    /// Most that is kept of an attempt's output, in bytes (Q15).
    pub output_cap: u64,
    /// Time between TERM and KILL (Q14).
    pub grace: Duration,
    /// Largest bundle that is taken from an agent, in bytes.
    pub bundle_cap: u64,
    /// An attempt starts only where the disk has this much room, in bytes.
    pub min_free: u64,
    /// The clock on the wall.
    pub now: fn() -> Timestamp,
}

impl EngineHostConfig {
    /// A configuration with the documented defaults and the built-in engines.
    pub fn new(home: PathBuf, environment: BTreeMap<OsString, OsString>, now: fn() -> Timestamp) -> Self {
        Self {
            home,
            engines: crate::builtin::engines(),
            sandbox: SandboxPolicy::Auto,
            limits: Limits::default(),
            repositories: BTreeMap::new(),
            environment,
            output_cap: 64 << 20,
            grace: Duration::from_secs(10),
            bundle_cap: 512 << 20,
            min_free: 256 << 20,
            now,
        }
    }
}

/// How work on one repository is done; from the host's configuration, never from the repository (S16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySetup {
    /// Git directory of the forge's repository.
    pub git_dir: PathBuf,
    /// Shell commands that must pass before a conflict that an engine resolved is published.
    pub verify: Vec<String>,
    /// Time limit of each of them.
    pub verify_timeout: Duration,
    /// Whether checks have the host's network.
    pub check_network: Network,
    /// Further paths that engines and checks may read; `~/` is the user's home.
    pub read_only: Vec<PathBuf>,
    /// Further paths that engines and checks may write, such as a cache. All attempts share them.
    pub writable: Vec<PathBuf>,
    /// Patterns, as in `.gitattributes`, of files of which a merge takes the lines of both sides, such as lock files.
    pub union_merge: Vec<String>,
}

impl RepositorySetup {
    /// A setup with nothing but the repository.
    pub fn new(git_dir: PathBuf) -> Self {
        Self {
            git_dir,
            verify: Vec::new(),
            verify_timeout: Duration::from_secs(1800),
            check_network: Network::Off,
            read_only: Vec::new(),
            writable: Vec::new(),
            union_merge: Vec::new(),
        }
    }
}

/// A host on which no engine can run at all.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Git is missing.
    #[error("the program git is not in PATH; install git 2.38 or newer")]
    NoGit,
    /// Git is too old.
    #[error("git is version {0}; 2.38 or newer is needed")]
    OldGit(String),
    /// `PATH`, `HOME` or the home of Banksman is missing or not absolute.
    #[error("{0} is not set to an absolute path")]
    NoPath(&'static str),
    /// The home cannot be used.
    #[error("cannot use the folder {}", .0.display())]
    Home(PathBuf, #[source] std::io::Error),
    /// No thread could be started.
    #[error("cannot start the thread that starts processes")]
    Thread(#[source] std::io::Error),
}

/// Runs engines and checks.
#[derive(Debug)]
pub struct EngineHost {
    pub(crate) config: EngineHostConfig,
    pub(crate) git: Git,
    pub(crate) sandbox: Sandbox,
    pub(crate) spawner: Spawner,
    /// `PATH`.
    pub(crate) path: OsString,
    /// The user's home.
    pub(crate) user_home: PathBuf,
    stop: watch::Sender<Stop>,
    /// Taken while refs of a control repository change.
    locks: BTreeMap<RepoName, Mutex<()>>,
    slots: BTreeMap<EngineName, Arc<Semaphore>>,
}

impl EngineHost {
    /// Looks at what the host offers and makes the folders of the home. Starts nothing that stays and touches no earlier attempt.
    pub async fn new(mut config: EngineHostConfig) -> Result<Self, HostError> {
        let variable = |name: &str| config.environment.get(OsStr::new(name)).cloned();
        let path = variable("PATH").ok_or(HostError::NoPath("PATH"))?;
        let user_home = variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let user_home = user_home.ok_or(HostError::NoPath("HOME"))?;
        if !config.home.is_absolute() {
            return Err(HostError::NoPath("the home of Banksman"));
        }
        let home = config.home.clone();
        let folders = || {
            for folder in ["work", "logs", "control"] {
                fs::create_dir_all(home.join(folder))?;
            }
            // Links on the way would lead elsewhere inside a sandbox.
            home.canonicalize()
        };
        config.home = folders().map_err(|error| HostError::Home(home.clone(), error))?;
        for setup in config.repositories.values_mut() {
            // A relative path would be looked for elsewhere later; a missing one is told when it is used.
            setup.git_dir = setup.git_dir.canonicalize().unwrap_or_else(|_| setup.git_dir.clone());
        }
        let program = find_program("git".as_ref(), &path).ok_or(HostError::NoGit)?;
        let git = Git::new(program, path.clone());
        let version = doctor::version_of(git.program(), &[], &path).await.ok_or(HostError::NoGit)?;
        if doctor::git_version(&version).is_none_or(|found| found < (2, 38)) {
            return Err(HostError::OldGit(version));
        }
        let sandbox = Sandbox::probe(config.sandbox, &path, config.limits).await;
        if sandbox.level() == Ok(SandboxLevel::Off) {
            adopt_runaways();
        }
        let slot = |engine: &EngineDefinition| Arc::new(Semaphore::new(engine.parallel.max(1) as usize));
        Ok(Self {
            git,
            sandbox,
            spawner: Spawner::start().map_err(HostError::Thread)?,
            path,
            user_home,
            stop: watch::channel(Stop::NotYet).0,
            locks: config.repositories.keys().map(|repo| (repo.clone(), Mutex::new(()))).collect(),
            slots: config.engines.iter().map(|(name, engine)| (name.clone(), slot(engine))).collect(),
            config,
        })
    }

    /// Ends what an earlier process left running, removes its workspaces and tidies the control repositories. Only for the holder of
    /// the home's lock: attempts of another process that still runs would be ended as well.
    pub async fn recover(&self) -> leftovers::Reaped {
        let reaped = leftovers::reap_leftovers(&self.config.home).await;
        for (repo, setup) in &self.config.repositories {
            let tidied = match Control::open(&self.git, &self.config.home, repo, &setup.git_dir).await {
                Ok(control) => control.collect_garbage().await,
                Err(error) => Err(error),
            };
            if let Err(error) = tidied {
                tracing::warn!(%repo, %error, "a control repository could not be tidied");
            }
        }
        reaped
    }

    /// Lets the running attempts end: TERM, grace, KILL. Their calls return [`EngineError::Interrupted`], later ones at once.
    pub fn stop(&self) {
        self.stop.send_replace(Stop::Now);
    }

    /// What the host offers.
    pub fn offered(&self) -> &Offered {
        self.sandbox.offered()
    }

    /// The level at which processes run here, or that none may.
    pub fn level(&self) -> Result<SandboxLevel, FailReason> {
        self.sandbox.level()
    }

    /// What `doctor` shows: git, the sandbox, and each engine with its version. Starts each engine's program once.
    pub async fn diagnose(&self) -> Diagnosis {
        doctor::diagnose(self).await
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<Stop> {
        self.stop.subscribe()
    }

    pub(crate) fn setup(&self, repo: &RepoName) -> Result<&RepositorySetup, EngineError> {
        self.config.repositories.get(repo).ok_or(EngineError::Host("the repository is not configured"))
    }

    /// The control repository, for one at a time.
    pub(crate) async fn control(&self, repo: &RepoName) -> Result<(Control, impl Sized + '_), ControlError> {
        let (Some(setup), Some(lock)) = (self.config.repositories.get(repo), self.locks.get(repo)) else {
            return Err(ControlError::Unknown);
        };
        let guard = lock.lock().await;
        let control = Control::open(&self.git, &self.config.home, repo, &setup.git_dir).await;
        Ok((control.map_err(ControlError::Git)?, guard))
    }

    pub(crate) fn slot(&self, engine: &EngineName) -> Option<Arc<Semaphore>> {
        self.slots.get(engine).cloned()
    }

    pub(crate) fn log_path(&self, name: &str) -> PathBuf {
        self.config.home.join("logs").join(name)
    }

    /// Whether the disk has room for an attempt.
    pub(crate) fn has_room(&self) -> Room {
        match rustix::fs::statvfs(Path::new(&self.config.home)) {
            Ok(disk) if disk.f_bavail.saturating_mul(disk.f_frsize) < self.config.min_free => Room::None,
            _ => Room::Enough,
        }
    }
}

/// Whether the disk has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Enough,
    None,
}

/// No control repository.
#[derive(Debug)]
pub(crate) enum ControlError {
    Unknown,
    Git(GitError),
}

impl Engine for EngineHost {
    async fn run(&self, order: &Order, brief: Tainted) -> Result<Report, EngineError> {
        attempt::run(self, order, brief).await
    }

    async fn step(&self, _: &JobOrder, _: Step, _: &Body) -> Result<StepReport, EngineError> {
        Err(EngineError::Host("this build does not run jobs of manifests yet"))
    }

    fn end(&self, _: AttemptId) {}

    async fn leave(&self, _: AttemptId) {}

    async fn reap(&self, _: AttemptId) {}
}

impl Checker for EngineHost {
    async fn check(&self, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        check::check(self, order).await
    }
}

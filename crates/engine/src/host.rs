//! The host of the engines: what the wiring gives it, and the two ports that it implements.

use crate::{
    attempt, check,
    control::Control,
    definition::{EngineDefinition, Network},
    doctor::{self, Diagnosis},
    git::{Git, GitError},
    halt::Halt,
    holder::ThisHost,
    job::{self, Jobs},
    launch::adopt_runaways,
    leftovers,
    locks::{Locked, Locks},
    network::WaysOut,
    programs::Programs,
    remote::Remote,
    sandbox::{Limits, Offered, Sandbox, SandboxPolicy, find_program},
    spares::Spares,
    stops::Stops,
    tidy,
};
use banksman_core::{
    id::AttemptId,
    job::Body,
    port::{
        CheckOrder, CheckReport, Checker, Engine, EngineError, Hosts, JobOrder, Life, Order, Report, Step,
        StepReport,
    },
    tainted::Tainted,
    text::{BranchName, EngineName, Holder, RepoName},
    work::{FailReason, SandboxLevel},
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Semaphore;

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
#[derive(Debug, Clone)]
pub struct RepositorySetup {
    /// The forge's repository.
    pub remote: Remote,
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
    pub fn new(remote: impl Into<Remote>) -> Self {
        Self {
            remote: remote.into(),
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
}

/// Runs engines and checks.
#[derive(Debug)]
pub struct EngineHost {
    pub(crate) config: EngineHostConfig,
    pub(crate) git: Git,
    pub(crate) sandbox: Sandbox,
    /// `PATH`.
    pub(crate) path: OsString,
    /// The user's home.
    pub(crate) user_home: PathBuf,
    pub(crate) stops: Stops,
    /// Taken while refs of a control repository change.
    locks: Locks,
    /// Attempts at jobs whose workspaces are there.
    pub(crate) jobs: Jobs,
    pub(crate) spares: Arc<Spares>,
    programs: Programs,
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
            if let Remote::Folder(folder) = &mut setup.remote {
                *folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            }
        }
        let program = find_program("git".as_ref(), &path).ok_or(HostError::NoGit)?;
        let git = Git::new(program, path.clone(), WaysOut::of(&config.environment));
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
            programs: Programs::new(path.clone()),
            path,
            user_home,
            stops: Stops::new(),
            locks: Locks::default(),
            jobs: Jobs::default(),
            spares: Arc::new(Spares::new(&config.home)),
            slots: config.engines.iter().map(|(name, engine)| (name.clone(), slot(engine))).collect(),
            config,
        })
    }

    /// Ends what processes that are gone left running in this home, removes their workspaces and tidies the control repositories. What
    /// belongs to a process that lives, this one too, is left alone.
    pub async fn recover(&self) -> leftovers::Reaped {
        let reaped = leftovers::reap_leftovers(&self.config.home).await;
        tidy::tidy(self).await;
        reaped
    }

    /// Lets the running attempts end: TERM, grace, KILL. Their calls return [`EngineError::Interrupted`], later ones at once.
    pub fn stop(&self) {
        self.stops.end_all();
    }

    /// What the host offers; not looked at where the configuration wants no sandbox ([`EngineHost::diagnose`] always looks).
    pub fn offered(&self) -> &Offered {
        self.sandbox.offered()
    }

    /// The level at which processes run here, or that none may.
    pub fn level(&self) -> Result<SandboxLevel, FailReason> {
        self.sandbox.level()
    }

    /// Whether the program of a configured engine is on this host.
    pub fn has_program(&self, engine: &EngineName) -> bool {
        self.config.engines.get(engine).is_some_and(|definition| self.program(definition).is_ok())
    }

    /// What `doctor` shows: git, the sandbox, and each engine with its version. Starts each engine's program once.
    pub async fn diagnose(&self) -> Diagnosis {
        doctor::diagnose(self).await
    }

    /// Names of all files and folders on a branch of a configured repository, as the forge has it now.
    pub async fn paths(&self, repo: &RepoName, branch: &BranchName) -> Result<BTreeSet<String>, EngineError> {
        let listed: Result<BTreeSet<String>, Halt> = async {
            let (control, _lock) = self.control(repo).await?;
            let [head] = control.fetch_branches([branch]).await?;
            let head = head.ok_or(EngineError::Host("the forge's repository has no such branch"))?;
            Ok(control.paths(&head).await?)
        }
        .await;
        Ok(listed?)
    }

    pub(crate) fn setup(&self, repo: &RepoName) -> Result<&RepositorySetup, EngineError> {
        self.config.repositories.get(repo).ok_or(EngineError::Host("the repository is not configured"))
    }

    /// The control repository of a configured repository, for one at a time.
    pub(crate) async fn control(&self, repo: &RepoName) -> Result<(Control, Locked), ControlError> {
        let setup = self.config.repositories.get(repo).ok_or(ControlError::Unknown)?;
        self.control_at(Control::dir_of(&self.config.home, repo), &setup.remote).await
    }

    /// The control repository at `dir`, for one at a time.
    pub(crate) async fn control_at(
        &self,
        dir: PathBuf,
        forge: &Remote,
    ) -> Result<(Control, Locked), ControlError> {
        let locked = self.locks.take(&dir).await.map_err(|error| ControlError::Git(GitError::File(error)))?;
        let control = Control::open(&self.git, dir, forge).await.map_err(ControlError::Git)?;
        Ok((control, locked))
    }

    /// The right to change the refs of a control repository.
    pub(crate) async fn lock(&self, control: &Control) -> Result<Locked, GitError> {
        self.locks.take(control.dir()).await.map_err(GitError::File)
    }

    /// The program of an engine on this host.
    pub(crate) fn program(&self, definition: &EngineDefinition) -> Result<PathBuf, FailReason> {
        self.programs.find(&definition.program).ok_or(FailReason::EngineMissing)
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
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("the repository is not configured")]
    Unknown,
    #[error(transparent)]
    Git(GitError),
}

impl Engine for EngineHost {
    async fn run(&self, order: &Order, brief: Tainted) -> Result<Report, EngineError> {
        let report = attempt::run(self, order, brief).await;
        self.stops.forget(order.attempt);
        report
    }

    async fn step(&self, order: &JobOrder, step: Step, body: &Body) -> Result<StepReport, EngineError> {
        job::step(self, order, step, body).await
    }

    fn end(&self, attempt: AttemptId) {
        self.stops.end(attempt);
    }

    async fn leave(&self, attempt: AttemptId) {
        job::leave(self, attempt).await;
    }

    async fn reap(&self, attempt: AttemptId) {
        leftovers::reap_attempt(&self.config.home, attempt).await;
    }
}

impl Hosts for EngineHost {
    fn life(&self, holder: &Holder) -> Life {
        ThisHost::of(&self.config.home).life(holder)
    }
}

impl Checker for EngineHost {
    async fn check(&self, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        check::check(self, order).await
    }
}

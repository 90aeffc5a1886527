//! One attempt, from the order to the report: clone, run, gather, look, publish.

use crate::{
    collect::{self, Gather, NOTHING, open_regular},
    control::Control,
    definition::{Asking, EngineDefinition, Places, PromptVia, Unattended},
    git::{GitError, is_disk_full},
    host::{ControlError, EngineHost, Room as Disk},
    inspect::{Against, inspect},
    launch::{Argv, CappedLog, Ended, Launch, Launched, Stop, launch},
    leftovers::mark,
    publish::{Published, publish},
    resolve, review,
    room::{self, Clone},
    sandbox::{Room, find_program},
    usage::{UsageFormat, UsageReader},
    workspace::{Checkout, Workspace, WorkspaceError, run as off_thread},
};
use banksman_core::{
    port::{EngineError, Order, Report, ReportResult},
    tainted::Tainted,
    text::Sha,
    work::{FailReason, SandboxLevel, Task, Usage},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Longest time that gathering an agent's work may take.
const GATHER_TIMEOUT: Duration = Duration::from_secs(600);

/// Why an attempt goes no further.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It failed.
    Failed(FailReason),
    /// It could not be made.
    Error(EngineError),
}

impl From<FailReason> for Halt {
    fn from(reason: FailReason) -> Self {
        Self::Failed(reason)
    }
}

impl From<EngineError> for Halt {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

impl From<GitError> for Halt {
    fn from(error: GitError) -> Self {
        if error.disk_full() {
            return Self::Failed(FailReason::DiskFull);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "git failed");
        Self::Error(EngineError::Host("git failed on the control repository (see the log)"))
    }
}

impl From<WorkspaceError> for Halt {
    fn from(error: WorkspaceError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a workspace could not be made");
        Self::Failed(error.reason())
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        if is_disk_full(&error) {
            return Self::Failed(FailReason::DiskFull);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "a process of an attempt could not be run");
        Self::Error(EngineError::Host("a process could not be run (see the log)"))
    }
}

impl From<ControlError> for Halt {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Unknown => Self::Error(EngineError::Host("the repository is not configured")),
            ControlError::Git(error) => error.into(),
        }
    }
}

/// What is known of an attempt so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) sandbox: Option<SandboxLevel>,
    pub(crate) usage: Usage,
    pub(crate) exit_code: Option<i32>,
    pub(crate) ran: Option<(Timestamp, Timestamp)>,
}

/// The commits that an attempt works on.
#[derive(Debug)]
pub(crate) struct Commits {
    /// Where the work starts.
    pub(crate) start: Sha,
    /// Head of the base, if there is one.
    pub(crate) base: Option<Sha>,
}

/// Runs one attempt.
pub(crate) async fn run(host: &EngineHost, order: &Order, brief: Tainted) -> Result<Report, EngineError> {
    let mut progress = Progress::default();
    let result = match run_to_result(host, order, brief, &mut progress).await {
        Ok(result) => result,
        Err(Halt::Failed(reason)) => ReportResult::Failed { reason },
        Err(Halt::Error(error)) => return Err(error),
    };
    let Progress { sandbox, usage, exit_code, ran } = progress;
    Ok(Report { result, sandbox, usage, exit_code, ran })
}

async fn run_to_result(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    progress: &mut Progress,
) -> Result<ReportResult, Halt> {
    host.setup(&order.repo)?;
    let slot = host.slot(&order.engine).ok_or(FailReason::EngineMissing)?;
    let mut stop = host.stopping();
    let _slot = tokio::select! {
        slot = slot.acquire_owned() => slot.map_err(|_| EngineError::Interrupted)?,
        _ = stop.wait_for(|stop| *stop == Stop::Now) => return Err(EngineError::Interrupted.into()),
    };
    if *stop.borrow() == Stop::Now {
        return Err(EngineError::Interrupted.into());
    }
    if host.has_room() == Disk::None {
        return Err(FailReason::DiskFull.into());
    }
    let (control, commits) = fetch(host, order).await?;
    let workspace = Workspace::create(&host.config.home, &order.attempt.to_string()).await?;
    let result = work(host, order, brief, progress, &control, &commits, &workspace).await;
    workspace.remove().await;
    let (control, _lock) = host.control(&order.repo).await?;
    if let Err(error) = control.forget(order.attempt).await {
        tracing::warn!(attempt = %order.attempt, %error, "the ref of an attempt stays behind");
    }
    match result {
        // What a full disk breaks looks like anything.
        Err(Halt::Failed(_)) if host.has_room() == Disk::None => Err(FailReason::DiskFull.into()),
        result => result,
    }
}

/// Fetches what the order names, and makes sure that the forge is where the order says.
async fn fetch(host: &EngineHost, order: &Order) -> Result<(Control, Commits), Halt> {
    let (control, _lock) = host.control(&order.repo).await?;
    let [base, head] = control.fetch_branches([&order.base, &order.branch]).await?;
    let start = match (&order.task, &order.head) {
        (Task::Review { head, .. }, _) => {
            control.fetch_sha(head).await?;
            head.clone()
        }
        (_, expected) if head != *expected => return Err(FailReason::Stale.into()),
        (_, Some(head)) => head.clone(),
        (_, None) => base.clone().ok_or(FailReason::Stale)?,
    };
    Ok((control, Commits { start, base }))
}

async fn work(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    progress: &mut Progress,
    control: &Control,
    commits: &Commits,
    workspace: &Workspace,
) -> Result<ReportResult, Halt> {
    let base = commits.base.as_ref().map(|sha| (&order.base, sha));
    workspace.clone(control, &Checkout { branch: &order.branch, start: &commits.start, base }).await?;
    match &order.task {
        Task::Review { .. } => {
            run_engine(host, order, brief, progress, workspace, Clone::ReadOnly).await?;
            let root = workspace.root().to_owned();
            let found = off_thread(move || Ok(review::verdict(&root, "task/verdict.json"))).await?;
            let (verdict, threads) = found.ok_or(FailReason::BadVerdict)?;
            Ok(ReportResult::Reviewed { verdict, threads })
        }
        Task::ResolveConflict { .. } => {
            resolve::resolve(host, order, brief, progress, control, commits, workspace).await
        }
        Task::FixConflict { .. } => {
            run_engine(host, order, brief, progress, workspace, Clone::Writable).await?;
            let merged = commits.base.as_ref().ok_or(FailReason::Stale)?;
            let sha = bring_in(host, order, control, commits, workspace, Some(merged)).await?;
            push(host, order, control, &sha).await
        }
        Task::Implement { .. } | Task::FixReviews { .. } | Task::FixChecks { .. } => {
            run_engine(host, order, brief, progress, workspace, Clone::Writable).await?;
            let sha = bring_in(host, order, control, commits, workspace, None).await?;
            push(host, order, control, &sha).await
        }
    }
}

/// Runs the engine to its end; anything but a clean exit is a failure.
pub(crate) async fn run_engine(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    progress: &mut Progress,
    workspace: &Workspace,
    clone: Clone,
) -> Result<(), Halt> {
    let definition = host.config.engines.get(&order.engine).filter(|engine| engine.is_complete());
    let definition = definition.ok_or(FailReason::EngineMissing)?;
    let program = find_program(&definition.program, &host.path).ok_or(FailReason::EngineMissing)?;
    let level = host.sandbox.level()?;
    let task_file = workspace.task_file();
    let prompt = order.task.instruction().prompt(&task_file.to_string_lossy());
    workspace.write_task(brief, &prompt).await?;
    workspace.copy_home_files(&host.user_home, &definition.home_files).await?;
    let room = room::room(host, host.setup(&order.repo)?, workspace, Some((definition, &program)), clone);
    let asking = asking(definition, level);
    let env = engine_environment(host, order, workspace, definition, level, asking);
    let places = Places {
        prompt,
        prompt_file: workspace.prompt_file(),
        task_file,
        task_dir: workspace.task(),
        repo: workspace.repo(),
    };
    let inner = Argv { args: definition.arguments(&places, asking), program };
    let log = host.log_path(&format!("attempt-{}.log", order.attempt));
    let start = Start {
        name: order.attempt.to_string(),
        inner,
        env,
        room: &room,
        stdin: (definition.prompt == PromptVia::Stdin).then(|| workspace.prompt_file()),
        timeout: Duration::try_from(definition.timeout).unwrap_or(GATHER_TIMEOUT),
        log: off_thread({
            let cap = host.config.output_cap;
            move || CappedLog::create(log, cap)
        })
        .await?,
        record: workspace.record(),
        usage: definition.usage,
    };
    progress.sandbox = Some(level);
    let began = (host.config.now)();
    let launched = start_in(host, level, start).await?;
    progress.ran = Some((began, (host.config.now)()));
    progress.usage = launched.usage;
    if let Ended::Exited(code) = launched.ended {
        progress.exit_code = Some(code);
    }
    if launched.log.is_err_and(|error| is_disk_full(&error)) {
        return Err(FailReason::DiskFull.into());
    }
    match launched.ended {
        Ended::Exited(0) => Ok(()),
        Ended::Exited(_) => Err(FailReason::ExitCode.into()),
        Ended::Signalled => Err(FailReason::Signal.into()),
        Ended::TimedOut => Err(FailReason::TimedOut.into()),
        Ended::Stopped => Err(EngineError::Interrupted.into()),
    }
}

fn asking(definition: &EngineDefinition, level: SandboxLevel) -> Asking {
    match (definition.unattended, level) {
        (Unattended::Always, _) => Asking::ActsAlone,
        (Unattended::Sandboxed, SandboxLevel::Landlock | SandboxLevel::Bubblewrap) => Asking::ActsAlone,
        (Unattended::Sandboxed, SandboxLevel::Off) | (Unattended::Never, _) => Asking::Asks,
    }
}

fn engine_environment(
    host: &EngineHost,
    order: &Order,
    workspace: &Workspace,
    definition: &EngineDefinition,
    level: SandboxLevel,
    asking: Asking,
) -> BTreeMap<OsString, OsString> {
    let mut set: Vec<(&str, OsString)> = vec![
        ("BANKSMAN_TASK", task_word(&order.task).into()),
        ("BANKSMAN_SUBJECT", order.task.subject().to_string().into()),
        ("BANKSMAN_TASK_FILE", workspace.task_file().into()),
        ("BANKSMAN_TASK_DIR", workspace.task().into()),
        ("GIT_AUTHOR_NAME", order.engine.as_str().into()),
        ("GIT_COMMITTER_NAME", order.engine.as_str().into()),
    ];
    set.extend(definition.set_env.iter().map(|(name, value)| (name.as_str(), value.into())));
    if asking == Asking::ActsAlone {
        set.extend(definition.unattended_env.iter().map(|(name, value)| (name.as_str(), value.into())));
    }
    room::environment(host, workspace, level, &definition.env, &set)
}

/// The kind of a task in one word, for scripts.
fn task_word(task: &Task) -> &'static str {
    match task {
        Task::Implement { .. } => "implement",
        Task::FixReviews { .. } => "fix_reviews",
        Task::FixConflict { .. } => "fix_conflict",
        Task::FixChecks { .. } => "fix_checks",
        Task::ResolveConflict { .. } => "resolve_conflict",
        Task::Review { .. } => "review",
    }
}

/// A process to be started in a room.
pub(crate) struct Start<'a> {
    pub(crate) name: String,
    pub(crate) inner: Argv,
    pub(crate) env: BTreeMap<OsString, OsString>,
    pub(crate) room: &'a Room,
    pub(crate) stdin: Option<PathBuf>,
    pub(crate) timeout: Duration,
    pub(crate) log: CappedLog,
    pub(crate) record: PathBuf,
    pub(crate) usage: UsageFormat,
}

/// Starts it and waits for its end.
pub(crate) async fn start_in(
    host: &EngineHost,
    level: SandboxLevel,
    start: Start<'_>,
) -> io::Result<Launched> {
    let order = Launch {
        argv: host.sandbox.command(level, start.room, start.inner),
        env: start.env.into_iter().collect(),
        cwd: start.room.cwd.clone(),
        stdin: start.stdin,
        timeout: start.timeout,
        grace: host.config.grace,
        level,
        mark: mark(&host.config.home, &start.name),
        record: start.record,
    };
    launch(&host.spawner, order, start.log, UsageReader::new(start.usage), host.stopping()).await
}

/// Brings what the agent made into the control repository and looks at it.
pub(crate) async fn bring_in(
    host: &EngineHost,
    order: &Order,
    control: &Control,
    commits: &Commits,
    workspace: &Workspace,
    merged: Option<&Sha>,
) -> Result<Sha, Halt> {
    let root = workspace.root().to_owned();
    let stand =
        off_thread(move || collect::stand(&root)).await.ok().flatten().ok_or(FailReason::BadObjects)?;
    let known: Vec<&Sha> = [Some(&commits.start), commits.base.as_ref()].into_iter().flatten().collect();
    let gather = Gather {
        second_parent: merged.filter(|base| stand.merging.as_ref() == Some(base)),
        stand: &stand,
        known: &known,
        message: "Commit what the engine left uncommitted",
    };
    workspace.prepare_gathering(control, &stand.head).await?;
    let (inner, env) = collect::command(host.git.program(), &host.path, workspace, &gather);
    let log = CappedLog::create(workspace.after().join("gather.log"), 1 << 20)?;
    let launched = start_in(
        host,
        host.sandbox.level()?,
        Start {
            name: order.attempt.to_string(),
            inner,
            env: env.into_iter().collect(),
            room: &room::gathering(host, workspace),
            stdin: None,
            timeout: GATHER_TIMEOUT,
            log,
            record: workspace.after().join("process"),
            usage: UsageFormat::None,
        },
    )
    .await?;
    let work = match launched.ended {
        Ended::Exited(0) => fetch_bundle(host, order, control, workspace).await?,
        Ended::Exited(NOTHING) => stand.head,
        Ended::Stopped => return Err(EngineError::Interrupted.into()),
        Ended::Exited(_) | Ended::Signalled | Ended::TimedOut => return Err(FailReason::BadObjects.into()),
    };
    match inspect(control, &work, &Against { start: &commits.start, merged }).await {
        Ok(()) => Ok(work),
        Err(Ok(reason)) => Err(reason.into()),
        Err(Err(error)) => Err(error.into()),
    }
}

async fn fetch_bundle(
    host: &EngineHost,
    order: &Order,
    control: &Control,
    workspace: &Workspace,
) -> Result<Sha, Halt> {
    let (root, taken) = (workspace.root().to_owned(), workspace.after().join("taken.bundle"));
    let (to, cap) = (taken.clone(), host.config.bundle_cap);
    let copied = off_thread(move || {
        let mut from = open_regular(&root, Path::new("after/collect/work.bundle"), cap)?;
        io::copy(&mut from, &mut std::fs::File::create(to)?)
    });
    match copied.await {
        Ok(_) => {}
        Err(error) if is_disk_full(&error) => return Err(FailReason::DiskFull.into()),
        Err(_) => return Err(FailReason::BadObjects.into()),
    }
    let (_, _lock) = host.control(&order.repo).await?;
    match control.fetch_bundle(&taken, order.attempt).await {
        Ok(sha) => Ok(sha),
        Err(error) if error.disk_full() => Err(FailReason::DiskFull.into()),
        Err(_) => Err(FailReason::BadObjects.into()),
    }
}

/// Publishes the work.
pub(crate) async fn push(
    host: &EngineHost,
    order: &Order,
    control: &Control,
    sha: &Sha,
) -> Result<ReportResult, Halt> {
    let (_, _lock) = host.control(&order.repo).await?;
    match publish(control, &order.branch, order.head.as_ref(), sha).await? {
        Published::There => Ok(ReportResult::Published { sha: sha.clone() }),
        Published::Stale => Err(FailReason::Stale.into()),
        Published::Refused => Err(EngineError::Host(
            "the forge's repository does not take the branch: a work tree that has it checked out has changes of its own",
        )
        .into()),
    }
}

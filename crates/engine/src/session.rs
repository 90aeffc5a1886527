//! Runs an engine's program in its room: arguments, environment, log, and what its end means.

use crate::{
    definition::{Asking, EngineDefinition, Places, PromptVia, Unattended},
    git::is_disk_full,
    halt::Halt,
    host::EngineHost,
    launch::{Argv, CappedLog, Ended, Launch, Launched, launch},
    leftovers::mark,
    room::{self, Clone},
    sandbox::{Room, find_program},
    usage::{UsageFormat, UsageReader},
    workspace::{Workspace, run as off_thread},
};
use banksman_core::{
    port::{EngineError, Measured, Order},
    tainted::Tainted,
    work::{FailReason, SandboxLevel, Task},
};
use std::{collections::BTreeMap, ffi::OsString, io, path::PathBuf, time::Duration};

/// Runs the engine to its end; anything but a clean exit is a failure.
pub(crate) async fn run_engine(
    host: &EngineHost,
    order: &Order,
    brief: Tainted,
    measured: &mut Measured,
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
        timeout: Duration::try_from(definition.timeout).unwrap_or(Duration::ZERO),
        log: off_thread({
            let cap = host.config.output_cap;
            move || CappedLog::create(log, cap)
        })
        .await?,
        record: workspace.record(),
        usage: definition.usage,
    };
    measured.sandbox = Some(level);
    let launched = start_in(host, level, start).await?;
    measured.usage = launched.usage;
    if let Ended::Exited(code) = launched.ended {
        measured.exit_code = Some(code);
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

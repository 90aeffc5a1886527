//! Runs an engine's program in its room: arguments, environment, log, and what its end means.

use crate::{
    acp,
    definition::{Asking, EngineDefinition, Places, PromptVia, Unattended},
    halt::Halt,
    host::EngineHost,
    launch::{
        Argv, Budget, CappedLog, Ended, Input, Launch, Launched, Output, Recent, Stop, run_to_end, supervised,
    },
    leftovers::{log_path, mark},
    room::{self, Clone, Home},
    sandbox::Room,
    usage::{UsageFormat, UsageReader},
    workspace::{Workspace, run as off_thread},
};
use banksman_core::{
    port::{EngineError, Measured, Order},
    tainted::Tainted,
    text::Login,
    work::{FailReason, SandboxLevel, Task, Usage},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, ffi::OsString, io, path::PathBuf, time::Duration};
use tokio::sync::watch;

/// Runs the engine of a task to its end; anything but a clean exit is a failure.
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
    let program = host.program(definition)?;
    let level = host.sandbox.level()?;
    let task_file = workspace.task_file();
    let prompt = order.task.instruction().prompt(&task_file.to_string_lossy());
    workspace.write_task(brief.into_task_file(), &prompt).await?;
    workspace.copy_home_files(&host.user_home, &definition.home_files).await?;
    let room = room::room(host, host.setup(&order.repo)?, workspace, Some((definition, &program)), clone);
    let asking = asking(definition, level);
    let env = engine_environment(host, order, workspace, definition, level, asking);
    let (log, cap) = (log_path(&host.config.home, order.attempt), host.config.output_cap);
    let call = Call {
        definition,
        program,
        asking,
        level,
        env,
        prompt,
        room: &room,
        workspace,
        timeout: Duration::try_from(definition.timeout).unwrap_or(Duration::ZERO),
        budget: Budget::default(),
        log: off_thread(move || CappedLog::silent(log, cap)).await?,
    };
    measured.sandbox = Some(level);
    let launched = call_engine(host, call, host.stops.of(order.attempt)).await?;
    let (log, ended) = settle(measured, launched, (host.config.now)());
    finish(log).await?;
    ended
}

/// Everything that one start of an engine needs. What it is to read lies in the workspace.
pub(crate) struct Call<'a> {
    pub(crate) definition: &'a EngineDefinition,
    pub(crate) program: PathBuf,
    pub(crate) asking: Asking,
    pub(crate) level: SandboxLevel,
    pub(crate) env: BTreeMap<OsString, OsString>,
    /// The prompt, for an engine that gets it as an argument.
    pub(crate) prompt: String,
    pub(crate) room: &'a Room,
    pub(crate) workspace: &'a Workspace,
    pub(crate) timeout: Duration,
    pub(crate) budget: Budget,
    pub(crate) log: CappedLog,
}

/// Starts an engine and waits for its end.
pub(crate) async fn call_engine(
    host: &EngineHost,
    call: Call<'_>,
    stop: watch::Receiver<Stop>,
) -> io::Result<Launched> {
    let Call { definition, program, workspace, .. } = call;
    let (level, asking) = (call.level, call.asking);
    let request = (definition.prompt == PromptVia::Acp).then(|| acp::Request {
        prompt: call.prompt.clone(),
        cwd: call.room.cwd.clone(),
        asking,
    });
    let places = Places {
        prompt: call.prompt,
        prompt_file: workspace.prompt_file(),
        task_file: workspace.task_file(),
        task_dir: workspace.task(),
        repo: call.room.cwd.clone(),
    };
    let start = |input| Start {
        name: workspace.name(),
        what: What::Program(Argv { args: definition.arguments(&places, asking), program }),
        env: call.env,
        room: call.room,
        input,
        timeout: call.timeout,
        budget: call.budget,
        log: call.log,
        record: workspace.record(),
        usage: definition.usage,
    };
    let input = match definition.prompt {
        PromptVia::Stdin => Input::File(workspace.prompt_file()),
        PromptVia::Argument | PromptVia::File | PromptVia::Acp => Input::Empty,
    };
    let mut launched = match request {
        Some(request) => {
            acp::run(request, stop, |input, stop| start_in(host, level, start(input), stop)).await?
        }
        None => start_in(host, level, start(input), stop).await?,
    };
    // An engine that does not tell on which model it ran did so on the one that it was given.
    let given = definition.model.as_deref().and_then(|model| Login::new(model).ok());
    launched.usage.model = launched.usage.model.or(given);
    Ok(launched)
}

/// Adds what a process used to what was measured, and gives what its end means.
pub(crate) fn settle(
    measured: &mut Measured,
    launched: Launched,
    now: Timestamp,
) -> (CappedLog, Result<(), Halt>) {
    let Launched { ended, spent, usage, limited, log, .. } = launched;
    measured.exit_code = spent.exit_code;
    measured.signal = spent.signal;
    measured.cpu_ms = Some(measured.cpu_ms.unwrap_or(0).saturating_add(spent.cpu_ms));
    measured.peak_kib = measured.peak_kib.max(Some(spent.peak_kib));
    add_usage(&mut measured.usage, usage);
    let meaning = match ended {
        _ if log.is_cut_short() => Err(FailReason::DiskFull.into()),
        Ended::Exited(0) => Ok(()),
        Ended::Exited(_) | Ended::Signalled(_) => match (limited, ended) {
            (Some(limited), _) => Err(Halt::Limited(limited.until(now))),
            (None, Ended::Signalled(_)) => Err(FailReason::Signal.into()),
            (None, _) => Err(FailReason::ExitCode.into()),
        },
        Ended::TimedOut => Err(FailReason::TimedOut.into()),
        Ended::OverBudget => Err(FailReason::OverBudget.into()),
        Ended::Stopped => Err(EngineError::Interrupted.into()),
    };
    (log, meaning)
}

/// Adds up what engines of one attempt used; model and session are those of the last one that told.
fn add_usage(total: &mut Usage, more: Usage) {
    let add = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    };
    total.tokens_in = add(total.tokens_in, more.tokens_in);
    total.tokens_out = add(total.tokens_out, more.tokens_out);
    total.tokens_cached = add(total.tokens_cached, more.tokens_cached);
    total.turns = add(total.turns, more.turns);
    total.cost_usd = match (total.cost_usd, more.cost_usd) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    total.model = more.model.or(total.model.take());
    total.session = more.session.or(total.session.take());
}

/// Finishes the log of an attempt.
pub(crate) async fn finish(log: CappedLog) -> Result<(), Halt> {
    match off_thread(move || log.finish()).await {
        Err(error) if crate::git::is_disk_full(&error) => Err(FailReason::DiskFull.into()),
        // What was logged of it is all there is; the attempt itself went its way.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether an engine of the pipeline is told to act without asking.
pub(crate) fn asking(definition: &EngineDefinition, level: SandboxLevel) -> Asking {
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
    let home = Home::Private(workspace);
    room::environment(host, home, level, definition.env.iter().map(String::as_str), &set)
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

/// What is to be started.
#[derive(Debug)]
pub(crate) enum What {
    /// A program.
    Program(Argv),
    /// A script of the shell, by its path.
    Script(PathBuf),
}

/// A process to be started in a room.
pub(crate) struct Start<'a, L = CappedLog> {
    /// Name of the workspace, with which its processes are marked.
    pub(crate) name: String,
    pub(crate) what: What,
    pub(crate) env: BTreeMap<OsString, OsString>,
    pub(crate) room: &'a Room,
    pub(crate) input: Input,
    pub(crate) timeout: Duration,
    pub(crate) budget: Budget,
    /// The log, or where it is to be made.
    pub(crate) log: L,
    pub(crate) record: PathBuf,
    pub(crate) usage: UsageFormat,
}

/// Starts it and waits for its end.
pub(crate) async fn start_in(
    host: &EngineHost,
    level: SandboxLevel,
    start: Start<'_>,
    stop: watch::Receiver<Stop>,
) -> io::Result<Launched> {
    let (launch, usage, log) = start.launch(host, level);
    let output = Output { log, usage, recent: Recent::default() };
    supervised(move |told| run_to_end(launch, output, told), stop).await
}

impl<L> Start<'_, L> {
    /// What is to be launched, with the reader of its usage and its log.
    pub(crate) fn launch(self, host: &EngineHost, level: SandboxLevel) -> (Launch, UsageReader, L) {
        let launch = Launch {
            argv: host.sandbox.command(level, self.room, self.what),
            env: self.env.into_iter().collect(),
            cwd: self.room.cwd.clone(),
            input: self.input,
            timeout: self.timeout,
            grace: host.config.grace,
            budget: self.budget,
            level,
            mark: mark(&host.config.home, &self.name),
            record: self.record,
        };
        (launch, UsageReader::new(self.usage), self.log)
    }
}

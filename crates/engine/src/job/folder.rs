//! The short way of a script that runs in its folder and has nothing to pass but its exit code: everything on one thread, from the
//! workspace to its removal, since a job of this kind may take less time than the hand-over between two threads.

use super::{Attempt, Site, build::environment, clone, review::left_of};
use crate::{
    definition::{Asking, EngineDefinition},
    halt::Halt,
    host::EngineHost,
    launch::{CappedLog, Input, Launched, Output, Recent, run_to_end, supervised},
    leftovers::log_path,
    room::{self, Clone, Home},
    session::{Start, What, settle},
    spares::SCRIPT,
    workspace::{Layout, rewrite},
};
use banksman_core::{
    job::Body,
    port::{JobOrder, StepResult},
    text::EngineName,
    work::{FailReason, SandboxLevel},
};
use rustix::fs::Access;
use std::{ffi::OsString, io, path::Path};

/// Whether a job is of this kind.
pub(super) fn is_all(order: &JobOrder, definition: &EngineDefinition) -> bool {
    let spec = &order.spec;
    definition.runs_scripts() && !spec.worktree && spec.review.is_none() && spec.verify.is_empty()
}

/// Whether a sandbox may have the folder of a job in it: not one with the home of Banksman or of the user inside.
pub(super) fn may_be_opened(
    host: &EngineHost,
    order: &JobOrder,
    level: SandboxLevel,
) -> Result<(), FailReason> {
    if level != SandboxLevel::Off && room::opens_a_home(host, &order.spec.cwd) {
        tracing::error!(job = %order.job, "the folder of a job has the home of Banksman or the user in it; no sandbox gets that");
        return Err(FailReason::HomeInFolder);
    }
    Ok(())
}

/// Whether there is such a folder and this user may work in it.
pub(super) fn may_be_entered(folder: &Path) -> bool {
    folder.is_dir() && rustix::fs::access(folder, Access::READ_OK | Access::EXEC_OK).is_ok()
}

/// Runs it.
pub(super) async fn run(
    host: &EngineHost,
    order: &JobOrder,
    body: &Body,
    attempt: &mut Attempt,
    named: (&EngineName, &EngineDefinition),
    (level, asking): (SandboxLevel, Asking),
) -> Result<StepResult, Halt> {
    may_be_opened(host, order, level)?;
    let (home, name) = (host.config.home.clone(), order.attempt.to_string());
    let workspace = Layout::of(&home, &name);
    let cwd = order.spec.cwd.clone();
    let room = match level {
        SandboxLevel::Off => room::open(&cwd),
        _ => {
            let program = host.program(named.1)?;
            let at = room::Site { folder: &cwd, below: Path::new(""), clone: Clone::Writable };
            room::room_at(host, &clone::setup(host, None), &workspace, Some((named.1, &program)), at)
        }
    };
    let set: [(&str, OsString); 1] = [("BANKSMAN_ROUND", "0".into())];
    let script = workspace.task().join(SCRIPT);
    let start = Start {
        name: name.clone(),
        what: What::Script(script.clone()),
        env: environment(host, order, named, Home::Users, &workspace, (level, asking), &set),
        room: &room,
        input: Input::Empty,
        timeout: attempt.time_left(order)?,
        budget: left_of(order, attempt)?,
        log: log_path(&home, order.attempt),
        record: workspace.record(),
        usage: named.1.usage,
    };
    attempt.measured.sandbox = Some(level);
    let (launch, usage, log) = start.launch(host, level);
    let spares = host.spares.clone();
    let (text, cap) = (body.as_str().as_bytes().to_vec(), host.config.output_cap);
    let done = supervised(
        move |told| -> io::Result<Option<Launched>> {
            if !may_be_entered(&cwd) {
                return Ok(None);
            }
            let made = spares.take(workspace)?;
            rewrite(&script, &text)?;
            let output = Output { log: CappedLog::silent(log, cap)?, usage, recent: Recent::default() };
            let launched = run_to_end(launch, output, told);
            spares.give_back(made);
            launched.map(Some)
        },
        host.stops.of(order.attempt),
    );
    let launched = done.await?.ok_or(FailReason::NoFolder)?;
    let (log, ended) = settle(&mut attempt.measured, launched, (host.config.now)());
    attempt.log = log.unless_whole();
    attempt.site = Some(Site::Over);
    ended.map(|()| StepResult::Built)
}

//! The engine works at the job, or, in a later round, at what review or tests found.

use super::{
    Attempt, Site,
    clone::{self, Cloned},
    findings::Findings,
    folder, place,
    prompt::{self, MAX_ARGUMENT, Sentence},
    review::left_of,
};
use crate::{
    attempt::slot,
    definition::{Asking, EngineDefinition, PromptVia, Unattended},
    halt::Halt,
    host::{EngineHost, Room as Disk},
    launch::{CappedLog, Input, Launched},
    leftovers::log_path,
    room::{self, Clone, Home},
    session::{Call, Start, What, call_engine, settle, start_in},
    spares::SCRIPT,
    workspace::{Layout, run as off_thread, write_anew},
};
use banksman_core::{
    job::Body,
    port::{JobOrder, StepResult},
    text::EngineName,
    work::{FailReason, SandboxLevel},
};
use std::{collections::BTreeMap, ffi::OsString};

pub(super) async fn build(
    host: &EngineHost,
    order: &JobOrder,
    round: u32,
    body: &Body,
    attempt: &mut Attempt,
) -> Result<StepResult, Halt> {
    let named = host.config.engines.get_key_value(&order.engine).ok_or(FailReason::EngineMissing)?;
    let level = host.sandbox.level()?;
    let asking = asking(order, named.1, level)?;
    host.program(named.1)?;
    let _slot = slot(host, named.0, order.attempt).await?;
    if attempt.site.is_none() {
        if host.has_room() == Disk::None {
            return Err(FailReason::DiskFull.into());
        }
        if folder::is_all(order, named.1) {
            return folder::run(host, order, body, attempt, named, (level, asking)).await;
        }
        let (site, log) = find_site(host, order, level).await?;
        let before = matches!(&site, Site::Clone(Cloned { built: Some(_), .. }));
        (attempt.site, attempt.log) = (Some(site), log);
        if before {
            let mut log = attempt.take_log(host, order).await?;
            log.write(b"[banksman: built by an earlier attempt, which waited for its reviewer]\n");
            (attempt.log, attempt.measured.sandbox) = (Some(log), Some(level));
            return Ok(StepResult::Built);
        }
    }
    let launched = run(host, order, round, body, attempt, named, (level, asking)).await?;
    let (log, ended) = settle(&mut attempt.measured, launched, (host.config.now)());
    attempt.log = Some(log);
    let (Some(Site::Clone(cloned)), measured) = (&mut attempt.site, &mut attempt.measured) else {
        return ended.map(|()| StepResult::Built);
    };
    match ended {
        Ok(()) => clone::take_in(host, order, measured, cloned).await.map(|()| StepResult::Built),
        Err(halt) => {
            if matches!(halt, Halt::Failed(_) | Halt::Limited(_)) {
                clone::save(host, order, cloned).await;
            }
            Err(halt)
        }
    }
}

/// Whether the engine acts without asking, which only the manifest can want, and only in a sandbox unless the host says otherwise.
fn asking(
    order: &JobOrder,
    definition: &EngineDefinition,
    level: SandboxLevel,
) -> Result<Asking, FailReason> {
    match (order.spec.yolo, definition.unattended, level) {
        (false, ..) => Ok(Asking::Asks),
        (true, Unattended::Always, _) => Ok(Asking::ActsAlone),
        (true, Unattended::Sandboxed, SandboxLevel::Landlock | SandboxLevel::Bubblewrap) => {
            Ok(Asking::ActsAlone)
        }
        (true, Unattended::Sandboxed, SandboxLevel::Off) | (true, Unattended::Never, _) => {
            Err(FailReason::YoloRefused)
        }
    }
}

/// Where the attempt works: a clone of the repository that the folder is in, or the folder.
async fn find_site(
    host: &EngineHost,
    order: &JobOrder,
    level: SandboxLevel,
) -> Result<(Site, Option<CappedLog>), Halt> {
    let cwd = order.spec.cwd.clone();
    if order.spec.worktree {
        let looked = cwd.clone();
        let found = off_thread(move || place::find(&looked)).await.map_err(|_| FailReason::NoFolder)?;
        if let Some(found) = found {
            return Ok((Site::Clone(clone::clone(host, order, found).await?), None));
        }
    }
    folder::may_be_opened(host, order, level)?;
    let (home, name) = (host.config.home.clone(), order.attempt.to_string());
    let (path, cap) = (log_path(&home, order.attempt), host.config.output_cap);
    let made = off_thread(move || {
        if !folder::may_be_entered(&cwd) {
            return Ok(None);
        }
        let workspace = Layout::of(&home, &name).make(&["task"])?;
        Ok(Some((Site::Folder { cwd, workspace }, CappedLog::silent(path, cap)?)))
    });
    let (site, log) = made.await?.ok_or(FailReason::NoFolder)?;
    Ok((site, Some(log)))
}

/// Runs the engine.
async fn run(
    host: &EngineHost,
    order: &JobOrder,
    round: u32,
    body: &Body,
    attempt: &mut Attempt,
    (name, definition): (&EngineName, &EngineDefinition),
    (level, asking): (SandboxLevel, Asking),
) -> Result<Launched, Halt> {
    let timeout = attempt.time_left(order)?;
    let budget = left_of(order, attempt)?;
    let mut log = attempt.take_log(host, order).await?;
    if round > 0 {
        log.write(format!("\n[banksman: round {round}]\n").as_bytes());
    }
    attempt.measured.sandbox = Some(level);
    let stop = host.stops.of(order.attempt);
    let site = attempt.site()?;
    let workspace = site.workspace()?;
    let (folder, below) = site.paths();
    let program = host.program(definition)?;
    let setup = clone::setup(host, site.cloned());
    let at = room::Site { folder: &folder, below: &below, clone: Clone::Writable };
    let room = match level {
        // Nobody looks at what is in it.
        SandboxLevel::Off => room::open(&folder.join(&below)),
        _ => room::room_at(host, &setup, workspace, Some((definition, &program)), at),
    };
    let findings = attempt.findings.map(|findings| (findings, Findings::file(workspace)));
    let mut set: Vec<(&str, OsString)> = vec![("BANKSMAN_ROUND", round.to_string().into())];
    set.extend(findings.iter().map(|(_, file)| ("BANKSMAN_FINDINGS", file.into())));
    let env = environment(host, order, (name, definition), site.home(), workspace, (level, asking), &set);
    if definition.runs_scripts() {
        let script = workspace.task().join(SCRIPT);
        let (path, text) = (script.clone(), body.as_str().as_bytes().to_vec());
        off_thread(move || write_anew(&path, &text)).await?;
        let start = Start {
            name: workspace.name(),
            what: What::Script(script),
            env,
            room: &room,
            input: Input::Empty,
            timeout,
            budget,
            log,
            record: workspace.record(),
            usage: definition.usage,
        };
        return Ok(start_in(host, level, start, stop).await?);
    }
    let later = findings.as_ref().map(|(findings, file)| findings.sentence(file));
    let preamble = order.spec.preamble.as_ref().map(|preamble| preamble.as_str());
    let mut prompt = prompt::build(preamble, body, later);
    workspace.write_task(body.as_str().as_bytes().to_vec(), &prompt).await?;
    if definition.prompt == PromptVia::Argument && prompt.len() > MAX_ARGUMENT {
        prompt = Sentence::InFile(&workspace.prompt_file()).text();
    }
    workspace.copy_home_files(&host.user_home, &definition.home_files).await?;
    let call = Call {
        definition,
        program,
        asking,
        level,
        env,
        prompt,
        room: &room,
        workspace,
        timeout,
        budget,
        log,
    };
    Ok(call_engine(host, call, stop).await?)
}

/// The environment of an engine of a job.
pub(super) fn environment(
    host: &EngineHost,
    order: &JobOrder,
    (name, definition): (&EngineName, &EngineDefinition),
    home: Home<'_>,
    workspace: &Layout,
    (level, asking): (SandboxLevel, Asking),
    more: &[(&str, OsString)],
) -> BTreeMap<OsString, OsString> {
    let mut set: Vec<(&str, OsString)> = vec![
        ("BANKSMAN_TASK", "job".into()),
        ("BANKSMAN_SUBJECT", order.job.to_string().into()),
        ("BANKSMAN_TASK_FILE", workspace.task_file().into()),
        ("BANKSMAN_TASK_DIR", workspace.task().into()),
        ("GIT_AUTHOR_NAME", name.as_str().into()),
        ("GIT_COMMITTER_NAME", name.as_str().into()),
    ];
    set.extend(definition.set_env.iter().map(|(name, value)| (name.as_str(), value.into())));
    if asking == Asking::ActsAlone {
        set.extend(definition.unattended_env.iter().map(|(name, value)| (name.as_str(), value.into())));
    }
    set.extend_from_slice(more);
    let listed = definition.env.iter().map(String::as_str);
    let allowed = listed.chain(order.spec.env.iter().map(|name| name.as_str()));
    room::environment(host, home, level, allowed, &set)
}

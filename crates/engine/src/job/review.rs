//! The second engine looks at what was built: in a fresh clone that it cannot change, so that nothing the first one prepared works on it.

use super::{
    Attempt, OUT_OF_ORDER, Site, clone,
    findings::{Findings, write_threads},
    prompt,
};
use crate::{
    attempt::slot,
    definition::EngineDefinition,
    halt::Halt,
    host::EngineHost,
    launch::Budget,
    review as verdicts,
    room::{self, Clone, Home},
    session::{Call, asking, call_engine, settle},
    workspace::{Checkout, Workspace, run as off_thread},
};
use banksman_core::{
    job::Body,
    port::{JobOrder, StepResult, ThreadDraft},
    say::Instruction,
    text::EngineName,
    work::{FailReason, Verdict},
};
use std::path::Path;

/// Where the reviewer puts its verdict, below the workspace.
const VERDICT: &str = "task/verdict.json";

pub(super) async fn review(
    host: &EngineHost,
    order: &JobOrder,
    body: &Body,
    attempt: &mut Attempt,
) -> Result<StepResult, Halt> {
    let (name, definition) = reviewer(host, order)?;
    let _slot = slot(host, name, order.attempt).await?;
    let workspace = workspace(host, order, attempt.site()?).await?;
    let found = look(host, order, body, attempt, (name, definition), &workspace).await;
    workspace.remove().await;
    let (verdict, threads) = found?;
    if verdict == Verdict::Changes {
        write_threads(attempt.site()?.workspace()?, threads).await?;
        attempt.findings = Some(Findings::Changes);
    }
    Ok(StepResult::Reviewed(verdict))
}

/// The engine of that name, or one of that class: another one than the builder where there is one.
pub(super) fn reviewer<'a>(
    host: &'a EngineHost,
    order: &JobOrder,
) -> Result<(&'a EngineName, &'a EngineDefinition), FailReason> {
    let wanted = order.spec.review.as_ref().ok_or(FailReason::BadVerdict)?;
    let there = |engine: &EngineDefinition| engine.is_complete() && host.program(engine).is_ok();
    if let Some(named) = host.config.engines.get_key_value(wanted) {
        return if there(named.1) { Ok(named) } else { Err(FailReason::EngineMissing) };
    }
    let of_class = || host.config.engines.iter().filter(|(_, e)| e.class == wanted.as_str() && there(e));
    let another = of_class().find(|(name, _)| **name != order.engine);
    another.or_else(|| of_class().next()).ok_or(FailReason::EngineMissing)
}

async fn workspace(host: &EngineHost, order: &JobOrder, site: &Site) -> Result<Workspace, Halt> {
    let workspace = Workspace::create(&host.config.home, &format!("{}-review", order.attempt)).await?;
    if let Site::Clone(cloned) = site {
        let built = cloned.built.as_ref().ok_or(FailReason::NoCommit)?;
        let base = Some((&cloned.base, &cloned.commits.start));
        let checkout = Checkout { branch: &order.branch, start: built, base };
        workspace.clone(&cloned.control, &checkout).await?;
    }
    Ok(workspace)
}

async fn look(
    host: &EngineHost,
    order: &JobOrder,
    body: &Body,
    attempt: &mut Attempt,
    (name, definition): (&EngineName, &EngineDefinition),
    workspace: &Workspace,
) -> Result<(Verdict, Vec<ThreadDraft>), Halt> {
    let level = host.sandbox.level()?;
    let program = host.program(definition)?;
    let site = attempt.site()?;
    let (folder, below, branch, home) = match site {
        Site::Folder { cwd, .. } => (cwd.clone(), Path::new(""), None, Home::Users),
        Site::Over => return Err(OUT_OF_ORDER),
        Site::Clone(cloned) => {
            (workspace.repo(), cloned.below.as_path(), Some(&order.branch), Home::Private(workspace))
        }
    };
    let prompt = Instruction::Review.prompt(&workspace.task_file().to_string_lossy());
    workspace.write_task(prompt::review_task(branch, body).into_bytes(), &prompt).await?;
    workspace.copy_home_files(&host.user_home, &definition.home_files).await?;
    let setup = clone::setup(host, site.cloned());
    let at = room::Site { folder: &folder, below, clone: Clone::ReadOnly };
    let room = room::room_at(host, &setup, workspace, Some((definition, &program)), at);
    let asking = asking(definition, level);
    let env =
        super::build::environment(host, order, (name, definition), home, workspace, (level, asking), &[]);
    let timeout = attempt.time_left(order)?;
    let mut log = attempt.take_log(host, order).await?;
    log.write(b"\n[banksman: review]\n");
    let budget = left_of(order, attempt)?;
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
    let launched = call_engine(host, call, host.stops.of(order.attempt)).await?;
    // How the builder ended stays what is told of the attempt.
    let of_builder = (attempt.measured.exit_code, attempt.measured.signal);
    let (log, ended) = settle(&mut attempt.measured, launched, (host.config.now)());
    (attempt.measured.exit_code, attempt.measured.signal) = of_builder;
    attempt.log = Some(log);
    ended?;
    let root = workspace.root().to_owned();
    let found = off_thread(move || Ok(verdicts::verdict(&root, VERDICT))).await?;
    Ok(found.ok_or(FailReason::BadVerdict)?)
}

/// What the attempt may still use. With nothing left no engine is started.
pub(super) fn left_of(order: &JobOrder, attempt: &Attempt) -> Result<Budget, FailReason> {
    let used = &attempt.measured.usage;
    let tokens = used.tokens_in.unwrap_or(0).saturating_add(used.tokens_out.unwrap_or(0));
    let cost = used.cost_usd.unwrap_or(0.0);
    let (most_cost, most_tokens) = (order.spec.max_cost, order.spec.max_tokens);
    if most_cost.is_some_and(|most| cost > most) || most_tokens.is_some_and(|most| tokens > most) {
        return Err(FailReason::OverBudget);
    }
    Ok(Budget { cost: most_cost.map(|most| most - cost), tokens: most_tokens.map(|most| most - tokens) })
}

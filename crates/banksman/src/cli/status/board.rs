//! The board: numbers by stage, what runs, what comes next, what ended last, what rests.

use super::purse::Purse;
use crate::{
    app::App,
    clock::now,
    home::Home,
    host::Loops,
    output::{Cell, Exit, Table, ago, clean, span_words, style},
};
use anstyle::Style;
use banksman_core::{
    id::{AttemptId, JobId},
    job::{Job, JobState, Stage},
    manifest::Choice,
    port::{Budget, Claim, JobFilter, Queue, StageCounts},
    text::{EngineName, Holder, JobName, RepoName},
};
use jiff::Timestamp;
use serde::Serialize;

/// The board, for scripts.
#[derive(Serialize)]
pub(super) struct Board {
    counts: StageCounts,
    running: Vec<Running>,
    waiting: Vec<Line>,
    ended: Vec<Line>,
    /// Engines whose quota is used up, and until when they rest (Q21).
    cooling: Vec<Cooling>,
    /// What the loops of this home are up to, where a process runs them.
    loops: Option<Loops>,
    /// What is left of the budget, and what to do next.
    #[serde(skip_serializing_if = "Purse::is_empty")]
    budget: Purse,
}

/// A job that a worker holds.
#[derive(Serialize)]
struct Running {
    job: JobId,
    name: JobName,
    repo: Option<RepoName>,
    stage: Stage,
    engine: EngineName,
    attempt: AttemptId,
    holder: Holder,
    since: Timestamp,
}

/// A job that nobody holds.
#[derive(Serialize)]
struct Line {
    job: JobId,
    name: JobName,
    repo: Option<RepoName>,
    stage: Stage,
    engine: String,
    failures: u32,
    waits_for: u32,
    not_before: Option<Timestamp>,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Cooling {
    engine: EngineName,
    until: Timestamp,
}

/// The board of a home where nothing was done yet.
pub(super) fn empty(app: &App) -> anyhow::Result<Exit> {
    let board = Board {
        counts: StageCounts::default(),
        running: Vec::new(),
        waiting: Vec::new(),
        ended: Vec::new(),
        cooling: Vec::new(),
        loops: None,
        budget: Purse::default(),
    };
    app.page.write(&board, |board| text(board, now()))?;
    Ok(Exit::Success)
}

/// Shows the board.
pub(super) async fn show<Q: Queue + Budget>(
    store: &Q,
    home: &Home,
    rows: u32,
    app: &App,
) -> anyhow::Result<Exit> {
    let now = now();
    let ended = vec![Stage::Shipped, Stage::Failed, Stage::Cancelled];
    let claims = store.claims().await?;
    let board = Board {
        counts: store.counts().await?,
        running: claims.into_iter().map(running).collect(),
        waiting: store.jobs(&JobFilter::Waiting(rows)).await?.into_iter().map(line).collect(),
        ended: store.jobs(&JobFilter::Stages(ended, rows)).await?.into_iter().map(line).collect(),
        cooling: store
            .cooling(now)
            .await?
            .into_iter()
            .map(|(engine, until)| Cooling { engine, until })
            .collect(),
        loops: Loops::of(home),
        budget: Purse::of(store, home, now).await?,
    };
    app.page.write(&board, |board| text(board, now))?;
    Ok(Exit::Success)
}

fn running(claim: Claim) -> Running {
    Running {
        job: claim.job.id,
        repo: claim.job.work.repo().cloned(),
        stage: claim.job.state.stage(),
        name: claim.job.name,
        engine: claim.engine,
        attempt: claim.attempt,
        holder: claim.holder,
        since: claim.since,
    }
}

fn line(job: Job) -> Line {
    let (not_before, ended_at, reason) = match &job.state {
        JobState::Inbox { not_before } | JobState::Waiting { not_before } => (Some(*not_before), None, None),
        JobState::Shipped { at, .. } | JobState::Cancelled { at } => (None, Some(*at), None),
        JobState::Failed { at, reason } => (None, Some(*at), Some(reason.describe())),
        JobState::Building(_) | JobState::Review(_) | JobState::Testing(_) => (None, None, None),
    };
    Line {
        job: job.id,
        repo: job.work.repo().cloned(),
        stage: job.state.stage(),
        engine: choice(&job.work.choice()),
        name: job.name,
        failures: job.failures,
        waits_for: job.waits_for,
        not_before,
        created_at: job.created_at,
        ended_at,
        reason,
    }
}

/// Who may run a job, in a word.
pub(super) fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Engine(engine) => engine.to_string(),
        Choice::Class(class) => format!("any {class}"),
    }
}

/// The style of a stage.
pub(super) fn stage_style(stage: Stage) -> Style {
    match stage {
        Stage::Inbox => style::DIM,
        Stage::Building | Stage::Review | Stage::Testing => style::BUSY,
        Stage::Shipped => style::GOOD,
        Stage::Failed => style::BAD,
        Stage::Cancelled => style::WARN,
    }
}

fn text(board: &Board, now: Timestamp) -> String {
    let counts = &board.counts;
    let numbers = [
        (Stage::Inbox, counts.inbox),
        (Stage::Building, counts.building),
        (Stage::Review, counts.review),
        (Stage::Testing, counts.testing),
        (Stage::Shipped, counts.shipped),
        (Stage::Failed, counts.failed),
        (Stage::Cancelled, counts.cancelled),
    ];
    let mut out = String::new();
    let parts: Vec<String> = numbers
        .iter()
        .map(|(stage, count)| {
            let style = if *count == 0 { style::DIM } else { stage_style(*stage) };
            format!("{style}{count} {}{style:#}", stage.as_str())
        })
        .collect();
    out.push_str(&(parts.join("  ") + "\n"));
    if numbers.iter().all(|(_, count)| *count == 0) {
        out.push_str("no jobs yet: `banksman add FILE.md` adds one, `banksman worker` runs what is ready\n");
    }
    if !board.running.is_empty() {
        let mut table = Table::new(&["running", "name", "stage", "engine", "attempt", "since", "worker"]);
        for job in &board.running {
            table.row([
                job.job.to_string().into(),
                named(&job.name, job.repo.as_ref()),
                Cell::new(job.stage.as_str(), stage_style(job.stage)),
                job.engine.as_str().into(),
                job.attempt.to_string().into(),
                span_words(now.duration_since(job.since)).into(),
                Cell::new(clean(job.holder.as_str()), style::DIM),
            ]);
        }
        out.push_str(&format!("\n{}", table.text()));
    }
    if !board.waiting.is_empty() {
        let mut table = Table::new(&["next", "name", "stage", "engine", "added", "waits"]);
        for job in &board.waiting {
            table.row([
                job.job.to_string().into(),
                named(&job.name, job.repo.as_ref()),
                Cell::new(job.stage.as_str(), stage_style(job.stage)),
                job.engine.clone().into(),
                ago(job.created_at, now).into(),
                Cell::new(waits(job, now), style::DIM),
            ]);
        }
        out.push_str(&format!("\n{}", table.text()));
    }
    if !board.ended.is_empty() {
        let mut table = Table::new(&["ended", "name", "stage", "engine", "when", "why"]);
        for job in &board.ended {
            table.row([
                job.job.to_string().into(),
                named(&job.name, job.repo.as_ref()),
                Cell::new(job.stage.as_str(), stage_style(job.stage)),
                job.engine.clone().into(),
                job.ended_at.map(|at| ago(at, now)).unwrap_or_default().into(),
                job.reason.unwrap_or_default().into(),
            ]);
        }
        out.push_str(&format!("\n{}", table.text()));
    }
    for cooling in &board.cooling {
        let rest = span_words(cooling.until.duration_since(now));
        out.push_str(&format!("\n{} rests for {rest}: its quota is used up\n", cooling.engine));
    }
    if let Some(loops) = &board.loops {
        out.push_str(&super::loops::text(loops, now));
    }
    out.push_str(&board.budget.text(now));
    out
}

fn named(name: &JobName, repo: Option<&RepoName>) -> Cell {
    match repo {
        Some(repo) => format!("{name} ({repo})").into(),
        None => name.as_str().into(),
    }
}

fn waits(job: &Line, now: Timestamp) -> String {
    match (job.waits_for, job.not_before) {
        (1, _) => "for another job".to_owned(),
        (count @ 2.., _) => format!("for {count} other jobs"),
        (0, Some(at)) if at > now => format!("for {}", span_words(at.duration_since(now))),
        (0, _) if job.failures > 0 => format!("{} failed", job.failures),
        (0, _) => String::new(),
    }
}

//! One job in full: its manifest, its way, its attempts, what its tracker item was told (Q22).

use super::board::{choice, stage_style};
use crate::{
    app::App,
    clock::now,
    home::Home,
    output::{Cell, Exit, Table, ago, amount, clean, moment, span_words, style},
    surface::why_words,
};
use banksman_core::{
    job::{Job, JobState, JobWork, Move, Outcome},
    manifest::Dependency,
    port::{AttemptRecord, EchoRecord, Queue},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::path::PathBuf;

/// One job, for scripts.
#[derive(Serialize)]
struct Full {
    #[serde(flatten)]
    job: Job,
    stage: banksman_core::job::Stage,
    blockers: Vec<Blocker>,
    moves: Vec<Move>,
    attempts: Vec<AttemptRecord>,
    logs: Vec<PathBuf>,
    echo: Option<EchoRecord>,
}

/// A job that it waits for.
#[derive(Serialize)]
struct Blocker {
    on: Dependency,
    stage: Option<banksman_core::job::Stage>,
}

/// Shows a job.
pub(super) async fn show<Q: Queue>(store: &Q, home: &Home, job: Job, app: &App) -> anyhow::Result<Exit> {
    let id = job.id;
    let attempts = store.attempts(id).await?;
    let logs = attempts.iter().map(|a| home.attempt_log(a.attempt)).filter(|log| log.exists()).collect();
    let blockers = store.blockers(id).await?;
    let full = Full {
        stage: job.state.stage(),
        blockers: blockers.into_iter().map(|(on, stage)| Blocker { on, stage }).collect(),
        moves: store.moves(id).await?,
        attempts,
        logs,
        echo: store.echo(id).await?,
        job,
    };
    app.page.write(&full, |full| text(full, now()))?;
    Ok(Exit::Success)
}

fn text(full: &Full, now: Timestamp) -> String {
    let job = &full.job;
    let mut facts = Table::new(&[]);
    let mut fact = |name: &str, value: String| facts.row([Cell::new(name, style::DIM), value.into()]);
    fact("engine", choice(&job.work.choice()));
    fact("added", format!("{} ({})", moment(job.created_at), ago(job.created_at, now)));
    if let Some(key) = &job.key {
        fact("idempotency key", clean(key.as_str()));
    }
    if let Some(old) = job.retry_of {
        fact("repeats", format!("job {old}"));
    }
    match &job.work {
        JobWork::Task { repo, task, .. } => {
            fact("repository", repo.to_string());
            fact("task", task.key());
        }
        JobWork::Manifest(spec) => {
            fact("folder", clean(&spec.cwd.display().to_string()));
            fact("priority", format!("{:?}", spec.priority).to_lowercase());
            for (name, value) in [
                ("profile", spec.profile.as_ref().map(ToString::to_string)),
                ("lock", spec.lock.as_ref().map(ToString::to_string)),
                ("review", spec.review.as_ref().map(ToString::to_string)),
                ("base", spec.base.as_ref().map(ToString::to_string)),
                ("branch", spec.worktree.then(|| job.branch().to_string())),
                ("tracker item", spec.tracker_item.as_ref().map(|item| clean(item.as_str()))),
            ] {
                if let Some(value) = value {
                    fact(name, value);
                }
            }
            if !spec.verify.is_empty() {
                fact("verify", clean(&spec.verify.join("; ")));
            }
        }
    }
    for blocker in &full.blockers {
        let on = match &blocker.on {
            Dependency::Id(id) => format!("job {id}"),
            Dependency::Key(key) => clean(key.as_str()),
        };
        fact(
            "depends on",
            format!("{on} ({})", blocker.stage.map_or("not added yet", |stage| stage.as_str())),
        );
    }
    match &job.state {
        JobState::Failed { reason, .. } => fact("why", reason.describe().to_owned()),
        JobState::Shipped { outcome: Outcome::Published { branch, sha }, .. } => {
            fact("landed on", format!("{branch} at {}", &sha.as_str()[..12]));
        }
        JobState::Inbox { not_before } | JobState::Waiting { not_before } if *not_before > now => {
            fact("not before", moment(*not_before));
        }
        _ => {}
    }
    if let Some(echo) = &full.echo {
        let told = echo.patched.map_or("nothing yet".to_owned(), |stage| stage.as_str().to_owned());
        let due = echo.due.map_or(String::new(), |_| format!(", more is due ({} failed tries)", echo.tries));
        fact("tracker was told", format!("{told}{due}"));
    }
    let paint = stage_style(full.stage);
    let head = style::HEAD;
    let mut out = format!(
        "{head}job {} {}{head:#}  {paint}{}{paint:#}\n{}",
        job.id,
        job.name,
        full.stage.as_str(),
        facts.text()
    );
    out.push_str(&format!("\n{}", way(&full.moves)));
    if !full.attempts.is_empty() {
        out.push_str(&format!("\n{}", attempts(&full.attempts, now)));
    }
    for log in &full.logs {
        out.push_str(&format!("log: {}\n", log.display()));
    }
    out
}

/// The stages it passed and how long it was in each.
fn way(moves: &[Move]) -> String {
    let mut table = Table::new(&["stage", "since", "for", "why", "by"]);
    for (number, step) in moves.iter().enumerate() {
        let spent = moves.get(number + 1).map(|next| span_words(next.at.duration_since(step.at)));
        table.row([
            Cell::new(step.to.as_str(), stage_style(step.to)),
            moment(step.at).into(),
            spent.unwrap_or_default().into(),
            why_words(step.why).into(),
            Cell::new(clean(step.who.as_str()), style::DIM),
        ]);
    }
    table.text()
}

fn attempts(records: &[AttemptRecord], now: Timestamp) -> String {
    let mut table =
        Table::new(&["attempt", "engine", "took", "cpu", "memory", "exit", "tokens", "cost", "lines", "end"]);
    for record in records {
        let measured = &record.measured;
        let usage = &measured.usage;
        let took = record.ended_at.unwrap_or(now).duration_since(record.started_at);
        let exit = match (measured.exit_code, measured.signal) {
            (Some(code), _) => code.to_string(),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => String::new(),
        };
        let tokens = match (usage.tokens_in, usage.tokens_out) {
            (None, None) => String::new(),
            (tokens_in, tokens_out) => {
                format!("{} in, {} out", amount(tokens_in.unwrap_or(0)), amount(tokens_out.unwrap_or(0)))
            }
        };
        let lines = match (measured.added, measured.removed) {
            (Some(added), Some(removed)) => format!("+{added} -{removed}"),
            _ => String::new(),
        };
        let end = match (record.failure, record.ended_at) {
            (Some(reason), _) => Cell::new(reason.describe(), style::BAD),
            (None, Some(_)) => Cell::new("ended", style::DIM),
            (None, None) => Cell::new("runs, or was lost", style::DIM),
        };
        table.row([
            record.attempt.to_string().into(),
            record.engine.as_str().into(),
            span_words(took).into(),
            measured
                .cpu_ms
                .map(|ms| span_words(SignedDuration::from_millis(ms as i64)))
                .unwrap_or_default()
                .into(),
            measured.peak_kib.map(|kib| format!("{} MiB", kib / 1024)).unwrap_or_default().into(),
            exit.into(),
            tokens.into(),
            usage.cost_usd.map(|cost| format!("${cost:.2}")).unwrap_or_default().into(),
            lines.into(),
            end,
        ]);
    }
    table.text()
}

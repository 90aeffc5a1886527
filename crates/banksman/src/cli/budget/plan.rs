//! `budget plan`: shares what is left of today among the repositories, says why, and puts it in force with `--apply` (B7, B8).

use super::{
    Desk,
    look::{Seen, look},
};
use crate::{
    app::App,
    home::short,
    output::{Cell, Exit, Table, style},
};
use banksman_core::{
    audit::Severity,
    budget::{
        Team,
        pacing::Pace,
        plan::{
            CAP_PERCENT, Checks, Limit, Plan, PlanInputs, PlanLine, PlannedIssue, ReadyIssue, RepoWork,
            Strategy, plan, tasks_left, tier_weight,
        },
    },
    epic::{ChildStatus, EpicFacts},
    id::Number,
    intent::Phase,
    journal::CiConclusion,
    port::{Budget, LedgerEntry, Store, budget::Shares},
    text::RepoName,
};
use banksman_orchestrator::Picture;
use clap::Args;
use jiff::{SignedDuration, civil::Date};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Days of the past from which pass rates of checks are taken.
const CHECK_DAYS: i64 = 30;
/// Days of the past in which it is looked who was served last.
const SERVED_DAYS: i64 = 7;
/// Issues of a line that are named in the table.
const NAMED: usize = 6;

/// Share what is left of today among the repositories.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Tasks of the day: conservative (20), moderate (80), aggressive (200) or a number.
    #[arg(long, default_value = "moderate", value_name = "S")]
    strategy: Strategy,
    /// Most that one repository gets, in percent of the day.
    #[arg(long, default_value_t = CAP_PERCENT, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    cap: u32,
    /// Put the plan in force: until the day ends each repository is dispatched its share and no more.
    #[arg(long)]
    apply: bool,
    /// Say why of every issue.
    #[arg(long)]
    explain: bool,
}

/// The plan, for scripts.
#[derive(Serialize)]
struct Shown {
    date: Date,
    applied: bool,
    #[serde(flatten)]
    plan: Plan,
    not_looked_at: BTreeMap<RepoName, String>,
}

pub(super) fn run(args: &PlanArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    let shown = look(&desk, |seen| async {
        let store = &seen.host.shared.store;
        let now = seen.at();
        let plan = plan_of(&desk.team, &seen, store, args.strategy, args.cap).await?;
        let date = desk.team.plan_day(now).date;
        if args.apply {
            store.set_allocation(date, &shares(&plan), now).await?;
        }
        Ok(Shown { date, applied: args.apply, plan, not_looked_at: seen.missing })
    })?;
    app.page.write(&shown, |shown| text(shown, args.explain))?;
    Ok(Exit::Success)
}

/// The plan for the rest of the day, from what was seen.
pub(crate) async fn plan_of<S: Store + Budget>(
    team: &Team,
    seen: &Seen,
    store: &S,
    strategy: Strategy,
    cap_percent: u32,
) -> anyhow::Result<Plan> {
    let now = seen.at();
    let today = team.plan_day(now);
    let ledger = store.ledger_between(now - SignedDuration::from_hours(24 * SERVED_DAYS), now).await?;
    let spent = |entry: &&LedgerEntry| today.span.has(entry.at);
    let mut rooms: BTreeMap<String, Option<u32>> = BTreeMap::new();
    let mut repos = Vec::with_capacity(seen.pictures.len());
    for (hosted, picture) in &seen.pictures {
        let room = match team.charge(&hosted.rules.implementer, now) {
            Some(charge) => tasks_left(&charge, &store.usage(&charge).await?),
            None => None,
        };
        let pool = team.charge(&hosted.rules.implementer, now).map(|charge| charge.provider.to_string());
        rooms.insert(pool.unwrap_or_default(), room);
        let mine = || ledger.iter().filter(|entry| entry.repo == hosted.repo);
        let used: u32 = mine().filter(spent).map(|entry| entry.cost).sum();
        let own = hosted.rules.daily_tasks.map(|cap| cap.saturating_sub(used));
        let journal = store.journal(&hosted.repo).await?;
        let since = now - SignedDuration::from_hours(24 * CHECK_DAYS);
        let runs = journal.iter().filter(|entry| entry.at >= since).flat_map(|entry| &entry.ci_runs);
        let mut checks = Checks::default();
        for run in runs {
            checks.ended += u32::from(run.conclusion != CiConclusion::Undecided);
            checks.passed += u32::from(run.conclusion == CiConclusion::Success && !run.was_red());
        }
        repos.push(RepoWork {
            repo: hosted.repo.clone(),
            tier: hosted.entry.weight.unwrap_or_else(|| tier_weight(hosted.entry.tier.as_deref())),
            used,
            own_left: [own, room].into_iter().flatten().min(),
            checks,
            work_left: left(picture),
            last_served: mine().map(|entry| entry.at).max(),
            ready: ready(picture),
        });
    }
    // A pool that nobody limits leaves the day to the strategy.
    let pool_left = rooms.values().copied().sum::<Option<u32>>().filter(|_| !rooms.is_empty());
    Ok(plan(&PlanInputs {
        strategy,
        pool_left,
        used: ledger.iter().filter(spent).map(|entry| entry.cost).sum(),
        cap_percent,
        repos,
        time: team.day.zone.rules().to_datetime(now).time(),
        now,
    }))
}

/// What the plan allows each repository of the whole day.
pub(crate) fn shares(plan: &Plan) -> Shares {
    plan.lines.iter().map(|line| (line.repo.clone(), line.used.saturating_add(line.tasks))).collect()
}

/// Children that are not settled.
fn left(picture: &Picture) -> u32 {
    let of = |facts: &EpicFacts| {
        let open = |status: &ChildStatus| !matches!(status, ChildStatus::Done | ChildStatus::Skipped);
        facts.statuses().iter().filter(|(_, _, status)| open(status)).count()
    };
    u32::try_from(picture.epics.iter().map(|epic| of(&epic.facts)).sum::<usize>()).unwrap_or(u32::MAX)
}

/// Children that can be dispatched now, and those that can be as soon as others are settled.
fn ready(picture: &Picture) -> Vec<ReadyIssue> {
    let mut all = Vec::new();
    for epic in picture.epics.iter().filter(|epic| epic.facts.open) {
        let statuses = epic.facts.statuses();
        let unsettled = |before: Phase| {
            let open = |status: &ChildStatus| !matches!(status, ChildStatus::Done | ChildStatus::Skipped);
            statuses.iter().filter(|(_, phase, status)| *phase < before && open(status)).count()
        };
        for (child, phase, status) in &statuses {
            let waits_for = match status {
                ChildStatus::Ready => 0,
                ChildStatus::Blocked(by) => by.len(),
                ChildStatus::WaitsForPhase => unsettled(*phase),
                ChildStatus::NeedsApproval
                | ChildStatus::Dispatched
                | ChildStatus::InReview(_)
                | ChildStatus::Merged(_)
                | ChildStatus::Done
                | ChildStatus::Skipped => continue,
            };
            let Some(facts) = epic.facts.children.get(child) else { continue };
            all.push(ReadyIssue {
                number: *child,
                severity: facts.issue.labels.iter().find_map(|label| label.as_str().parse::<Severity>().ok()),
                waits_for: u32::try_from(waits_for).unwrap_or(u32::MAX),
                created_at: facts.issue.created_at,
            });
        }
    }
    // A child that stands on two checklists is one issue.
    let mut seen: BTreeSet<Number> = BTreeSet::new();
    all.retain(|issue| seen.insert(issue.number));
    all
}

fn text(shown: &Shown, explain: bool) -> String {
    let (plan, day) = (&shown.plan, &shown.plan.day);
    let mut out = format!(
        "{}: {} tasks a day ({}), {} used, {} left{}\n{}\n",
        shown.date,
        day.target,
        day.strategy,
        day.used,
        day.left,
        day.pool_left.map_or_else(String::new, |left| format!(", the pools have {left}")),
        pace_words(day.pace, day.tenths_per_hour),
    );
    if plan.lines.is_empty() {
        out.push_str("no repository to plan for: `banksman repos add PATH` adds one\n");
    } else {
        let mut table = Table::new(&["repository", "tasks", "used", "weight", "why no more", "issues"]);
        for line in &plan.lines {
            table.row([
                short(&line.repo).to_owned().into(),
                Cell::new(line.tasks.to_string(), if line.tasks > 0 { style::GOOD } else { style::DIM }),
                line.used.to_string().into(),
                weight_words(line).into(),
                limit_words(&line.limit, day.cap_percent).into(),
                Cell::new(numbers(&line.issues), style::DIM),
            ]);
        }
        out.push_str(&table.text());
    }
    if explain {
        for line in plan.lines.iter().filter(|line| !line.issues.is_empty()) {
            out.push_str(&format!("\n{}\n", short(&line.repo)));
            for (place, issue) in line.issues.iter().enumerate() {
                out.push_str(&format!("  {}. #{}: {}\n", place + 1, issue.number, issue_words(issue)));
            }
        }
    }
    out.push_str(&Seen::notes(&shown.not_looked_at));
    if shown.applied {
        out.push_str(&format!("in force for {}: `banksman budget` shows what is spent of it\n", shown.date));
    } else if plan.total > 0 {
        out.push_str("not in force: `banksman budget plan --apply` does that\n");
    }
    out
}

fn pace_words(pace: Pace, tenths: u32) -> String {
    let rate = format!("{}.{} an hour until the day ends", tenths / 10, tenths % 10);
    match pace {
        Pace::Steady => format!("pace: steady, {rate}"),
        Pace::Raised { used_percent } => {
            format!("pace: raised, only {used_percent} % of the day are used after midday; {rate}")
        }
        Pace::UnstickOnly { used_percent } => {
            format!("pace: {used_percent} % of the day are used before midday: only what is stuck is helped")
        }
    }
}

fn weight_words(line: &PlanLine) -> String {
    let weight = &line.weight;
    let checks = if weight.checks < 1000 {
        format!(
            " x {}.{:02} ({} % of checks pass)",
            weight.checks / 1000,
            weight.checks % 1000 / 10,
            weight.pass_rate / 10
        )
    } else {
        String::new()
    };
    format!("{} (tier) x {} (work){checks}", weight.tier, weight.work)
}

fn limit_words(limit: &Limit, percent: u32) -> String {
    match limit {
        Limit::NothingReady => "nothing is ready".to_owned(),
        Limit::AllPlaced => "all that is ready has its place".to_owned(),
        Limit::Cap { cap } => format!("the cap of {percent} % of the day: {cap}"),
        Limit::OwnCap => "its own cap, or its pool".to_owned(),
        Limit::FairShare { waiting } => format!("its fair share; {waiting} wait"),
        Limit::Paused => "paused until midday".to_owned(),
    }
}

fn issue_words(issue: &PlannedIssue) -> String {
    let severity = issue.severity.map_or("no severity".to_owned(), |severity| severity.to_string());
    let waits = match issue.waits_for {
        0 => "waits for nothing".to_owned(),
        1 => "after 1 other".to_owned(),
        n => format!("after {n} others"),
    };
    format!("{severity}, {waits}, {} days old", issue.age_days)
}

fn numbers(issues: &[PlannedIssue]) -> String {
    let mut words: Vec<String> =
        issues.iter().take(NAMED).map(|issue| format!("#{}", issue.number)).collect();
    if issues.len() > NAMED {
        words.push(format!("and {} more", issues.len() - NAMED));
    }
    words.join(" ")
}

//! `epic`: groups issues into epics, runs them, shows how they stand.

use super::{
    monitor::hosted,
    onboard::{cast, existing, summary_text, without_epic},
    subject::Subject,
};
use crate::{
    app::App,
    home::{Home, Inventory, short},
    host::{Host, block_on, describe, explain_trouble},
    output::{Cell, Exit, Failure, Table, style},
    surface::Surface,
};
use anyhow::Context as _;
use banksman_core::{
    epic::{ChildStatus, EpicPlan, plan_epics},
    id::Number,
    policy::Action,
    port::{Forge as _, IssueQuery},
};
use banksman_orchestrator::{Look, Outlook, Picture, Trouble, Until};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::PathBuf;

/// Group issues into epics, run them, see how they stand.
#[derive(Debug, Args)]
pub(crate) struct EpicArgs {
    /// The repository: its name (shop, acme/shop) or path [default: the one you are in, or the only one].
    #[arg(long, global = true)]
    repo: Option<String>,
    #[command(subcommand)]
    what: What,
}

impl What {
    /// The epic that was named.
    fn epic(&self) -> Option<&Subject> {
        match self {
            Self::Create { .. } => None,
            Self::Run { epic, .. } | Self::Status { epic } | Self::Sync { epic } => epic.as_ref(),
        }
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Group the open issues into epics.
    Create {
        /// Write the plan to a file for editing, and make nothing.
        #[arg(long, value_name = "FILE", conflicts_with = "apply")]
        plan: Option<PathBuf>,
        /// Carry out an edited plan.
        #[arg(long, value_name = "FILE")]
        apply: Option<PathBuf>,
        /// Say why each issue is where it is.
        #[arg(long)]
        explain: bool,
        /// Show the plan and make nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Run the repository's epics until nothing moves any more.
    Run {
        /// The epic that you care about, as NUMBER or REPO#NUMBER; its end decides the exit code [default: all].
        epic: Option<Subject>,
        /// Show a live table; without it every event is a line.
        #[arg(long)]
        watch: bool,
    },
    /// Show each phase, each child, its pull request and the next action with its reason.
    Status {
        /// Only this epic, as NUMBER or REPO#NUMBER.
        epic: Option<Subject>,
    },
    /// Look once: tick what is closed, close what is merged, carry on what is due.
    Sync {
        /// The epic that you care about, as NUMBER or REPO#NUMBER [default: all].
        epic: Option<Subject>,
    },
}

pub(super) fn run(args: &EpicArgs, app: &App) -> anyhow::Result<Exit> {
    let home = app.config()?.settings.home;
    let inventory = Inventory::read(&Home::at(&home).inventory())?;
    let subject = args.what.epic();
    let (repo, _) = inventory.find(Subject::repo(subject, args.repo.as_deref())?)?;
    let number = subject.map(|subject| subject.number);
    let (settings, hosted) = hosted(app, &[short(&repo).to_owned()])?;
    block_on(async {
        let surface = match &args.what {
            What::Run { watch: true, .. } => Surface::fitting(&app.page),
            What::Run { .. } => Surface::plain(&app.page),
            _ => Surface::kept(),
        };
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), surface).await?;
        match &args.what {
            What::Create { plan, apply, explain, dry_run } => {
                create(&host, app, plan.as_ref(), apply.as_ref(), *explain, *dry_run).await
            }
            What::Run { .. } => run_epics(&host, app, number).await,
            What::Status { .. } => status(&host, app, number).await,
            What::Sync { .. } => sync(&host, app, number).await,
        }
    })
}

async fn create(
    host: &Host,
    app: &App,
    write: Option<&PathBuf>,
    apply: Option<&PathBuf>,
    explain: bool,
    dry_run: bool,
) -> anyhow::Result<Exit> {
    let rules = host.rules().remove(0);
    let issues = host.shared.forge.issues(&rules.repo, &IssueQuery::Open).await;
    let issues = issues.map_err(|error| explain_trouble(&rules.repo, error.into()))?;
    let plan = match apply {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let plan: EpicPlan =
                toml::from_str(&text).map_err(|e| crate::config::toml_error(file, &text, &e, 0))?;
            plan.validate(&issues).with_context(|| format!("{} cannot be carried out", file.display()))?;
            plan
        }
        None => plan_epics(&issues, &existing(host, &rules, &issues).await?)?,
    };
    if let Some(file) = write {
        let text = toml::to_string(&plan).context("cannot write the plan")?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        app.page.say(&format!("{}: edit it, then `banksman epic create --apply {0}`", file.display()))?;
        return Ok(Exit::Success);
    }
    app.page.write(&plan, |p| plan_text(p, explain))?;
    // A plan that was edited says all that is wished.
    let direct = if apply.is_some() { plan.direct.clone() } else { without_epic(&issues, &plan) };
    if dry_run || (plan.epics.is_empty() && direct.is_empty()) {
        return Ok(Exit::Success);
    }
    let _lock = host.recover().await?;
    let orchestrator = host.orchestrator()?;
    let epics = orchestrator.create_epics(&rules, &plan).await?;
    if !epics.is_empty() {
        app.page.say(&format!("made or extended: {}", numbers(&epics)))?;
    }
    if !direct.is_empty() {
        let held_back = orchestrator.dispatch_direct(&rules, &direct).await?;
        app.page.say(&format!(
            "without an epic for {}: {}; `banksman epic run` does the work",
            rules.implementer,
            numbers(&direct)
        ))?;
        if !held_back.is_empty() {
            app.page.say(&format!("held back by the cap of daily tasks: {}", numbers(&held_back)))?;
        }
    }
    Ok(Exit::Success)
}

fn numbers(list: &[Number]) -> String {
    list.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" ")
}

fn plan_text(plan: &EpicPlan, explain: bool) -> String {
    let mut text = String::new();
    for planned in &plan.epics {
        let what = planned.extends.map_or("new epic".to_owned(), |epic| format!("more for epic #{epic}"));
        text.push_str(&format!("{what}: {}\n", planned.epic.theme));
        for draft in &planned.epic.phases {
            text.push_str(&format!("  phase {}: {}\n", draft.phase.number(), numbers(&draft.children)));
        }
    }
    if !plan.direct.is_empty() {
        text.push_str(&format!("without an epic: {}\n", numbers(&plan.direct)));
    }
    if plan.is_empty() {
        text.push_str("nothing to group: every open issue has its place\n");
    }
    if explain {
        for reason in &plan.reasons {
            text.push_str(&format!("#{}: {}\n", reason.issue, reason.why));
        }
    }
    text
}

async fn run_epics(host: &Host, app: &App, epic: Option<Number>) -> anyhow::Result<Exit> {
    host.check_engines().await?;
    let _lock = host.recover().await?;
    let repo = host.hosted[0].repo.clone();
    known(host, epic).await?;
    cast(host, &repo).await?;
    let ended = host.run(Until::Settled).await;
    host.shared.watchers.surface().finish();
    let ended = ended?;
    for summary in host.summaries().await? {
        app.page.write(&summary, |s| summary_text(s, &ended))?;
    }
    let done = match epic {
        Some(number) => host.epic_ended(number).await?,
        None => matches!(&ended, crate::host::Ended::Settled(all) if all.iter().all(|o| *o == Outlook::Done)),
    };
    Ok(if done { Exit::Success } else { Exit::Failed })
}

/// Refuses a number that is no epic of the repository.
async fn known(host: &Host, epic: Option<Number>) -> anyhow::Result<()> {
    let Some(epic) = epic else { return Ok(()) };
    let epics = host.epics().await?;
    if epics.iter().any(|e| e.number == epic) {
        return Ok(());
    }
    let all: Vec<Number> = epics.iter().map(|e| e.number).collect();
    Err(Failure::new(
        format!("#{epic} is no epic of this repository"),
        if all.is_empty() {
            "it has none yet: `banksman epic create` groups the open issues".to_owned()
        } else {
            format!("its epics are: {}", numbers(&all))
        },
    ))
}

async fn sync(host: &Host, app: &App, epic: Option<Number>) -> anyhow::Result<Exit> {
    known(host, epic).await?;
    let _lock = host.recover().await?;
    let rules = host.rules().remove(0);
    let look: Look = host.orchestrator()?.sweep(&rules).await.map_err(|trouble| match trouble {
        Trouble::Elsewhere => Failure::new(
            trouble.to_string(),
            "a running `monitor`, `onboard` or `epic run` does this by itself",
        ),
        trouble => explain_trouble(&rules.repo, trouble),
    })?;
    let what = if look.acted { "brought in line" } else { "nothing to do" };
    app.page.say(what)?;
    status(host, app, epic).await
}

/// An epic as scripts get it.
#[derive(Serialize)]
struct EpicShown {
    epic: Number,
    branch: String,
    ended: bool,
    children: Vec<ChildShown>,
    next: Vec<String>,
    pull: Option<Number>,
}

/// A child as scripts get it.
#[derive(Serialize)]
struct ChildShown {
    child: Number,
    phase: u8,
    status: String,
    pull: Option<PullShown>,
}

/// A pull request as scripts get it.
#[derive(Serialize)]
struct PullShown {
    pull: Number,
    head: String,
    merge_state: banksman_core::signals::MergeState,
    checks_total: u32,
    checks_passing: u32,
    checks_failing: u32,
    approved: u32,
    changes_requested: u32,
    unresolved: u32,
    review_requests: u32,
    conflict_requests: u32,
    row: u8,
    action: &'static str,
    reason: Option<&'static str>,
}

async fn status(host: &Host, app: &App, epic: Option<Number>) -> anyhow::Result<Exit> {
    known(host, epic).await?;
    let rules = host.rules().remove(0);
    let picture = host.orchestrator()?.observe(&rules).await;
    let picture = picture.map_err(|trouble| explain_trouble(&rules.repo, trouble))?;
    let mut shown: Vec<EpicShown> = picture.epics.iter().map(|view| show(view, &picture)).collect();
    for ended in host.epics().await?.iter().filter(|e| e.ended_at.is_some()) {
        shown.push(EpicShown {
            epic: ended.number,
            branch: ended.branch.to_string(),
            ended: true,
            children: Vec::new(),
            next: Vec::new(),
            pull: None,
        });
    }
    shown.retain(|s| epic.is_none_or(|wanted| s.epic == wanted));
    app.page.write(&shown, |all| status_text(all))?;
    Ok(Exit::Success)
}

fn show(view: &banksman_orchestrator::EpicView, picture: &Picture) -> EpicShown {
    let children = view.facts.statuses().into_iter().map(|(child, phase, status)| ChildShown {
        child,
        phase: phase.number(),
        status: describe(&status),
        pull: match status {
            ChildStatus::Done => None,
            _ => picture
                .pulls
                .iter()
                .rfind(|p| p.closes() == Some(child) && p.of_epic.is_none())
                .map(pull_shown),
        },
    });
    EpicShown {
        epic: view.record.number,
        branch: view.record.branch.to_string(),
        ended: false,
        children: children.collect(),
        next: view.steps.iter().map(step_words).collect(),
        pull: view.facts.pull.as_ref().map(|(number, _)| *number),
    }
}

fn step_words(step: &banksman_core::epic::EpicStep) -> String {
    use banksman_core::epic::EpicStep as S;
    match step {
        S::FlagApproval(child) => format!("ask for approval of #{child}"),
        S::Dispatch(child) => format!("dispatch #{child}"),
        S::Tick(children) => format!("tick {}", numbers(children)),
        S::CloseChild(child) => format!("close #{child}"),
        S::OpenPull => "open the epic's pull request".to_owned(),
        S::Close { .. } => "delete the branch and close the epic".to_owned(),
        S::GiveUp => "call a person".to_owned(),
    }
}

fn pull_shown(view: &banksman_orchestrator::PullView) -> PullShown {
    let checks = view.signals.check_counts();
    PullShown {
        pull: view.signals.number,
        head: view.signals.head.as_str()[..10].to_owned(),
        merge_state: view.signals.merge_state,
        checks_total: checks.total,
        checks_passing: checks.passing,
        checks_failing: checks.failing,
        approved: view.signals.reviews.approved,
        changes_requested: view.signals.reviews.changes_requested,
        unresolved: view.signals.unresolved(),
        review_requests: view.history.review.count,
        conflict_requests: view.history.conflict.count,
        row: view.decision.row,
        action: view.decision.action.kind().as_str(),
        reason: match view.decision.action {
            Action::Wait { reason } => Some(reason.describe()),
            _ => None,
        },
    }
}

fn status_text(all: &[EpicShown]) -> String {
    if all.is_empty() {
        return "no epics: `banksman epic create` groups the open issues\n".to_owned();
    }
    let mut text = String::new();
    for epic in all {
        if epic.ended {
            text.push_str(&format!("epic #{}: closed\n", epic.epic));
            continue;
        }
        text.push_str(&format!("epic #{} on {}\n", epic.epic, epic.branch));
        let mut table =
            Table::new(&["phase", "child", "status", "pull", "checks", "reviews", "threads", "next action"]);
        for child in &epic.children {
            let mut cells: Vec<Cell> = vec![
                child.phase.to_string().into(),
                format!("#{}", child.child).into(),
                Cell::new(
                    child.status.clone(),
                    if child.status == "done" { style::GOOD } else { style::PLAIN },
                ),
            ];
            if let Some(pull) = &child.pull {
                let checks = format!("{}/{}", pull.checks_passing, pull.checks_total);
                let reviews = format!("+{} -{}", pull.approved, pull.changes_requested);
                let next = format!(
                    "{} (row {}{})",
                    pull.action,
                    pull.row,
                    pull.reason.map_or(String::new(), |r| format!(": {r}"))
                );
                cells.push(format!("#{}", pull.pull).into());
                cells
                    .push(Cell::new(checks, if pull.checks_failing > 0 { style::BAD } else { style::PLAIN }));
                cells.push(reviews.into());
                cells.push(pull.unresolved.to_string().into());
                cells.push(Cell::new(next, style::DIM));
            }
            table.row(cells);
        }
        text.push_str(&table.text());
        if let Some(pull) = epic.pull {
            text.push_str(&format!("its own pull request: #{pull} (`banksman forge pull view {pull}`)\n"));
        }
        for next in &epic.next {
            text.push_str(&format!("next: {next}\n"));
        }
    }
    text
}

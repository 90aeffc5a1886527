//! `onboard`: a repository and its reports, from findings to merged pull requests. Shows the plan with its cost, asks, runs; can be
//! interrupted anywhere and run again.

use super::audit::read_report;
use crate::{
    app::App,
    home::{Checks, Entry, Home, Inventory, repo_name, short},
    host::{Ended, Host, Hosted, PlanDrafts, Repository, Summary, block_on, guess_check},
    output::{Cell, Exit, Failure, Form, Table, clean, style},
    surface::{Cast, Surface},
};
use anyhow::Context as _;
use banksman_core::{
    audit::{self, DIRECT_DISPATCH, Report, StageOnePlan},
    epic::{Checklist, EpicPlan, plan_epics},
    id::{ActorId, Number},
    intent::{AGENTIC, APPROVED, NEEDS_APPROVAL, NEEDS_INTERVENTION},
    port::{Book as _, Forge as _, IssueQuery, Store as _, book::Select},
    repo::RepoRules,
    signals::{IssueFacts, TitleHead},
    text::{BranchName, CheckName, EngineName, Label, RepoName},
};
use banksman_orchestrator::{Outlook, Until};
use clap::Args;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
};

/// Take a repository from its audit reports to merged pull requests.
#[derive(Debug, Args)]
pub(crate) struct OnboardArgs {
    /// The folder of a git repository.
    repo: PathBuf,
    /// An audit report; may be given several times.
    #[arg(long = "audit", value_name = "FILE", required = true)]
    audits: Vec<PathBuf>,
    /// The engine that does the work (see `banksman doctor`).
    #[arg(long, value_name = "NAME")]
    engine: Option<EngineName>,
    /// An engine that reviews every pull request; one approval is then required.
    #[arg(long = "reviewer", value_name = "NAME")]
    reviewers: Vec<EngineName>,
    /// A check that has to pass before a merge, as NAME=COMMAND, run by sh in a fresh checkout [default: guessed from the files at the
    /// top of the repository, and shown with the plan].
    #[arg(long = "check", value_name = "NAME=COMMAND", value_parser = super::repos::check)]
    checks: Vec<(CheckName, String)>,
    /// The branch that epics are merged into, where it is not the usual one.
    #[arg(long, value_name = "BRANCH")]
    default_branch: Option<BranchName>,
    /// Most tasks that may be handed out in 24 hours.
    #[arg(long, value_name = "N")]
    max_tasks: Option<u32>,
    /// Do not ask before anything is spent.
    #[arg(long)]
    yes: bool,
    /// Show the plan and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// The plan as scripts get it.
#[derive(Serialize)]
struct PlanShown<'a> {
    repo: &'a RepoName,
    default_branch: &'a BranchName,
    findings: usize,
    settled: usize,
    issues: &'a StageOnePlan,
    epics: &'a EpicPlan,
    /// Tasks that the children cost, one each; reviews and fixes come on top.
    tasks: usize,
    engine: &'a EngineName,
    checks: &'a [(CheckName, String)],
    /// The file that the check was guessed from, when nobody named one.
    guessed_from: Option<&'static str>,
}

pub(super) fn run(args: &OnboardArgs, app: &App) -> anyhow::Result<Exit> {
    let repository = Repository::inspect(&args.repo, args.default_branch.as_ref())?;
    let reports = args.audits.iter().map(|file| read_report(file)).collect::<anyhow::Result<Vec<_>>>()?;
    refuse_nothing(&reports)?;
    let config = app.config()?;
    let mut settings = config.settings.clone();
    settings.daily_tasks = args.max_tasks.or(settings.daily_tasks);
    let mut inventory = Inventory::read(&Home::at(&settings.home).inventory())?;
    let (repo, mut entry) = entry(args, &repository, &inventory)?;
    let rules = entry.rules(&repo, &settings)?;
    let paths = repository.paths()?;
    let guess = if entry.checks.0.is_empty() { guess_check(&paths) } else { None };
    entry.checks.0.extend(guess.iter().map(|guess| guess.check.clone()));
    let plan = audit::plan(&reports, &|path| paths.contains(path.trim_end_matches('/')));
    let preview = preview(&plan)?;
    let shown = PlanShown {
        repo: &repo,
        default_branch: &entry.default_branch,
        findings: reports.iter().map(|r| r.findings.len()).sum(),
        settled: plan.audits.iter().map(|a| a.closed.len()).sum(),
        issues: &plan,
        epics: &preview,
        tasks: preview.children(),
        engine: &rules.implementer,
        checks: &entry.checks.0,
        guessed_from: guess.map(|guess| guess.from),
    };
    if app.page.form == Form::Text || args.dry_run {
        app.page.write(&shown, plan_text)?;
    }
    if args.dry_run {
        return Ok(Exit::Success);
    }
    if entry.checks.0.is_empty() {
        return Err(Failure::usage(
            "no check is configured for this repository: nothing would ever count as green, so nothing would be merged",
            "name what has to pass, for example --check test='make test'; it is kept in the inventory",
        ));
    }
    block_on(async {
        let hosted = vec![Hosted { repo: repo.clone(), entry: entry.clone(), rules: rules.clone() }];
        let surface = Surface::fitting(&app.page);
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), surface).await?;
        let level = host.check_engines().await?;
        if !args.yes && !confirmed(&shown, level)? {
            return Ok(Exit::Failed);
        }
        let _lock = host.recover().await?;
        inventory.put(short(&repo), entry.clone())?;
        carry_out(&host, &rules, &plan, app).await
    })
}

/// Makes issues and epics, runs until nothing moves, sums up. What is there already is left alone.
pub(super) async fn carry_out(
    host: &Host,
    rules: &RepoRules,
    plan: &StageOnePlan,
    app: &App,
) -> anyhow::Result<Exit> {
    let ended = pipeline(host, rules, plan).await;
    host.shared.watchers.surface().finish();
    let ended = ended?;
    let summaries = host.summaries().await?;
    for summary in &summaries {
        app.page.write(summary, |s| summary_text(s, &ended))?;
    }
    Ok(match ended {
        Ended::Settled(outlooks) if outlooks.iter().all(|o| *o == Outlook::Done) => Exit::Success,
        Ended::Settled(_) | Ended::Interrupted => Exit::Failed,
    })
}

async fn pipeline(host: &Host, rules: &RepoRules, plan: &StageOnePlan) -> anyhow::Result<Ended> {
    let orchestrator = host.orchestrator()?;
    let (drafts, orders) = PlanDrafts::of(plan);
    orchestrator.create_issues(rules, &orders, &drafts).await.context("cannot make the issues")?;
    let forge = &host.shared.forge;
    let issues = forge.issues(&rules.repo, &IssueQuery::Open).await?;
    let epics = plan_epics(&issues, &existing(host, rules, &issues).await?)?;
    orchestrator.create_epics(rules, &epics).await.context("cannot make the epics")?;
    let direct = without_epic(&issues, &epics);
    if !direct.is_empty() {
        orchestrator.dispatch_direct(rules, &direct).await.context("cannot hand out the issues")?;
    }
    cast(host, &rules.repo).await?;
    host.run(Until::Settled).await
}

/// What goes to an implementer without an epic: what the plan leaves over, and the issues of small audits (A9), which the plan does not
/// look at. Whoever is out already, or waits for a person, stays as it is.
pub(super) fn without_epic(issues: &[IssueFacts], plan: &EpicPlan) -> Vec<Number> {
    let waits = |issue: &IssueFacts| {
        issue.has_label(NEEDS_INTERVENTION) || (issue.has_label(NEEDS_APPROVAL) && !issue.has_label(APPROVED))
    };
    let small = issues
        .iter()
        .filter(|i| i.open && i.has_label(DIRECT_DISPATCH) && i.parent.is_none() && !waits(i))
        .filter(|i| !i.labels.iter().any(|l| RepoRules::labelled_engine(l).is_some()))
        .map(|i| i.number);
    plan.direct.iter().copied().chain(small).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The repository's open epics with their checklists.
pub(super) async fn existing(
    host: &Host,
    rules: &RepoRules,
    issues: &[IssueFacts],
) -> anyhow::Result<Vec<(IssueFacts, Checklist)>> {
    let mut epics = Vec::new();
    for issue in issues.iter().filter(|i| i.has_label(AGENTIC)) {
        epics.push((issue.clone(), host.shared.forge.checklist(&rules.repo, issue.number).await?));
    }
    Ok(epics)
}

/// Tells the live table which children there are.
pub(super) async fn cast(host: &Host, repo: &RepoName) -> anyhow::Result<()> {
    let mut cast = Cast::default();
    for epic in host.shared.store.epics(repo).await? {
        for entry in host.shared.forge.checklist(repo, epic.number).await?.entries {
            let found = host.shared.book.issues(repo, &Select::Numbers(vec![entry.child])).await?;
            let title =
                found.into_iter().next().map(|issue| issue.title.into_forge_slot()).unwrap_or_default();
            cast.children.insert(entry.child, (epic.number, entry.phase, title));
        }
    }
    host.shared.watchers.surface().cast(cast);
    Ok(())
}

fn refuse_nothing(reports: &[Report]) -> anyhow::Result<()> {
    let found: usize = reports.iter().map(|r| r.findings.len()).sum();
    let open: usize = reports.iter().map(|r| r.open().count()).sum();
    match (found, open) {
        (0, _) => Err(Failure::new(
            "no findings in the report",
            "`banksman audit --file FILE --dry-run` shows what is read; findings are headings, list items or table rows",
        )),
        (_, 0) => Err(Failure::new(
            format!("all {found} findings of the report are settled already: nothing to do"),
            "`banksman audit --file FILE --dry-run` lists them with their status",
        )),
        _ => Ok(()),
    }
}

/// The inventory's entry with what the flags say on top, or a new one.
fn entry(
    args: &OnboardArgs,
    repository: &Repository,
    inventory: &Inventory,
) -> anyhow::Result<(RepoName, Entry)> {
    let known = inventory.all().find(|(_, entry)| entry.path == repository.path);
    let (repo, mut entry) = match known {
        Some((repo, entry)) => (repo, entry.clone()),
        None => {
            let entry = Entry::new(repository.path.clone(), repository.default_branch.clone());
            (free_name(repository, inventory)?, entry)
        }
    };
    entry.default_branch = args.default_branch.clone().unwrap_or_else(|| entry.default_branch.clone());
    if let Some(engine) = &args.engine {
        entry.implementers.retain(|e| e != engine);
        entry.implementers.insert(0, engine.clone());
    }
    if entry.implementers.is_empty() {
        return Err(Failure::usage(
            "which engine does the work?",
            "name one with --engine; `banksman doctor` lists them",
        ));
    }
    if !args.reviewers.is_empty() {
        entry.reviewers = args.reviewers.clone();
        entry.required_approvals = entry.required_approvals.max(1);
    }
    if !args.checks.is_empty() {
        entry.checks = Checks(args.checks.clone());
    }
    Ok((repo, entry))
}

/// The folder's name made fit, with a number behind it where another repository has it.
fn free_name(repository: &Repository, inventory: &Inventory) -> anyhow::Result<RepoName> {
    let name = super::repos::default_name(&repository.path);
    for number in 1..1000 {
        let candidate = if number == 1 { name.clone() } else { format!("{name}-{number}") };
        let repo = repo_name(&candidate)?;
        if !inventory.all().any(|(taken, _)| taken == repo) {
            return Ok(repo);
        }
    }
    Err(Failure::new(
        format!("no free name for {name} in the inventory"),
        "remove old entries with `banksman repos remove`",
    ))
}

/// The epics that would be made, with provisional numbers from 1 in the order of the issues.
pub(super) fn preview(plan: &StageOnePlan) -> anyhow::Result<EpicPlan> {
    let mut facts: Vec<IssueFacts> = Vec::new();
    for audit in &plan.audits {
        let first = facts.len();
        for issue in &audit.issues {
            facts.push(issue_facts(facts.len(), &issue.draft));
        }
        for pattern in &audit.patterns {
            let number = facts.len();
            facts.push(issue_facts(number, &pattern.draft));
            for (at, issue) in audit.issues.iter().enumerate() {
                if pattern.members.contains(&issue.draft.fingerprint) {
                    facts[first + at].blocked_by.push(Number(number as u64 + 1));
                }
            }
        }
    }
    let mut planned = plan_epics(&facts, &[])?;
    planned.direct = without_epic(&facts, &planned);
    Ok(planned)
}

fn issue_facts(index: usize, draft: &audit::IssueDraft) -> IssueFacts {
    IssueFacts {
        number: Number(index as u64 + 1),
        open: true,
        labels: draft.labels.iter().filter_map(|l| Label::new(l).ok()).collect(),
        author: ActorId(0),
        title: TitleHead::read(&draft.title),
        blocked_by: Vec::new(),
        parent: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        closed_at: None,
    }
}

fn plan_text(shown: &PlanShown<'_>) -> String {
    let mut table = Table::new(&["severity", "issue", "where", ""]);
    for audit in &shown.issues.audits {
        for pattern in &audit.patterns {
            let note = format!("blocks {} findings with the same fix", pattern.members.len());
            table.row([
                Cell::new("framework", style::BUSY),
                clean(&pattern.draft.title).into(),
                Cell::new(clean(&pattern.packages.join(", ")), style::DIM),
                Cell::new(note, style::DIM),
            ]);
        }
        for issue in &audit.issues {
            let severity = match issue.severity {
                audit::Severity::Critical | audit::Severity::High => style::BAD,
                audit::Severity::Medium => style::WARN,
                audit::Severity::Low => style::PLAIN,
            };
            let place = issue.locations.first().map(|l| clean(&l.to_string())).unwrap_or_default();
            let note = if issue.stale.is_empty() { "" } else { "stale location" };
            table.row([
                Cell::new(issue.severity.to_string(), severity),
                clean(&issue.draft.title).into(),
                Cell::new(place, style::DIM),
                Cell::new(note, style::WARN),
            ]);
        }
    }
    let mut text = table.text();
    let issues: usize = shown.issues.audits.iter().map(|a| a.issues.len() + a.patterns.len()).sum();
    text.push_str(&format!(
        "\n{} findings, {} settled already; {issues} issues, {} epics into {}\n",
        shown.findings,
        shown.settled,
        shown.epics.epics.len(),
        shown.default_branch
    ));
    for planned in &shown.epics.epics {
        let phases: Vec<String> = planned
            .epic
            .phases
            .iter()
            .map(|p| format!("phase {}: {}", p.phase.number(), p.children.len()))
            .collect();
        text.push_str(&format!("  epic {}: {}\n", planned.epic.theme, phases.join(", ")));
    }
    if !shown.epics.direct.is_empty() {
        text.push_str(&format!("  {} issues without an epic\n", shown.epics.direct.len()));
    }
    for (name, command) in shown.checks {
        let guessed = shown.guessed_from.map_or(String::new(), |file| {
            format!(" (guessed from {file}; --check NAME=COMMAND names another one)")
        });
        text.push_str(&format!("check {name}: {command}{guessed}\n"));
    }
    text.push_str(&format!(
        "cost: {} tasks for {} (reviews and fixes come on top)\n",
        shown.tasks, shown.engine
    ));
    text
}

/// Asks on the terminal; without one only `--yes` goes on.
fn confirmed(shown: &PlanShown<'_>, level: banksman_core::work::SandboxLevel) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nobody is here to say yes",
            "look at the plan with --dry-run, then pass --yes",
        ));
    }
    let mut out = anstream::stderr();
    write!(
        out,
        "Hand out {} tasks to {} (sandbox: {})? [y/N] ",
        shown.tasks,
        shown.engine,
        crate::surface::sandbox_words(level)
    )?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Whether the run ended because somebody has to do something.
fn waiting(ended: &Ended) -> bool {
    matches!(ended, Ended::Settled(outlooks) if outlooks.iter().any(|o| matches!(o, Outlook::NeedsPeople(_))))
}

/// The summary for people.
pub(super) fn summary_text(summary: &Summary, ended: &Ended) -> String {
    let mut text = String::new();
    let head = match ended {
        Ended::Interrupted => "Interrupted. The same command goes on where it was.".to_owned(),
        Ended::Settled(outlooks) if outlooks.iter().all(|o| *o == Outlook::Done) => "Done.".to_owned(),
        Ended::Settled(outlooks) if outlooks.iter().any(|o| matches!(o, Outlook::OverCap(_))) => {
            "The cap of tasks is reached. The same command goes on when its window has moved on.".to_owned()
        }
        Ended::Settled(_) => "Nothing moves any more without a person.".to_owned(),
    };
    let numbers = |list: &[Number]| list.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" ");
    text.push_str(&format!("\n{head}\n"));
    let merged: Vec<String> = summary
        .merged
        .iter()
        .map(|d| d.pull.map_or(format!("#{}", d.child), |pull| format!("#{} (by #{pull})", d.child)))
        .collect();
    text.push_str(&format!(
        "  merged          {}\n",
        if merged.is_empty() { "nothing".into() } else { merged.join(", ") }
    ));
    if !summary.epics_merged.is_empty() {
        text.push_str(&format!("  epics closed    {}\n", numbers(&summary.epics_merged)));
    }
    match summary.needs_people.as_slice() {
        // Nobody was called, and yet it waits: for a review, say, or for an issue's author to be allowed.
        [] if waiting(ended) => {
            text.push_str("  needs a person  see `banksman epic status` and `banksman forge pull list`\n");
        }
        [] => text.push_str("  needs a person  nothing\n"),
        some => {
            for needs in some {
                text.push_str(&format!("  needs a person  #{}: {}\n", needs.number, needs.why));
            }
        }
    }
    text.push_str(&format!(
        "  cycles          {} review requests, {} conflict requests, {} red heads\n",
        summary.review_requests, summary.conflict_requests, summary.red_heads
    ));
    text.push_str(&format!(
        "  attempts        {}, {} of them failed; {} tokens, ${:.2}\n",
        summary.attempts, summary.failed_attempts, summary.tokens, summary.cost_usd
    ));
    text.push_str(&format!("  hours           {:.2}\n", summary.hours));
    text.push_str(&format!("  repository      {}\n", summary.path.display()));
    text.push_str(&format!("  journals        {}\n", summary.journals.display()));
    text
}

//! `onboard`: a repository and its reports, from findings to merged pull requests. Shows the plan with its cost, asks, runs; can be
//! interrupted anywhere and run again.

mod github;
mod plan;
mod summary;

pub(super) use plan::{preview, without_epic};
pub(super) use summary::summary_text;

use super::{
    audit::{create, read_report},
    target::{Implementer, Target},
};
use crate::{
    app::App,
    home::{Checks, Entry, Home, Inventory, repo_name, short},
    host::{Ended, Host, Hosted, Repository, block_on, guess_check},
    output::{Exit, Failure, Form},
    surface::{Cast, Surface},
};
use anyhow::Context as _;
use banksman_core::{
    audit::{self, Report, StageOnePlan},
    epic::{Checklist, plan_epics},
    intent::AGENTIC,
    port::{Book as _, Forge as _, IssueQuery, Store as _, book::Select},
    repo::RepoRules,
    signals::IssueFacts,
    text::{BranchName, CheckName, EngineName, RepoName},
    work::SandboxLevel,
};
use banksman_orchestrator::{Outlook, Until};
use clap::Args;
use plan::{PlanShown, plan_text};
use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

/// Take a repository from its audit reports to merged pull requests.
#[derive(Debug, Args)]
#[command(
    after_help = "A repository on GitHub needs a token (`banksman doctor` says which rights are missing). With a hosted agent \
the command ends after the first dispatch, and `banksman monitor` carries on; with an engine of this host it goes on until nothing \
moves any more."
)]
pub(crate) struct OnboardArgs {
    /// The folder of a git repository, or OWNER/NAME of one on GitHub.
    #[arg(value_name = "PATH|OWNER/NAME")]
    repo: Target,
    /// An audit report; may be given several times [default on GitHub: the open issues with the label `audit`].
    #[arg(long = "audit", value_name = "FILE")]
    audits: Vec<PathBuf>,
    /// The engine that does the work (see `banksman doctor`).
    #[arg(long, value_name = "NAME")]
    engine: Option<EngineName>,
    /// Who does the work: an engine, or a hosted agent (jules, copilot, or NAME:LABEL:LOGIN of another one).
    #[arg(long, value_name = "NAME", conflicts_with = "engine")]
    implementer: Option<Implementer>,
    /// An engine that reviews every pull request; one approval is then required.
    #[arg(long = "reviewer", value_name = "NAME")]
    reviewers: Vec<EngineName>,
    /// A check that has to pass before a merge, as NAME=COMMAND, run by sh in a fresh checkout [default: guessed from the files at the
    /// top of the repository, and shown with the plan]. On GitHub its own checks count; there it is run before a resolved conflict is
    /// pushed.
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

pub(super) fn run(args: &OnboardArgs, app: &App) -> anyhow::Result<Exit> {
    match &args.repo {
        Target::Folder(folder) => in_folder(args, folder, app),
        Target::Github(name) => github::run(args, name, app),
    }
}

fn reports(args: &OnboardArgs) -> anyhow::Result<Vec<Report>> {
    args.audits.iter().map(|file| read_report(file)).collect()
}

fn in_folder(args: &OnboardArgs, folder: &Path, app: &App) -> anyhow::Result<Exit> {
    if args.audits.is_empty() {
        return Err(Failure::usage(
            "which findings are to be worked on?",
            "give a report with --audit FILE; `banksman audit --file FILE --dry-run` shows what is read in one",
        ));
    }
    let repository = Repository::inspect(folder, args.default_branch.as_ref())?;
    let reports = reports(args)?;
    refuse_nothing(&reports)?;
    let config = app.config()?;
    let mut settings = config.settings.clone();
    settings.daily_tasks = args.max_tasks.or(settings.daily_tasks);
    let mut inventory = Inventory::read(&Home::at(&settings.home).inventory())?;
    let (repo, mut entry) = entry(&repository, &inventory)?;
    apply(args, &mut entry)?;
    let rules = entry.rules(&repo, &settings)?;
    let paths = repository.paths()?;
    let guess = if entry.checks.0.is_empty() { guess_check(&paths) } else { None };
    entry.checks.0.extend(guess.iter().map(|guess| guess.check.clone()));
    let plan = audit::plan(&reports, &|path| paths.contains(path.trim_end_matches('/')));
    let preview = preview(&plan)?;
    let shown = PlanShown::new(&rules, &entry, &reports, &plan, &preview, guess.map(|guess| guess.from));
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
        carry_out(&host, &rules, &reports, &plan, app).await
    })
}

/// Makes issues and epics, runs until nothing moves, sums up. What is there already is left alone.
pub(super) async fn carry_out(
    host: &Host,
    rules: &RepoRules,
    reports: &[Report],
    plan: &StageOnePlan,
    app: &App,
) -> anyhow::Result<Exit> {
    let ended = pipeline(host, rules, reports, plan).await;
    host.shared.watchers.surface().finish();
    let ended = ended?;
    let summaries = host.summaries().await?;
    for summary in &summaries {
        app.page.write(summary, |s| summary_text(s, &ended))?;
    }
    Ok(match ended {
        Ended::HandedOut => Exit::Success,
        Ended::Settled(outlooks) if outlooks.iter().all(|o| *o == Outlook::Done) => Exit::Success,
        Ended::Settled(_) | Ended::Interrupted => Exit::Failed,
    })
}

async fn pipeline(
    host: &Host,
    rules: &RepoRules,
    reports: &[Report],
    plan: &StageOnePlan,
) -> anyhow::Result<Ended> {
    let orchestrator = host.orchestrator()?;
    create(host, rules, reports, plan).await?;
    let forge = &host.shared.forge;
    let issues = forge.issues(&rules.repo, &IssueQuery::Open).await?;
    let epics = plan_epics(&issues, &existing(host, rules, &issues).await?)?;
    orchestrator.create_epics(rules, &epics).await.context("cannot make the epics")?;
    let direct = without_epic(&issues, &epics);
    if !direct.is_empty() {
        orchestrator.dispatch_direct(rules, &direct).await.context("cannot hand out the issues")?;
    }
    cast(host, &rules.repo).await?;
    if rules.is_hosted(&rules.implementer) {
        // Its answers take hours: whoever watches the repository carries on.
        host.settle_now().await?;
        return Ok(Ended::HandedOut);
    }
    host.run(Until::Settled).await
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

/// The inventory's entry of a folder, or a new one.
fn entry(repository: &Repository, inventory: &Inventory) -> anyhow::Result<(RepoName, Entry)> {
    let known = inventory.all().find(|(_, entry)| entry.folder() == Some(&repository.path));
    Ok(match known {
        Some((repo, entry)) => (repo, entry.clone()),
        None => {
            let entry = Entry::new(repository.path.clone(), repository.default_branch.clone());
            (free_name(repository, inventory)?, entry)
        }
    })
}

/// Puts what the flags say on top of an entry.
fn apply(args: &OnboardArgs, entry: &mut Entry) -> anyhow::Result<()> {
    entry.default_branch = args.default_branch.clone().unwrap_or_else(|| entry.default_branch.clone());
    let named = args.implementer.clone().or_else(|| args.engine.clone().map(Implementer::Engine));
    if let Some(implementer) = named {
        implementer.put_first(entry);
    }
    if entry.implementers.is_empty() && entry.hosted.0.is_empty() {
        return Err(Failure::usage(
            "who does the work?",
            "name an engine with --engine (`banksman doctor` lists them), or a hosted agent with --implementer",
        ));
    }
    if !args.reviewers.is_empty() {
        entry.reviewers = args.reviewers.clone();
        entry.required_approvals = entry.required_approvals.max(1);
    }
    if !args.checks.is_empty() {
        entry.checks = Checks(args.checks.clone());
    }
    Ok(())
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

/// Asks on the terminal; without one only `--yes` goes on.
fn confirmed(shown: &PlanShown<'_>, level: Option<SandboxLevel>) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nobody is here to say yes",
            "look at the plan with --dry-run, then pass --yes",
        ));
    }
    let mut out = anstream::stderr();
    let place = match level {
        Some(level) => format!("sandbox: {}", crate::surface::sandbox_words(level)),
        None => "hosted elsewhere".to_owned(),
    };
    write!(out, "Hand out {} tasks to {} ({place})? [y/N] ", shown.tasks, shown.engine)?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

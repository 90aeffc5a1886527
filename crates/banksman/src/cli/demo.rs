//! `demo`: the main job on a small repository with a scripted agent, watched live. And `demo-agent`, the agent itself.

use super::onboard::{carry_out, preview};
use crate::{
    app::App,
    config::Settings,
    demo,
    home::{Checks, Entry, Inventory, repo_name, short},
    host::{Host, Hosted, Repository, block_on},
    output::{Exit, Failure, Form},
    surface::Surface,
};
use anyhow::Context as _;
use banksman_core::{audit, work::SandboxLevel};
use banksman_engine::SandboxPolicy;
use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;
use std::path::PathBuf;

/// Watch the whole way once: a report becomes issues, an epic, pull requests, merges; on a small repository with a scripted agent.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder for the demo's repository and home: new or empty, and kept [default: a new folder for temporary files].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Play the scripted agent of the demo (run by `demo` in the sandbox).
#[derive(Debug, Args)]
pub(crate) struct DemoAgentArgs {
    /// The kind of the task.
    #[arg(long, env = "BANKSMAN_TASK", value_name = "WORD")]
    task: String,
    /// The material of the task.
    #[arg(long, value_name = "FILE")]
    task_file: PathBuf,
    /// Where a verdict goes.
    #[arg(long, value_name = "DIR")]
    task_dir: PathBuf,
}

/// What was made and found, for scripts.
#[derive(Serialize)]
struct DemoShown {
    folder: PathBuf,
    repository: PathBuf,
    report: PathBuf,
    sandbox: SandboxLevel,
}

pub(super) fn run_agent(args: &DemoAgentArgs) -> anyhow::Result<Exit> {
    let root = std::env::current_dir().context("cannot find the clone")?;
    demo::act(&root, &args.task, &args.task_file, &args.task_dir)?;
    Ok(Exit::Success)
}

pub(super) fn run(args: &DemoArgs, app: &App) -> anyhow::Result<Exit> {
    let folder = folder(args)?;
    let made = demo::make(&folder)?;
    let repository = Repository::inspect(&made.repository, None)?;
    let text =
        std::fs::read(&made.report).with_context(|| format!("cannot read {}", made.report.display()))?;
    let report = audit::parse(&text, "AUDIT.md")?;
    let paths = repository.paths()?;
    let plan = audit::plan(&[report], &|path| paths.contains(path));

    let repo = repo_name("shop")?;
    let mut entry = Entry::new(repository.path.clone(), repository.default_branch.clone());
    entry.implementers = vec![demo::implementer()];
    entry.reviewers = vec![demo::reviewer()];
    entry.checks = Checks(demo::checks());
    entry.required_approvals = demo::REQUIRED_APPROVALS;
    let rules = demo::rules(repo.clone());
    // Later commands on this home see the short limits too.
    entry.attempts = Some(rules.attempts);
    entry.policy.response_time = Some(rules.limits.response_time);
    entry.policy.red_checks = Some(rules.limits.red_checks);
    let mut settings = Settings::built_in(folder.join("home"));
    settings.check_timeout = SignedDuration::from_mins(1);
    let program = std::env::current_exe().context("cannot find this program")?;

    let exit = block_on(async {
        let hosted = vec![Hosted { repo: repo.clone(), entry: entry.clone(), rules: rules.clone() }];
        let surface = Surface::fitting(&app.page);
        // The agent is our own code, so the best level that the host offers will do, even none.
        let host = Host::open(
            &settings,
            SandboxPolicy::BestEffort,
            hosted,
            demo::engines(&program),
            surface.clone(),
        )
        .await?;
        let sandbox = host.check_engines().await?.unwrap_or(SandboxLevel::Off);
        let _lock = host.recover().await?;
        Inventory::read(&host.home.inventory())?.put(short(&repo), entry.clone())?;
        let shown = DemoShown {
            folder: folder.clone(),
            repository: made.repository.clone(),
            report: made.report.clone(),
            sandbox,
        };
        if app.page.form == Form::Text {
            surface.note(&format!(
                "demo in {}: a repository (shop), a report on it ({} findings), a scripted agent; sandbox: {}",
                folder.display(),
                plan.audits.iter().map(|a| a.issues.len() + a.closed.len()).sum::<usize>(),
                crate::surface::sandbox_words(sandbox),
            ));
            let epics = preview(&plan)?;
            surface.note(&format!("{} issues will be handed out, one task each\n", epics.children()));
        } else {
            app.page.write(&shown, |_| String::new())?;
        }
        carry_out(&host, &rules, &[], &plan, app).await
    })?;
    check_story(&made.repository)?;
    app.page.say(&format!(
        "  report          {}\n\nSee what it made:\n  git -C {} log --graph --oneline\n  banksman --home {} forge pull list --state all\n\
         On your own repository:\n  banksman onboard PATH --audit REPORT.md --engine claude --check test='make test'",
        made.report.display(),
        made.repository.display(),
        settings.home.display(),
    ))?;
    Ok(exit)
}

/// What the summary says has to be in the repository, or the demo has failed.
fn check_story(repository: &std::path::Path) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let found = demo::verify(&repository.join(".git"), scratch.path(), &demo::Expected::story())?;
    if found.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(Failure::new(
        format!("the repository is not what the story says: {}", list.join("; ")),
        "this is a fault of Banksman: please report it with the folder of the demo",
    ))
}

fn folder(args: &DemoArgs) -> anyhow::Result<PathBuf> {
    match &args.dir {
        Some(dir) => std::path::absolute(dir).with_context(|| format!("cannot use {}", dir.display())),
        None => {
            let dir = tempfile::Builder::new()
                .prefix("banksman-demo-")
                .tempdir()
                .context("cannot make a temporary folder")?;
            Ok(dir.keep())
        }
    }
}

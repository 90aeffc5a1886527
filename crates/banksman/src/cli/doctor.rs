//! `doctor`: what this host can do, what it cannot, and what to do about it. Changes nothing.

use crate::{
    app::App,
    config::{Presence, SandboxMode, Settings, webhook_secret},
    home::{Entry, Home, Inventory, Place, running_pid, short},
    host::{Access, Explained, TokenFacts, block_on, examine, explain},
    output::{Cell, Exit, Table, clean, span_words, style},
};
use anyhow::Context;
use banksman_core::{
    port::{Forge as _, ForgeError, Refusal},
    text::RepoName,
    work::SandboxLevel,
};
use banksman_engine::{Diagnosis, EngineHost, EngineHostConfig, Found, HostError, Offered, SandboxPolicy};
use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;
use std::path::Path;

/// How far the clocks may be apart without anybody being told.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Show what this host can do, and what to do about what it cannot.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {}

/// How a part of the host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    /// As it should be.
    Good,
    /// Works, with something to know.
    Note,
    /// Something cannot be done.
    Bad,
}

/// One line of the examination.
#[derive(Debug, Serialize)]
struct Finding {
    part: String,
    health: Health,
    what: String,
    remedy: Option<String>,
}

#[derive(Serialize)]
struct Document {
    healthy: bool,
    level: Option<SandboxLevel>,
    findings: Vec<Finding>,
    diagnosis: Option<Diagnosis>,
}

pub(super) fn run(_: &DoctorArgs, app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let mut findings = Vec::new();
    for (path, presence) in &config.files {
        if *presence == Presence::Read {
            findings.push(good("configuration", path.display().to_string()));
        }
    }
    let diagnosis = diagnose(&config.settings, app, &mut findings)?;
    if let Some(diagnosis) = &diagnosis {
        sandbox(diagnosis, config.settings.sandbox, &mut findings);
        engines(diagnosis, &mut findings);
    }
    home(&config.settings.home, &mut findings);
    repositories(&config.settings, &mut findings);
    let healthy = findings.iter().all(|f| f.health != Health::Bad);
    let level = diagnosis.as_ref().and_then(|d| d.level);
    let document = Document { healthy, level, findings, diagnosis };
    app.page.write(&document, text)?;
    Ok(if healthy { Exit::Success } else { Exit::Failed })
}

fn text(document: &Document) -> String {
    let mut table = Table::new(&[]);
    for finding in &document.findings {
        let (mark, style) = match finding.health {
            Health::Good => ("ok", style::GOOD),
            Health::Note => ("note", style::WARN),
            Health::Bad => ("BAD", style::BAD),
        };
        table.row([Cell::new(mark, style), finding.part.clone().into(), clean(&finding.what).into()]);
        if let Some(remedy) = &finding.remedy {
            table.row(["".into(), "".into(), Cell::new(clean(remedy), style::DIM)]);
        }
    }
    table.text()
}

/// Starts git, the sandbox and each engine once, in a folder that is gone afterwards.
fn diagnose(
    settings: &Settings,
    app: &App,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<Option<Diagnosis>> {
    let folder = std::env::temp_dir().join(format!("banksman-doctor-{}", std::process::id()));
    let mut config = EngineHostConfig::new(folder.clone(), app.os_environment(), crate::clock::now);
    config.engines = settings.engine_definitions()?;
    config.sandbox = match settings.sandbox {
        SandboxMode::Auto => SandboxPolicy::Auto,
        SandboxMode::Off => SandboxPolicy::Off,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let diagnosis = runtime.block_on(async {
        match EngineHost::new(config).await {
            Ok(host) => Ok(Some(host.diagnose().await)),
            Err(error @ (HostError::NoGit | HostError::OldGit(_) | HostError::NoPath(_))) => {
                findings.push(bad("host", error.to_string(), None));
                Ok(None)
            }
            Err(error) => Err(error).context("cannot look at this host"),
        }
    });
    drop(std::fs::remove_dir_all(folder));
    let diagnosis = diagnosis?;
    if let Some(Found::There { path, version }) = diagnosis.as_ref().map(|d| &d.git) {
        let version = version.as_deref().unwrap_or("git");
        findings.push(good("git", format!("{version} ({})", path.display())));
    }
    Ok(diagnosis)
}

fn sandbox(diagnosis: &Diagnosis, mode: SandboxMode, findings: &mut Vec<Finding>) {
    findings.push(match (&diagnosis.sandbox, mode) {
        (_, SandboxMode::Off) => Finding {
            part: "sandbox".to_owned(),
            health: Health::Note,
            what: "level 0: engines run WITHOUT a sandbox, by the host's configuration".to_owned(),
            remedy: Some("take `sandbox = \"off\"` out of the configuration to have one".to_owned()),
        },
        (Offered::Bubblewrap { version, .. }, SandboxMode::Auto) => {
            good("sandbox", format!("level 2: {version}"))
        }
        (Offered::None { why }, SandboxMode::Auto) => bad(
            "sandbox",
            "no engine can run: this host offers no sandbox".to_owned(),
            Some((*why).to_owned()),
        ),
    });
}

fn engines(diagnosis: &Diagnosis, findings: &mut Vec<Finding>) {
    for engine in &diagnosis.engines {
        let part = format!("engine {}", engine.name);
        let network = if bool::from(engine.network) { ", has the host's network" } else { "" };
        findings.push(match &engine.program {
            Found::There { path, version } => {
                let version = version.as_deref().unwrap_or("of unknown version");
                good(&part, format!("{version} ({}){network}", path.display()))
            }
            // An engine that nobody uses may be missing.
            Found::Missing { name } => {
                note(&part, format!("not installed: no program {} in PATH", name.display()))
            }
            Found::Unconfigured { key } => {
                note(&part, format!("needs [engines.{}] {key} = \"...\" in the configuration", engine.name))
            }
        });
    }
}

fn home(folder: &Path, findings: &mut Vec<Finding>) {
    let home = Home::at(folder);
    if !home.exists() {
        findings.push(good("home", format!("{} (not there yet)", folder.display())));
        return;
    }
    let writable = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
    findings.push(if writable {
        good("home", folder.display().to_string())
    } else {
        let what = format!("{} cannot be written to", folder.display());
        bad("home", what, Some("give it to your user, or choose another one with --home DIR".to_owned()))
    });
    if let Ok(disk) = rustix::fs::statvfs(folder) {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
        let what = format!("{free} MiB free");
        findings.push(if free < 1024 {
            bad("disk", what, Some("attempts start only with 256 MiB free".to_owned()))
        } else {
            good("disk", what)
        });
    }
    if let Some(pid) = running_pid(folder) {
        findings.push(note("loops", format!("process {pid} runs them in this home")));
    }
}

fn repositories(settings: &Settings, findings: &mut Vec<Finding>) {
    let inventory = match Inventory::read(&Home::at(&settings.home).inventory()) {
        Ok(inventory) => inventory,
        Err(error) => return findings.push(bad("repos.toml", format!("{error:#}"), None)),
    };
    let mut on_github = Vec::new();
    for (name, entry) in inventory.all() {
        match entry.place() {
            Place::Folder(folder) => findings.push(in_folder(short(&name), folder, entry)),
            Place::Github(_) => on_github.push(name),
        }
    }
    if !on_github.is_empty() || says_anything_of_github(settings) {
        github(settings, &inventory, &on_github, findings);
    }
}

fn in_folder(name: &str, folder: &Path, entry: &Entry) -> Finding {
    let part = format!("repo {name}");
    if !(folder.join(".git").exists() || folder.join("HEAD").exists()) {
        let remedy = format!("`banksman repos edit {name} --path DIR`, or `banksman repos remove {name}`");
        bad(&part, format!("{} is no git repository any more", folder.display()), Some(remedy))
    } else if entry.checks.0.is_empty() {
        let remedy = format!("`banksman repos edit {name} --check 'test=make test'`");
        let what = format!("{} has no checks, so nothing is ever merged", folder.display());
        Finding { part, health: Health::Note, what, remedy: Some(remedy) }
    } else {
        good(&part, folder.display().to_string())
    }
}

/// Whether the configuration has anything that proves who asks.
fn says_anything_of_github(settings: &Settings) -> bool {
    let keys = &settings.github;
    keys.token.is_some() || keys.token_file.is_some() || keys.token_command.is_some() || keys.app_id.is_some()
}

/// The token, its rights, the clock, and each repository there.
fn github(settings: &Settings, inventory: &Inventory, repos: &[RepoName], findings: &mut Vec<Finding>) {
    findings.push(match webhook_secret(settings) {
        Ok(Some(_)) => good("webhooks", "their signature is checked with the configured secret".to_owned()),
        Ok(None) => note_of(
            "webhooks",
            "no secret is configured: repositories are looked at on a schedule only".to_owned(),
            "set github.webhook_secret_file to a file of mode 600, and point a webhook at `banksman serve`",
        ),
        Err(error) => bad("webhooks", format!("{error:#}"), None),
    });
    let access = match Access::new(settings) {
        Ok(access) => access,
        Err(error) => {
            let remedy = "export GITHUB_TOKEN=..., or see `banksman config show`: github.*".to_owned();
            return findings.push(bad("github", format!("{error:#}"), Some(remedy)));
        }
    };
    let checked = block_on(async {
        let token = examine(access.wire()).await;
        let forge = access.forge_of(inventory);
        let mut looks = Vec::with_capacity(repos.len());
        for repo in repos {
            looks.push((repo, forge.repo(repo).await));
        }
        Ok((token, looks))
    });
    let Ok((token, looks)) = checked else { return };
    match token {
        Ok(token) => findings.extend(of_token(settings, &token)),
        Err(error) => {
            let Explained { what, help } = explain(None, &error);
            // A token that is only lying about troubles nobody.
            let health = if repos.is_empty() { Health::Note } else { Health::Bad };
            findings.push(Finding { part: "github".to_owned(), health, what, remedy: Some(help.to_owned()) });
        }
    }
    for (repo, looked) in looks {
        let part = format!("repo {repo}");
        findings.push(match looked {
            Ok(facts) => good(&part, format!("on GitHub, default branch {}", facts.default_branch)),
            Err(error) => {
                let Explained { what, help } = explain(Some(repo), &error);
                bad(&part, what, Some(help.to_owned()))
            }
        });
    }
}

/// Whom the token stands for, what it lacks, and how the clocks go together.
fn of_token(settings: &Settings, token: &TokenFacts) -> Vec<Finding> {
    let api = settings.github.api_url.as_deref().unwrap_or("api.github.com");
    let who = token.login.as_ref().map_or("a GitHub App".to_owned(), ToString::to_string);
    let what = format!("{api}, as {who}");
    let right = match (token.missing, token.note) {
        (Some(missing), _) => {
            let Explained { what, help } = explain(None, &ForgeError::Refused(Refusal::NoScope(missing)));
            bad("github", what, Some(help.to_owned()))
        }
        (None, Some(note)) => note_of("github", what, note),
        (None, None) => good("github", what),
    };
    let ahead = token.ahead.abs();
    let clock = if ahead > SKEW {
        let what = format!("GitHub's clock and this host's differ by {}", span_words(ahead));
        note_of("clock", what, "let the host's clock follow a time server (timedatectl set-ntp true)")
    } else {
        good("clock", "goes as GitHub's does".to_owned())
    };
    vec![right, clock]
}

fn note_of(part: &str, what: String, remedy: &str) -> Finding {
    Finding { part: part.to_owned(), health: Health::Note, what, remedy: Some(remedy.to_owned()) }
}

fn good(part: &str, what: String) -> Finding {
    Finding { part: part.to_owned(), health: Health::Good, what, remedy: None }
}

fn note(part: &str, what: String) -> Finding {
    Finding { part: part.to_owned(), health: Health::Note, what, remedy: None }
}

fn bad(part: &str, what: String, remedy: Option<String>) -> Finding {
    Finding { part: part.to_owned(), health: Health::Bad, what, remedy }
}

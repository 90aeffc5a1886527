//! `doctor`: what this host can do, what it cannot, and what to do about it. Changes nothing.

use crate::{
    app::App,
    config::{Presence, SandboxMode, Settings},
    home::{Home, Inventory, running_pid, short},
    output::{Cell, Exit, Table, clean, style},
};
use anyhow::Context;
use banksman_core::work::SandboxLevel;
use banksman_engine::{Diagnosis, EngineHost, EngineHostConfig, Found, HostError, Offered, SandboxPolicy};
use clap::Args;
use serde::Serialize;
use std::path::Path;

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
    repositories(&config.settings.home, &mut findings);
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

fn repositories(folder: &Path, findings: &mut Vec<Finding>) {
    let inventory = match Inventory::read(&Home::at(folder).inventory()) {
        Ok(inventory) => inventory,
        Err(error) => return findings.push(bad("repos.toml", format!("{error:#}"), None)),
    };
    for (name, entry) in inventory.all() {
        let part = format!("repo {}", short(&name));
        let there = entry.path.join(".git").exists() || entry.path.join("HEAD").exists();
        findings.push(if !there {
            let remedy =
                format!("`banksman repos edit {0} --path DIR`, or `banksman repos remove {0}`", short(&name));
            bad(&part, format!("{} is no git repository any more", entry.path.display()), Some(remedy))
        } else if entry.checks.0.is_empty() {
            let remedy = format!("`banksman repos edit {} --check 'test=make test'`", short(&name));
            let what = format!("{} has no checks, so nothing is ever merged", entry.path.display());
            Finding { part, health: Health::Note, what, remedy: Some(remedy) }
        } else {
            good(&part, entry.path.display().to_string())
        });
    }
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

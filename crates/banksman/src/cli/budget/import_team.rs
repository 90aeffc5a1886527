//! `budget import-team`: makes a `team.toml` of the older `team.yaml` (B2).

use crate::{
    app::App,
    home::{Home, team_file},
    output::{Exit, Failure},
};
use banksman_core::budget::team::{Imported, Mistake, from_yaml};
use clap::Args;
use serde::Serialize;
use std::{fs::OpenOptions, io::Write as _, path::PathBuf};

/// Make a team.toml of an older team.yaml.
#[derive(Debug, Args)]
pub(super) struct ImportTeamArgs {
    /// The older file.
    file: PathBuf,
    /// Show what it would be and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Put it in the place of a team.toml that is there already; the old one stays beside it as team.toml.old.
    #[arg(long)]
    replace: bool,
}

/// What was imported, for scripts.
#[derive(Serialize)]
struct Shown {
    members: usize,
    quotas: usize,
    left_out: Vec<(usize, String)>,
    file: Option<PathBuf>,
    toml: String,
}

pub(super) fn run(args: &ImportTeamArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let shown = args.file.display();
    let text = std::fs::read_to_string(&args.file).map_err(|error| {
        Failure::new(format!("{shown}: {error}"), "name the team.yaml; nothing was written")
    })?;
    let Imported { team, toml, left_out } = from_yaml(&text).map_err(|error| {
        let told: Vec<String> = error.0.iter().map(|mistake| line(&shown.to_string(), mistake)).collect();
        Failure::new(
            told.join("\n"),
            "nothing was written: mend the file, or write a team.toml (`banksman budget --help`)",
        )
    })?;
    let home = Home::at(&settings.home);
    let file = team_file(home.folder());
    if !args.dry_run {
        home.make()?;
        write(&file, &toml, args)?;
    }
    let told = Shown {
        members: team.members.len(),
        quotas: team.quotas.len(),
        left_out: left_out.into_iter().map(|mistake| (mistake.line, mistake.what)).collect(),
        file: (!args.dry_run).then_some(file),
        toml,
    };
    app.page.write(&told, |told| {
        let mut out = String::new();
        for (line, what) in &told.left_out {
            out.push_str(&format!("note: {shown}:{line}: {what}\n"));
        }
        match &told.file {
            Some(file) => {
                out.push_str(&format!(
                    "{} members and {} quotas in {}\n",
                    told.members,
                    told.quotas,
                    file.display()
                ));
            }
            None => out.push_str(&told.toml),
        }
        out
    })?;
    Ok(Exit::Success)
}

fn line(file: &str, mistake: &Mistake) -> String {
    match mistake.line {
        0 => format!("{file}: {}", mistake.what),
        line => format!("{file}:{line}: {}", mistake.what),
    }
}

fn write(file: &PathBuf, toml: &str, args: &ImportTeamArgs) -> anyhow::Result<()> {
    if args.replace && file.exists() {
        std::fs::rename(file, file.with_extension("toml.old"))?;
    }
    let mut made = OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| {
        let help = "--replace puts the new one in its place and keeps the old one as team.toml.old";
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::new(format!("there is a {} already", file.display()), help)
            }
            _ => Failure::new(format!("cannot write {}: {error}", file.display()), ""),
        }
    })?;
    made.write_all(toml.as_bytes())?;
    Ok(())
}

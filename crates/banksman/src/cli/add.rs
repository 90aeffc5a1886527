//! `add`: puts jobs into the queue, all or none.

use crate::{
    app::App,
    clock::now,
    home::Home,
    host::{block_on, open_store, person},
    output::{Exit, Failure},
    queue::{Folders, Prepared, prepare, read},
};
use anstream::eprintln;
use banksman_core::{
    id::JobId,
    manifest::{self, Manifest},
    port::{AddError, Added, Queue as _},
    text::JobName,
};
use clap::Args;
use serde::Serialize;
use std::{io::Read as _, path::PathBuf};

/// Add jobs to the queue: Markdown files with a manifest in front.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Files; `-` reads one job from standard input.
    #[arg(required_unless_present = "body")]
    files: Vec<PathBuf>,
    /// Instructions instead of a file.
    #[arg(short = 'm', long, value_name = "TEXT", conflicts_with = "files")]
    body: Option<String>,
    /// A key of the manifest for all of them, over what the files say (`--set priority=high`).
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// A job that was added, for scripts.
#[derive(Serialize)]
struct Shown {
    job: u64,
    name: String,
    added: &'static str,
    file: Option<PathBuf>,
}

pub(super) fn run(args: &AddArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let over = overrides(&args.set)?;
    let cwd = std::env::current_dir()?;
    let now = now();
    let mut jobs: Vec<Prepared> = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for (place, name, text) in texts(args)? {
        match prepare(text, &place, &over, name, &cwd, &settings, now) {
            Ok(prepared) => jobs.push(prepared),
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        return Err(Failure::new(errors.join("\n"), "nothing was added; mend this and run it again"));
    }
    block_on(async {
        let home = Home::at(&settings.home);
        let store = open_store(&settings, &home).await?;
        let folders = Folders::of(&home);
        folders.make()?;
        let (jobs, texts): (Vec<_>, Vec<_>) = jobs.into_iter().map(|p| (p.job, p.text)).unzip();
        let names: Vec<JobName> = jobs.iter().map(|job| job.name.clone()).collect();
        let added = store.add(jobs, &person(), now).await.map_err(refused)?;
        let mut shown = Vec::new();
        for ((added, name), text) in added.into_iter().zip(names).zip(texts) {
            let (word, file) = match added {
                Added::New(id) => ("new", folder_of(folders.place(id, &name, &text), id)),
                Added::Exists(_) => ("exists", None),
            };
            shown.push(Shown { job: added.id().0, name: name.to_string(), added: word, file });
        }
        app.page.write(&shown, |shown| shown.iter().map(line).collect())?;
        Ok(Exit::Success)
    })
}

/// A job is in the queue once the store has it: to say that adding failed because its file could not be written would have it added
/// again.
pub(super) fn folder_of(placed: anyhow::Result<PathBuf>, job: JobId) -> Option<PathBuf> {
    placed
        .inspect_err(|error| {
            eprintln!("warning: job {job} is in the queue, but its file is not in the folder: {error:#}");
        })
        .ok()
}

fn line(job: &Shown) -> String {
    match job.added {
        "new" => format!("job {} {}: in the inbox\n", job.job, job.name),
        _ => format!("job {} {}: there already, with the same idempotency key\n", job.job, job.name),
    }
}

/// Why nothing was added.
pub(super) fn refused(error: AddError) -> anyhow::Error {
    match error {
        AddError::Store(error) => error.into(),
        error => Failure::new(
            format!("nothing was added: {error}"),
            "`banksman status` lists the jobs; `depends-on` takes their numbers or idempotency keys",
        ),
    }
}

/// Where each text comes from, its job's name, and the text.
fn texts(args: &AddArgs) -> anyhow::Result<Vec<(String, JobName, String)>> {
    if let Some(body) = &args.body {
        let first = body.lines().next().unwrap_or_default();
        return Ok(vec![("--body".to_owned(), JobName::from_title(first), body.clone())]);
    }
    let mut all = Vec::new();
    for file in &args.files {
        let shown = file.display().to_string();
        if shown == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            all.push(("-".to_owned(), JobName::from_title("job"), text));
            continue;
        }
        let text = read(file).map_err(|error| {
            Failure::new(format!("{shown}: {error}"), "name Markdown files; nothing was added")
        })?;
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        all.push((shown, JobName::from_title(&stem), text));
    }
    Ok(all)
}

/// The keys of `--set` as a manifest.
fn overrides(set: &[String]) -> anyhow::Result<Manifest> {
    let mut front = String::from("---\n");
    for pair in set {
        let Some((key, value)) = pair.split_once('=').filter(|_| !pair.contains('\n')) else {
            return Err(Failure::usage(format!("`--set {pair}` has no `=`"), "write --set KEY=VALUE"));
        };
        front.push_str(&format!("{}: {}\n", key.trim(), value.trim()));
    }
    front.push_str("---\n");
    let (manifest, _) = manifest::parse(&front).map_err(|errors| {
        let errors: Vec<String> = errors.problems().iter().map(|p| format!("--set: {}", p.message)).collect();
        Failure::usage(errors.join("\n"), "the keys are those of a manifest")
    })?;
    Ok(manifest)
}

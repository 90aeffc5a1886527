//! `training export`: a data set as a folder: tables, data card, Croissant metadata (D11). It appears whole or not at all.

use crate::{
    app::App,
    config::Settings,
    home::Home,
    host::block_on,
    output::{Exit, Failure, Table, amount, clean},
};
use anyhow::Context as _;
use banksman_core::training::RepoTag;
use banksman_learn::{
    Export, Flows, Summary, Survey,
    clean::{Ids, Salt},
    describe::{card, croissant, markdown},
    write::Format,
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Write what is recorded as a data set: tables, data card and Croissant metadata.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Form of the tables.
    #[arg(long)]
    format: FormatName,
    /// Folder to be made; nothing may be there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Finished flows only, times from the start of each flow, ids as salted hashes.
    #[arg(long)]
    clean: bool,
    /// File with the salt of the hashes, at least 16 bytes, readable by its owner only [default: one that the home keeps].
    #[arg(long, value_name = "FILE", requires = "clean")]
    salt_file: Option<PathBuf>,
    /// One repository instead of all.
    #[arg(long)]
    repo: Option<String>,
    /// Licence that the data card states, such as `CC-BY-4.0`.
    #[arg(long)]
    licence: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// What was written, for scripts.
#[derive(Serialize)]
struct Shown {
    folder: PathBuf,
    #[serde(flatten)]
    summary: Summary,
}

pub(super) fn run(args: &ExportArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    if args.out.exists() {
        return Err(Failure::new(
            format!("{} is there already", clean(&args.out.display().to_string())),
            "name a folder that is not there yet: an export changes nothing that exists",
        ));
    }
    if args
        .licence
        .as_ref()
        .is_some_and(|text| text.is_empty() || text.len() > 100 || text.contains(char::is_control))
    {
        return Err(Failure::usage("--licence is one short line", "write a name such as CC-BY-4.0"));
    }
    let repo = args.repo.as_deref().map(super::repo_named).transpose()?.map(|repo| RepoTag::of(&repo));
    let ids = if args.clean { Ids::Hashed(salt(args.salt_file.as_deref(), &home)?) } else { Ids::AsRecorded };
    let parent = match args.out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Beside its place, so that it gets there in one step; a file system that is full or read only says so before anything is there.
    let folder = tempfile::Builder::new()
        .prefix(".banksman-export-")
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .with_context(|| format!("cannot write into {}", parent.display()))?;
    let summary = block_on(write(&settings, &home, folder.path(), args, ids, repo))?;
    let (from, to) = (folder.keep(), &args.out);
    if let Err(error) = fs::rename(&from, to).and_then(|()| File::open(parent)?.sync_all()) {
        drop(fs::remove_dir_all(&from));
        return Err(error).with_context(|| format!("cannot make {}", to.display()));
    }
    app.page.write(&Shown { folder: to.clone(), summary }, text)?;
    Ok(Exit::Success)
}

async fn write(
    settings: &Settings,
    home: &Home,
    folder: &Path,
    args: &ExportArgs,
    ids: Ids,
    repo: Option<RepoTag>,
) -> anyhow::Result<Summary> {
    let format = match args.format {
        FormatName::Jsonl => Format::Jsonl,
        FormatName::Csv => Format::Csv,
        FormatName::Parquet => Format::Parquet,
    };
    let store = super::store_if_any(settings, home).await?;
    let (mut survey, mut chosen, mut left_out) = (Survey::default(), Vec::new(), 0);
    if let Some(store) = &store {
        let mut flows = Flows::of(store, repo.as_ref(), None);
        while let Some(flow) = flows.next().await? {
            if !Export::<File>::takes(&ids, &flow) {
                left_out += 1;
                continue;
            }
            survey.flow(&flow);
            if let Some(hash) = ids.pull(&flow.series.repo, flow.series.pull) {
                chosen.push((ids.repo(&flow.series.repo), hash, flow.series));
            }
        }
    }
    let splits = survey.splits();
    let cannot = || format!("cannot write into {}", folder.display());
    let open = |name: &str| {
        Ok::<_, io::Error>(BufWriter::with_capacity(1 << 18, File::create_new(folder.join(name))?))
    };
    let mut export = Export::begin(format, ids, splits, open).with_context(cannot)?;
    export.left_out(left_out);
    // Cleaned flows stand in the order of their hashes: the order of the ids would tell what the hashes hide.
    chosen.sort();
    if let (Some(store), true) = (&store, args.clean) {
        for (_, _, series) in &chosen {
            if let Some(flow) = Flows::of(store, Some(&series.repo), Some(series.pull)).next().await? {
                export.flow(&flow).with_context(cannot)?;
            }
        }
    } else if let Some(store) = &store {
        let mut flows = Flows::of(store, repo.as_ref(), None);
        while let Some(flow) = flows.next().await? {
            export.flow(&flow).with_context(cannot)?;
        }
    }
    let (summary, files) = export.end().with_context(cannot)?;
    for file in files {
        file.into_inner()
            .map_err(|error| error.into_error())
            .and_then(|file| file.sync_all())
            .with_context(cannot)?;
    }
    let card = card(&summary, args.licence.as_deref());
    let described = [
        ("data-card.md", markdown(&card)),
        ("data-card.json", serde_json::to_string_pretty(&card)? + "\n"),
        ("croissant.json", serde_json::to_string_pretty(&croissant(&card))? + "\n"),
    ];
    for (name, text) in described {
        let mut file = File::create_new(folder.join(name)).with_context(cannot)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(cannot)?;
    }
    Ok(summary)
}

/// The salt that was given, or the home's own, which is made at its first use: with the same salt the same id has the same hash in each
/// export.
fn salt(given: Option<&Path>, home: &Home) -> anyhow::Result<Salt> {
    let own = home.salt();
    let path = given.unwrap_or(&own);
    let shown = clean(&path.display().to_string());
    if given.is_none() && !path.exists() {
        make_salt(path).with_context(|| format!("cannot make {shown}"))?;
    }
    let mode = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::new(
            format!("{shown} can be read by others (mode {:o})", mode & 0o777),
            format!("whoever has the salt can find out ids by trying: `chmod 600 {shown}`"),
        ));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    Salt::new(&bytes)
        .map_err(|error| Failure::new(format!("{shown}: {error}"), "`openssl rand -hex 32` makes one"))
}

fn make_salt(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut random = [0; 32];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut random)?;
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
    let next = path.with_extension("new");
    drop(fs::remove_file(&next));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(fs::rename(&next, path)?)
}

fn text(shown: &Shown) -> String {
    let mut table = Table::new(&["table", "rows", "bytes", "file"]);
    for told in &shown.summary.tables {
        let cells = [
            told.name.as_str().to_owned(),
            told.rows.to_string(),
            amount(told.digest.bytes),
            told.file.clone(),
        ];
        table.row(cells.map(Into::into));
    }
    let s = &shown.summary;
    let left_out = match s.left_out {
        0 => String::new(),
        count => format!(", {count} unfinished ones left out"),
    };
    format!(
        "{}{} of {}{left_out}; see {}\n",
        table.text(),
        count(s.flows, "flow", "flows"),
        count(s.repos, "repository", "repositories"),
        clean(&shown.folder.join("data-card.md").display().to_string())
    )
}

fn count(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", amount(number), if number == 1 { one } else { more })
}

//! `config show`: every value of the configuration, and where it came from.

use crate::{
    app::App,
    config::KEYS,
    output::{Cell, Exit, Table, style},
};
use clap::{Args, Subcommand};
use serde::Serialize;

/// Look at the configuration.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show every value.
    Show {
        /// Show where each value came from, too.
        #[arg(long)]
        origin: bool,
    },
}

/// One value as it is shown.
#[derive(Serialize)]
struct Shown {
    key: String,
    value: Option<String>,
    origin: String,
    about: Option<&'static str>,
}

/// The whole configuration as it is shown.
#[derive(Serialize)]
struct Document {
    values: Vec<Shown>,
    files: Vec<FileShown>,
}

#[derive(Serialize)]
struct FileShown {
    path: String,
    found: bool,
}

pub(super) fn run(args: &ConfigArgs, app: &App) -> anyhow::Result<Exit> {
    let What::Show { origin } = &args.what;
    let config = app.config()?;
    let mut values: Vec<Shown> = KEYS
        .iter()
        .map(|key| Shown {
            key: key.name.to_owned(),
            value: (key.get)(&config.settings),
            origin: config.origin(key.name).to_string(),
            about: Some(key.about),
        })
        .collect();
    for (key, source) in config.engine_origins() {
        let value = config.engine_value(key).map(ToString::to_string);
        values.push(Shown { key: key.to_owned(), value, origin: source.to_string(), about: None });
    }
    let files = config.files.iter().map(|(path, presence)| FileShown {
        path: path.display().to_string(),
        found: *presence == crate::config::Presence::Read,
    });
    let document = Document { values, files: files.collect() };
    app.page.write(&document, |document| {
        let head: &[&'static str] = if *origin { &["key", "value", "from"] } else { &["key", "value"] };
        let mut table = Table::new(head);
        for shown in &document.values {
            let value = match &shown.value {
                Some(value) => Cell::from(value.clone()),
                None => Cell::new("not set", style::DIM),
            };
            let mut row = vec![Cell::from(shown.key.clone()), value];
            if *origin {
                row.push(Cell::new(shown.origin.clone(), style::DIM));
            }
            table.row(row);
        }
        let mut text = table.text();
        for file in &document.files {
            let found = if file.found { "" } else { " (not there)" };
            text.push_str(&format!("\n{}{found}", file.path));
        }
        text + "\n"
    })?;
    Ok(Exit::Success)
}

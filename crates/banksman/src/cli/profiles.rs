//! `profiles`: the named bundles of manifest defaults that the configuration has.

use crate::{
    app::App,
    output::{Cell, Exit, Table, clean, style},
};
use banksman_core::{
    job::Body,
    manifest::{self, Preamble, Profile},
};
use clap::Args;
use serde::Serialize;

/// List the profiles of the configuration.
#[derive(Debug, Args)]
pub(crate) struct ProfilesArgs {}

/// A profile, for scripts.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    /// Its keys, as a manifest has them.
    manifest: String,
    preamble: Option<&'a str>,
    parallel: Option<u32>,
    from: String,
}

pub(super) fn run(_args: &ProfilesArgs, app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let shown: Vec<Shown<'_>> = config
        .settings
        .profiles
        .iter()
        .map(|(name, profile)| Shown {
            name: name.as_str(),
            manifest: filled(profile),
            preamble: profile.preamble.as_ref().map(Preamble::as_str),
            parallel: profile.parallel,
            from: config.origin(&format!("profiles.{name}")).to_string(),
        })
        .collect();
    app.page.write(&shown, |shown| {
        if shown.is_empty() {
            return "no profiles: `[profiles.NAME]` in the configuration makes one, with keys of a manifest, \
                    `preamble` and `parallel`\n"
                .to_owned();
        }
        let mut table = Table::new(&["name", "fills", "parallel", "from"]);
        for row in shown {
            table.row([
                Cell::new(row.name, style::HEAD),
                clean(row.manifest.trim_end()).into(),
                row.parallel.map(|n| n.to_string()).unwrap_or_default().into(),
                Cell::new(row.from.clone(), style::DIM),
            ]);
        }
        table.text()
    })?;
    Ok(Exit::Success)
}

/// What a profile fills, a line a key.
fn filled(profile: &Profile) -> String {
    let text = manifest::print(&profile.manifest, &Body::default());
    text.lines().filter(|line| *line != "---").map(|line| format!("{line}\n")).collect()
}

//! `training validate`: checks every line of the journals and of their index against the published schemas (D7).

use crate::{
    app::App,
    home::Home,
    host::journals,
    output::{Exit, clean},
};
use clap::Args;

/// Check every line of the journals and their index; says file and line of each mistake.
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {}

pub(super) fn run(_: &ValidateArgs, app: &App) -> anyhow::Result<Exit> {
    let home = Home::at(&app.config()?.settings.home);
    let checked = journals::validate(&home)?;
    app.page.write(&checked, |checked| {
        let mut text = String::new();
        for problem in &checked.problems {
            text.push_str(&format!("{}\n", clean(&problem.to_string())));
        }
        for file in &checked.foreign {
            text.push_str(&format!("{}: no journal, left alone\n", clean(&file.display().to_string())));
        }
        let (files, lines, bad) = (checked.files, checked.lines, checked.problems.len());
        let verdict = match bad {
            0 => "all as the schemas say".to_owned(),
            1 => "1 mistake".to_owned(),
            bad => format!("{bad} mistakes"),
        };
        text + &format!("{lines} lines in {files} files: {verdict}\n")
    })?;
    Ok(if checked.problems.is_empty() { Exit::Success } else { Exit::Failed })
}

//! `training index`: brings the journals in line with the store and makes their index anew (D8).

use crate::{
    app::App,
    home::Home,
    host::{block_on, journals},
    output::{Exit, clean},
};
use banksman_core::port::Store as _;
use clap::Args;

/// Make the index of the journals anew, and journals that differ from the store.
#[derive(Debug, Args)]
pub(crate) struct IndexArgs {}

pub(super) fn run(_: &IndexArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    block_on(async {
        if let Some(store) = super::store_if_any(&settings, &home).await? {
            for repo in store.repos().await? {
                journals::write_lines(&home, &store, &repo).await?;
            }
        }
        Ok(())
    })?;
    let rebuilt = journals::rebuild(&home)?;
    app.page.write(&rebuilt, |rebuilt| {
        let mut text = String::new();
        for problem in &rebuilt.problems {
            text.push_str(&format!("{}\n", clean(&problem.to_string())));
        }
        let file = clean(&rebuilt.file.display().to_string());
        text.push_str(&format!("{} children in {file}\n", rebuilt.lines));
        if !rebuilt.problems.is_empty() {
            text.push_str("the lines above could not be read and are not in it; nothing else was changed\n");
        }
        text
    })?;
    Ok(if rebuilt.problems.is_empty() { Exit::Success } else { Exit::Failed })
}

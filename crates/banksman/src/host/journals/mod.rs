//! The journal as files: one line per finished child in a file of its own under `training/journals/`, one short line in
//! `training/index.jsonl`. The store is the truth; the files are brought in line with it, whole or not at all.

mod index;
mod lines;
mod validate;

pub(crate) use index::rebuild;
pub(crate) use lines::journals;
pub(crate) use validate::validate;

use crate::home::{Home, short};
use anyhow::Context as _;
use banksman_core::{port::Store, text::RepoName};
use std::{collections::BTreeMap, fs, path::Path};

/// Writes the files of a repository's journal anew where they differ, and the index.
pub(crate) async fn write<S: Store>(home: &Home, store: &S, repo: &RepoName) -> anyhow::Result<()> {
    if write_lines(home, store, repo).await? > 0 {
        rebuild(home)?;
    }
    Ok(())
}

/// Writes the files of a repository's journal anew where they differ; how many there are.
pub(crate) async fn write_lines<S: Store>(home: &Home, store: &S, repo: &RepoName) -> anyhow::Result<usize> {
    let entries = store.journal(repo).await.context("cannot read the journal")?;
    let folder = home.journals(short(repo));
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for entry in &entries {
        let file = files.entry(entry.file_name()).or_default();
        file.push_str(&serde_json::to_string(entry)?);
        file.push('\n');
    }
    for (name, text) in &files {
        replace(&folder.join(name), text)?;
    }
    Ok(files.len())
}

/// Writes a file whole or not at all, and only if it differs. Makes the folders above it.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let next = path.with_extension("new");
    fs::write(&next, text)
        .and_then(|()| fs::rename(&next, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

//! The journal as files: one line per finished child under `training/`, brought in line with the store.

use crate::home::{Home, short};
use anyhow::Context as _;
use banksman_core::{port::Store, text::RepoName};
use std::{collections::BTreeMap, fs, path::Path};

/// Writes the files of a repository's journal anew where they differ; the store is the truth.
pub(crate) async fn write<S: Store>(home: &Home, store: &S, repo: &RepoName) -> anyhow::Result<()> {
    let entries = store.journal(repo).await.context("cannot read the journal")?;
    if entries.is_empty() {
        return Ok(());
    }
    let folder = home.journals(short(repo));
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for entry in &entries {
        let line = serde_json::to_string(entry)?;
        for name in [entry.file_name(), "index.jsonl".to_owned()] {
            let file = files.entry(name).or_default();
            file.push_str(&line);
            file.push('\n');
        }
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in files {
        replace(&folder.join(name), &text)?;
    }
    Ok(())
}

fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let next = path.with_extension("new");
    fs::write(&next, text)
        .and_then(|()| fs::rename(&next, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

//! The index over all journals, made anew from their files (D8).

use super::lines::{Problem, journals};
use crate::home::Home;
use banksman_core::{
    id::Number,
    journal::{IndexLine, JournalEntry},
    text::RepoName,
};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// What a rebuilding came to.
#[derive(Debug, Serialize)]
pub(crate) struct Rebuilt {
    /// The index.
    pub(crate) file: PathBuf,
    /// Its lines.
    pub(crate) lines: usize,
    /// Lines of journals that could not be read and are not in it.
    pub(crate) problems: Vec<Problem>,
}

/// Writes the index anew: a line for each child, in the order of their ends.
pub(crate) fn rebuild(home: &Home) -> anyhow::Result<Rebuilt> {
    let (entries, problems) = journals(home)?;
    let lines = lines_of(&entries);
    let mut text = String::new();
    for line in &lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    super::replace(&home.training_index(), &text)?;
    Ok(Rebuilt { file: home.training_index(), lines: lines.len(), problems })
}

/// One line for each child: of several the one that says most, which is the last that was written.
pub(super) fn lines_of(entries: &[JournalEntry]) -> Vec<IndexLine> {
    let mut children: BTreeMap<(&RepoName, Number), IndexLine> = BTreeMap::new();
    for entry in entries {
        let line = IndexLine::from(entry);
        let known = children.entry((&entry.repo, entry.child)).or_insert_with(|| line.clone());
        // What an earlier version kept twice is once older and once brought over, with the same end.
        if line.at > known.at || line.at == known.at && line.totals.ci_runs > known.totals.ci_runs {
            *known = line;
        }
    }
    let mut lines: Vec<IndexLine> = children.into_values().collect();
    lines.sort_by(|a, b| (a.at, &a.repo, a.child).cmp(&(b.at, &b.repo, b.child)));
    lines
}

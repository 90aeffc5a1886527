//! Checks every line of the journals and the index against the published schemas, and the index against the journals (D7).

use super::{
    index::lines_of,
    lines::{Problem, each_line, find},
};
use crate::home::Home;
use banksman_core::journal::{JournalEntry, read_index_line, read_line};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What a check came to.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    /// Files that were read.
    pub(crate) files: usize,
    /// Lines in them.
    pub(crate) lines: usize,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// Files among the journals that are none; they are left alone.
    pub(crate) foreign: Vec<PathBuf>,
}

/// Checks everything.
pub(crate) fn validate(home: &Home) -> anyhow::Result<Checked> {
    let found = find(home)?;
    let (mut entries, mut problems, mut lines): (Vec<JournalEntry>, _, _) = (Vec::new(), Vec::new(), 0);
    for file in &found.journals {
        let before = entries.len();
        lines += each_line(file, &mut problems, |text| read_line(text).map(|entry| entries.push(entry)));
        named_rightly(file, &entries[before..], &mut problems);
    }
    let index = home.training_index();
    let mut files = found.journals.len();
    if index.exists() {
        files += 1;
        let mut known = Vec::new();
        lines += each_line(&index, &mut problems, |text| read_index_line(text).map(|line| known.push(line)));
        // Where a line could not be read the one cannot be compared with the other.
        let readable = problems.is_empty();
        let children: BTreeSet<_> = entries.iter().map(|e| (&e.repo, e.child)).collect();
        for (number, line) in known.iter().enumerate() {
            if readable && !children.contains(&(&line.repo, line.child)) {
                let what = format!("there is no journal {} of {}", line.file_name(), line.repo);
                problems.push(Problem { file: index.clone(), line: number + 1, what });
            }
        }
        let stale = problems.is_empty() && known != lines_of(&entries);
        if stale {
            let what = "is not what the journals say: `banksman training index` makes it anew".to_owned();
            problems.push(Problem { file: index, line: 0, what });
        }
    } else if !entries.is_empty() {
        let what = "is missing: `banksman training index` makes it anew".to_owned();
        problems.push(Problem { file: index, line: 0, what });
    }
    Ok(Checked { files, lines, problems, foreign: found.foreign })
}

/// A journal has the name of the child that it tells of.
fn named_rightly(file: &Path, entries: &[JournalEntry], problems: &mut Vec<Problem>) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name == "index.jsonl" {
        return;
    }
    for entry in entries.iter().filter(|entry| entry.file_name() != name) {
        let what = format!("tells of child {}, whose file is {}", entry.child, entry.file_name());
        problems.push(Problem { file: file.to_owned(), line: 0, what });
    }
}

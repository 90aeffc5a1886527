//! Finds and reads the files of the journal, line by line, and says of each bad line where it stands.

use crate::home::Home;
use anyhow::Context as _;
use banksman_core::journal::{JournalEntry, JournalError, read_line};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

/// Longest line that is read. A child with hundreds of commits stays far below.
const LONGEST: u64 = 16 << 20;

/// Folders in folders: owner, name.
const DEPTH: usize = 2;

/// A line that is none, or a file that cannot be read. `line` is 0 where it is about the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: PathBuf,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong, in our words.
    pub(crate) what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.what),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.what),
        }
    }
}

/// What lies in the folder of journals.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Journals, in the order of their paths.
    pub(super) journals: Vec<PathBuf>,
    /// What is none of ours; it is left alone.
    pub(super) foreign: Vec<PathBuf>,
}

/// Looks for the files of all repositories.
pub(super) fn find(home: &Home) -> anyhow::Result<Found> {
    let mut found = Found::default();
    walk(&home.training().join("journals"), DEPTH, &mut found)?;
    found.journals.sort();
    found.foreign.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Found) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(cannot),
    };
    for entry in entries {
        let entry = entry.with_context(cannot)?;
        let (path, kind) = (entry.path(), entry.file_type().with_context(cannot)?);
        let name = entry.file_name().to_string_lossy().into_owned();
        // A link may lead anywhere: nothing behind it is read.
        if kind.is_dir() && depth > 0 {
            walk(&path, depth - 1, found)?;
        } else if kind.is_file() && is_journal(&name) {
            found.journals.push(path);
        } else {
            found.foreign.push(path);
        }
    }
    Ok(())
}

/// The names that journals have; `index.jsonl` is what earlier versions kept beside them, with the same lines.
fn is_journal(name: &str) -> bool {
    let named = name.starts_with("epic-") || name.starts_with("direct-child-");
    name.ends_with(".jsonl") && (named || name == "index.jsonl")
}

/// All lines of all journals that can be read, and the others with their places.
pub(crate) fn journals(home: &Home) -> anyhow::Result<(Vec<JournalEntry>, Vec<Problem>)> {
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for file in find(home)?.journals {
        each_line(&file, &mut problems, |text| read_line(text).map(|entry| entries.push(entry)));
    }
    Ok((entries, problems))
}

/// Gives each line of a file to a reader; what it refuses becomes a problem. How many lines there are.
pub(super) fn each_line(
    path: &Path,
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&str) -> Result<(), JournalError>,
) -> usize {
    let mut say = |line, what: &dyn std::fmt::Display| {
        problems.push(Problem { file: path.to_owned(), line, what: what.to_string() });
    };
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) => {
            say(0, &format_args!("cannot be read: {error}"));
            return 0;
        }
    };
    let (mut number, mut line) = (0, Vec::new());
    loop {
        line.clear();
        match file.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => return number,
            Ok(_) => number += 1,
            Err(error) => {
                say(number + 1, &format_args!("cannot be read: {error}"));
                return number;
            }
        }
        let whole = line.last() == Some(&b'\n');
        let text = std::str::from_utf8(&line).map(|text| text.trim_end_matches(['\n', '\r']));
        match text.map_err(|_| "no text in UTF-8".to_owned()).and_then(|t| read(t).map_err(|e| e.to_string()))
        {
            Ok(()) => {}
            Err(_) if !whole => {
                say(number, &"the line is cut off: `banksman training index` writes it anew from the store");
                return number;
            }
            Err(what) => say(number, &what),
        }
    }
}

//! Looks at the repository after the demo: does git say what the summary is about to say? Reads structure and content, and runs the tests
//! of what was merged.

use super::{
    git::Git,
    make::write_all,
    scenario::{Fate, Part, files_after},
    script::SCRIPT,
};
use anyhow::Context;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
};

/// What the repository should look like at the end.
#[derive(Debug)]
pub(crate) struct Expected {
    merged: Vec<&'static Part>,
    escalated: Vec<&'static Part>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// The head of `main` is no merge of the epic into the first commits.
    NoEpicMerge,
    /// The epic's branch holds another number of commits.
    Commits {
        /// As many.
        found: usize,
        /// As there are children that should be merged.
        expected: usize,
    },
    /// A commit of the epic has not exactly one parent.
    NotSquashed(String),
    /// No commit of the epic changes the files of this part, and only those.
    Missing(&'static str),
    /// A file on `main` is not as the merged parts make it.
    Content(String),
    /// A change that should have stayed out is on `main`.
    NotLeftOut(&'static str),
    /// A branch of an epic is still there.
    BranchLeft(String),
    /// The tests of `main` fail.
    Red,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoEpicMerge => f.write_str("the head of main is not the merge of an epic"),
            Self::Commits { found, expected } => {
                write!(f, "the epic has {found} commits where {expected} children were merged")
            }
            Self::NotSquashed(commit) => write!(f, "the epic's commit {commit} has not exactly one parent"),
            Self::Missing(part) => write!(f, "no commit of the epic is the change for {part}"),
            Self::Content(path) => write!(f, "{path} on main is not what the merged changes make of it"),
            Self::NotLeftOut(part) => write!(f, "the change for {part} is on main, though it was escalated"),
            Self::BranchLeft(branch) => write!(f, "the branch {branch} was not deleted"),
            Self::Red => f.write_str("the tests fail on main"),
        }
    }
}

impl Expected {
    /// The end of the story: everything is merged but what was escalated.
    pub(crate) fn story() -> Self {
        let (merged, escalated) = SCRIPT.iter().partition(|part| part.fate == Fate::Merged);
        Self { merged, escalated }
    }
}

/// Compares the repository at `git_dir` with what is expected; nothing comes back when all is well. `scratch` is a new or empty folder for
/// running the tests.
pub(crate) fn verify(git_dir: &Path, scratch: &Path, expected: &Expected) -> anyhow::Result<Vec<Mismatch>> {
    let git = Git::at(git_dir);
    let mut found = history(&git, expected)?;
    let branches = git.run(&["for-each-ref", "--format=%(refname:short)", "refs/heads/epic/"])?;
    found.extend(branches.lines().map(|branch| Mismatch::BranchLeft(branch.to_owned())));

    let files = files(&git)?;
    let should = files_after(expected.merged.iter().copied())?;
    let names: BTreeSet<&str> = files.keys().map(String::as_str).chain(should.keys().copied()).collect();
    let differ = |path: &&str| files.get(*path) != should.get(*path);
    found.extend(names.into_iter().filter(differ).map(|path| Mismatch::Content(path.to_owned())));
    for part in &expected.escalated {
        let first = files_after([])?;
        let out = |path: &&str| files.get(*path) != first.get(*path);
        if part.paths().iter().any(out) {
            found.push(Mismatch::NotLeftOut(part.name));
        }
    }
    // What is run is what was compared, and nothing else.
    if !found.iter().any(|mismatch| matches!(mismatch, Mismatch::Content(_)))
        && !green(scratch, files.iter().map(|(path, text)| (path.as_str(), text.as_str())))?
    {
        found.push(Mismatch::Red);
    }
    Ok(found)
}

/// The shape of the history: a merge of a line of single commits, one per merged part.
fn history(git: &Git<'_>, expected: &Expected) -> anyhow::Result<Vec<Mismatch>> {
    let parents = git.run(&["rev-list", "--parents", "--max-count=1", "main"])?;
    let [_, first, epic] = parents.split_whitespace().collect::<Vec<_>>()[..] else {
        return Ok(vec![Mismatch::NoEpicMerge]);
    };
    let mut found = Vec::new();
    let line = git.run(&["rev-list", "--reverse", "--parents", epic, "--not", first])?;
    let line: Vec<Vec<&str>> = line.lines().map(|commit| commit.split_whitespace().collect()).collect();
    if line.len() != expected.merged.len() {
        found.push(Mismatch::Commits { found: line.len(), expected: expected.merged.len() });
    }
    let mut changes: Vec<Vec<String>> = Vec::new();
    for commit in line {
        let [sha, _] = commit[..] else {
            found.extend(commit.first().map(|sha| Mismatch::NotSquashed((*sha).to_owned())));
            continue;
        };
        let paths = git.run(&["diff-tree", "-r", "--no-commit-id", "--name-only", sha])?;
        changes.push(paths.lines().map(str::to_owned).collect());
    }
    let missing = expected.merged.iter().filter(|part| !changes.iter().any(|change| *change == part.paths()));
    found.extend(missing.map(|part| Mismatch::Missing(part.name)));
    Ok(found)
}

/// The files of `main`.
fn files(git: &Git<'_>) -> anyhow::Result<BTreeMap<String, String>> {
    let names = git.run(&["ls-tree", "-r", "-z", "--name-only", "main"])?;
    let names = names.split('\0').filter(|name| !name.is_empty());
    names
        .map(|name| Ok((name.to_owned(), git.run(&["cat-file", "blob", &format!("main:{name}")])?)))
        .collect()
}

/// Whether the tests pass on these files.
pub(super) fn green<'a>(
    scratch: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> anyhow::Result<bool> {
    write_all(scratch, files)?;
    let mut tests = Command::new("sh");
    tests.arg("tests/run.sh").current_dir(scratch).stdin(Stdio::null());
    let done = tests.output().context("cannot run the tests")?;
    Ok(done.status.success())
}

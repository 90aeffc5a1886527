//! Makes the demo's repository and report in a folder: always the same commits, whoever runs it.

use super::{git::Git, shop};
use anyhow::Context;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// The repository: an ordinary one, `main` checked out.
    pub(crate) repository: PathBuf,
    /// The report on it. It lies beside the repository, so that the work tree stays clean.
    pub(crate) report: PathBuf,
}

/// The demo's repository was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// The folder is in use; nothing was changed.
    #[error("{} is not empty: choose a new or an empty folder", .0.display())]
    InUse(PathBuf),
    /// The name belongs to something that is no folder; nothing was changed.
    #[error("{} is not a folder: choose a new or an empty folder", .0.display())]
    NoFolder(PathBuf),
    /// The folder could not be read or written.
    #[error("cannot write {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Git failed.
    #[error("cannot make the repository")]
    Git(#[source] anyhow::Error),
}

/// Makes `shop/` and `AUDIT.md` in `dir`, which must be new or empty.
pub(crate) fn make(dir: &Path) -> Result<Made, MakeError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(MakeError::InUse(dir.to_owned()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(MakeError::NoFolder(dir.to_owned()));
        }
        Err(error) => return Err(MakeError::File(dir.to_owned(), error)),
    }
    let made = Made { repository: dir.join("shop"), report: dir.join("AUDIT.md") };
    fs::create_dir_all(&made.repository).map_err(|error| MakeError::File(made.repository.clone(), error))?;
    write(&made.report, shop::REPORT)?;
    commits(&made.repository)?;
    Ok(made)
}

fn commits(repository: &Path) -> Result<(), MakeError> {
    let git = Git::at(repository);
    let init = ["init", "--quiet", "--initial-branch=main", "--object-format=sha1"];
    git.run(&init).map_err(MakeError::Git)?;
    for commit in shop::COMMITS {
        for (path, text) in commit.files {
            write(&repository.join(path), text)?;
        }
        let identity = [
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@shop.example"),
            ("GIT_AUTHOR_DATE", commit.date),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@shop.example"),
            ("GIT_COMMITTER_DATE", commit.date),
        ];
        git.run(&["add", "--all"]).map_err(MakeError::Git)?;
        let commit = ["commit", "--quiet", "-m", commit.subject];
        git.with(&identity).run(&commit).map_err(MakeError::Git)?;
    }
    Ok(())
}

/// Writes a file and the folders above it.
fn write(path: &Path, text: &str) -> Result<(), MakeError> {
    let written = match path.parent() {
        Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(path, text)),
        None => fs::write(path, text),
    };
    written.map_err(|error| MakeError::File(path.to_owned(), error))
}

/// Writes files below a folder.
pub(super) fn write_all<'a>(
    root: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> anyhow::Result<()> {
    for (path, text) in files {
        write(&root.join(path), text).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_commits_are_made_every_time() {
        let dir = tempfile::tempdir().unwrap();
        let heads = ["a", "b"].map(|name| {
            let made = make(&dir.path().join(name)).unwrap();
            let git = Git::at(&made.repository);
            assert_eq!(git.run(&["status", "--porcelain"]).unwrap(), "");
            assert_eq!(git.run(&["branch", "--show-current"]).unwrap(), "main\n");
            git.run(&["rev-parse", "HEAD"]).unwrap()
        });
        assert_eq!(heads[0], heads[1]);
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine"), "x").unwrap();
        assert!(matches!(make(dir.path()), Err(MakeError::InUse(_))));
        assert!(matches!(make(&dir.path().join("mine")), Err(MakeError::NoFolder(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

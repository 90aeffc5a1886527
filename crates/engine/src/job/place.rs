//! Finds the git repository that a folder is in, by looking and without running git: what lies there may be anybody's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Largest file that says where a git directory is.
const MAX_LINK: u64 = 8192;

/// A repository with the work tree that a folder is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// Git directory of the work tree: its `HEAD` is what is checked out there.
    pub(super) git_dir: PathBuf,
    /// Git directory that all work trees of the repository share; canonical.
    pub(super) common_dir: PathBuf,
    /// The folder inside the work tree.
    pub(super) below: PathBuf,
}

/// The repository that `cwd` is in, if it is in one. `Err`: `cwd` is no folder.
pub(super) fn find(cwd: &Path) -> io::Result<Option<Repository>> {
    let cwd = cwd.canonicalize()?;
    if !cwd.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    for folder in cwd.ancestors() {
        let below = cwd.strip_prefix(folder).unwrap_or(Path::new(""));
        if let Some(git_dir) = git_dir_of(folder) {
            return Ok(Some(Repository {
                common_dir: common_dir(&git_dir)?,
                git_dir,
                below: below.to_owned(),
            }));
        }
        if is_git_dir(folder) {
            // A bare repository, or a git directory: there is no work tree to be below of.
            let git_dir = folder.to_owned();
            return Ok(Some(Repository {
                common_dir: common_dir(&git_dir)?,
                git_dir,
                below: PathBuf::new(),
            }));
        }
    }
    Ok(None)
}

fn git_dir_of(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    let found = fs::metadata(&git).ok()?;
    let git_dir = if found.is_file() && found.len() <= MAX_LINK {
        folder.join(fs::read_to_string(&git).ok()?.strip_prefix("gitdir: ")?.trim_end_matches(['\n', '\r']))
    } else {
        git
    };
    let git_dir = git_dir.canonicalize().ok()?;
    git_dir.join("HEAD").is_file().then_some(git_dir)
}

fn is_git_dir(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

fn common_dir(git_dir: &Path) -> io::Result<PathBuf> {
    match fs::read_to_string(git_dir.join("commondir")) {
        Ok(link) => git_dir.join(link.trim_end_matches(['\n', '\r'])).canonicalize(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => git_dir.canonicalize(),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(dir: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=U", "-c", "user.email=u@localhost", "-c", "init.defaultBranch=main"];
        assert!(Command::new("git").current_dir(dir).args(identity).args(args).status().unwrap().success());
    }

    #[test]
    fn work_trees_folders_below_and_bare_repositories_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        assert_eq!(find(&root).unwrap(), None);
        assert!(find(&root.join("missing")).is_err());
        git(&root, &["init", "-q", "main"]);
        git(&root.join("main"), &["commit", "-q", "--allow-empty", "-m", "Start"]);
        git(&root.join("main"), &["worktree", "add", "-q", "../linked"]);
        git(&root, &["clone", "-q", "--bare", "main", "bare.git"]);
        fs::create_dir_all(root.join("linked/a/b")).unwrap();
        let common = root.join("main/.git");
        let found = find(&root.join("main")).unwrap().unwrap();
        assert_eq!((&found.git_dir, &found.common_dir), (&common, &common));
        let found = find(&root.join("linked/a/b")).unwrap().unwrap();
        assert_eq!((found.git_dir, found.common_dir), (common.join("worktrees/linked"), common));
        assert_eq!(found.below, Path::new("a/b"));
        let found = find(&root.join("bare.git/refs")).unwrap().unwrap();
        assert_eq!((found.git_dir, found.below), (root.join("bare.git"), PathBuf::new()));
    }
}

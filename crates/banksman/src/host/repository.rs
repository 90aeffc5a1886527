//! A look at the user's repository before anything is written: whether Banksman can work on it, and what its default branch is.

use crate::output::Failure;
use anyhow::Context as _;
use banksman_core::text::BranchName;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A repository that Banksman can work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    /// The top of its work tree, or its folder when it is bare.
    pub(crate) path: PathBuf,
    /// The branch that epics go into.
    pub(crate) default_branch: BranchName,
    /// It has no work tree.
    pub(crate) bare: bool,
}

impl Repository {
    /// Looks at a folder. Refuses what would make a mess: no repository, no commit, a detached head, uncommitted changes. `wanted`
    /// names the default branch where the repository does not tell.
    pub(crate) fn inspect(folder: &Path, wanted: Option<&BranchName>) -> anyhow::Result<Self> {
        let shown = folder.display();
        if !folder.is_dir() {
            return Err(Failure::new(format!("{shown} is no folder"), "name the folder of a git repository"));
        }
        let folder = folder.canonicalize().with_context(|| format!("cannot find {shown}"))?;
        let Some(bare) = git(&folder, &["rev-parse", "--is-bare-repository"])? else {
            return Err(Failure::new(
                format!("{shown} is no git repository, or git refuses to use it"),
                "make one with `git init` and a first commit, or name another folder; \
                 `git -C FOLDER status` says more",
            ));
        };
        let bare = bare == "true";
        let path = if bare {
            folder.clone()
        } else {
            match git(&folder, &["rev-parse", "--show-toplevel"])? {
                Some(top) => PathBuf::from(top),
                None => {
                    return Err(Failure::new(
                        format!("{shown} is inside a .git folder"),
                        "name the folder that holds the work tree",
                    ));
                }
            }
        };
        if git(&path, &["rev-list", "--max-count=1", "--all"])?.is_none_or(|commit| commit.is_empty()) {
            return Err(Failure::new(
                format!("the repository {shown} has no commit"),
                "commit something first: agents need a branch to start from",
            ));
        }
        let Some(head) = git(&path, &["symbolic-ref", "--quiet", "--short", "HEAD"])? else {
            return Err(Failure::new(
                format!("the repository {shown} has a detached head"),
                "check out a branch first, for example `git switch main`",
            ));
        };
        if !bare {
            let changed =
                git(&path, &["status", "--porcelain=v1", "--untracked-files=no"])?.unwrap_or_default();
            let count = changed.lines().count();
            if count > 0 {
                return Err(Failure::new(
                    format!("the work tree of {shown} has uncommitted changes ({count} files)"),
                    "commit or stash them first: Banksman moves a checked-out branch only over a clean work tree",
                ));
            }
        }
        let default_branch = default_branch(&path, &head, wanted)?;
        Ok(Self { path, default_branch, bare })
    }

    /// Whether its default branch has that path.
    pub(crate) fn paths(&self) -> anyhow::Result<std::collections::BTreeSet<String>> {
        let out =
            git(&self.path, &["ls-tree", "-r", "-t", "-z", "--name-only", self.default_branch.as_str()])?;
        Ok(out.unwrap_or_default().split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect())
    }
}

/// The folder that holds a repository's objects and branches.
pub(super) fn git_dir(path: &Path) -> anyhow::Result<PathBuf> {
    match git(path, &["rev-parse", "--path-format=absolute", "--git-common-dir"])? {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Err(Failure::new(
            format!("{} is no git repository any more, or git refuses to use it", path.display()),
            "`banksman repos` lists what Banksman knows; `banksman repos edit` changes a path",
        )),
    }
}

/// The wanted branch, else the checked-out one if it has a usual name, else the remote's default, else a usual name that exists, else the
/// checked-out one.
fn default_branch(path: &Path, head: &str, wanted: Option<&BranchName>) -> anyhow::Result<BranchName> {
    let exists = |name: &str| -> anyhow::Result<bool> {
        Ok(git(path, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}^{{commit}}")])?
            .is_some())
    };
    const USUAL: [&str; 3] = ["main", "master", "trunk"];
    let mut candidates: Vec<String> = Vec::new();
    match wanted {
        Some(wanted) => candidates.push(wanted.to_string()),
        None => {
            candidates.extend(USUAL.contains(&head).then(|| head.to_owned()));
            if let Some(remote) =
                git(path, &["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?
            {
                candidates.extend(remote.strip_prefix("origin/").map(str::to_owned));
            }
            candidates.extend(USUAL.iter().map(|name| (*name).to_owned()));
            candidates.push(head.to_owned());
        }
    }
    for name in candidates {
        if let Ok(branch) = BranchName::new(&name)
            && exists(&name)?
        {
            return Ok(branch);
        }
    }
    Err(Failure::new(
        format!("the repository {} has no default branch that Banksman can use", path.display()),
        "name an existing branch with --default-branch",
    ))
}

/// The output of a git command that only reads; `None` when it fails.
fn git(folder: &Path, args: &[&str]) -> anyhow::Result<Option<String>> {
    let out = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(args)
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("LC_ALL", "C")
        .output()
        .map_err(|_| Failure::new("the program git is missing", "install git 2.38 or newer"))?;
    let text = String::from_utf8_lossy(&out.stdout).trim_end_matches('\n').to_owned();
    Ok(out.status.success().then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(folder: &Path, script: &str) {
        let done = Command::new("sh")
            .args(["-ec", script])
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@localhost")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@localhost")
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn refused(script: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        sh(folder.path(), script);
        Repository::inspect(folder.path(), None)
            .unwrap_err()
            .to_string()
            .replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn what_would_make_a_mess_is_refused() {
        assert_eq!(refused(":"), "DIR is no git repository, or git refuses to use it");
        assert_eq!(refused("git init -q"), "the repository DIR has no commit");
        let one = "git init -q -b main; echo a > a; git add a; git commit -qm a;";
        assert_eq!(
            refused(&format!("{one} git checkout -q --detach")),
            "the repository DIR has a detached head"
        );
        assert_eq!(
            refused(&format!("{one} echo b > a")),
            "the work tree of DIR has uncommitted changes (1 files)"
        );
    }

    #[test]
    fn the_default_branch_is_found_where_it_is_not_checked_out() {
        let folder = tempfile::tempdir().unwrap();
        sh(
            folder.path(),
            "git init -q -b main; echo a > a; git add a; git commit -qm a; git switch -qc work; mkdir d",
        );
        let found = Repository::inspect(&folder.path().join("d"), None).unwrap();
        assert_eq!(found.default_branch.as_str(), "main");
        assert_eq!(found.path, folder.path().canonicalize().unwrap());
        assert!(found.paths().unwrap().contains("a"));
        let wanted = BranchName::new("nowhere").unwrap();
        assert!(Repository::inspect(folder.path(), Some(&wanted)).is_err());
    }
}

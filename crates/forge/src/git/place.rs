//! Where a repository lies, found by its files as git itself does, but without git's refusal of folders that belong to another
//! user: the user named the folder.

use super::GitError;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folders of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// What all work trees share: objects and branches. Absolute.
    pub(crate) common: PathBuf,
    /// The main work tree, where it was found on the way.
    pub(crate) main_tree: Option<PathBuf>,
}

impl Place {
    /// Looks in the folder and its parents.
    pub(crate) fn find(folder: &Path) -> Result<Self, GitError> {
        let start = folder.canonicalize().map_err(|_| GitError::NoRepository(folder.to_owned()))?;
        for here in start.ancestors() {
            let dot = here.join(".git");
            if dot.is_dir() && is_git_dir(&dot) {
                return Ok(Self { common: dot, main_tree: Some(here.to_owned()) });
            }
            if dot.is_file() {
                let own = git_dir_of(here).map_err(GitError::File)?;
                return Ok(match common_of(&own).map_err(GitError::File)? {
                    Some(common) => Self { common, main_tree: None },
                    None => Self { common: own, main_tree: Some(here.to_owned()) },
                });
            }
            if is_git_dir(here) {
                return Ok(Self { common: here.to_owned(), main_tree: None });
            }
        }
        Err(GitError::NoRepository(folder.to_owned()))
    }
}

fn is_git_dir(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// The own git folder of a work tree.
pub(crate) fn git_dir_of(tree: &Path) -> io::Result<PathBuf> {
    let dot = tree.join(".git");
    if dot.is_dir() {
        return dot.canonicalize();
    }
    let text = fs::read_to_string(&dot)?;
    let target = text.trim_end().strip_prefix("gitdir: ").ok_or(io::ErrorKind::InvalidData)?;
    tree.join(target).canonicalize()
}

/// The shared folder that a linked work tree's own one points to.
fn common_of(own: &Path) -> io::Result<Option<PathBuf>> {
    match fs::read_to_string(own.join("commondir")) {
        Ok(target) => own.join(target.trim_end()).canonicalize().map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

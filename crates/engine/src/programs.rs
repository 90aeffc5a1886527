//! Where the programs of the engines are. A look through `PATH` costs as much as starting a process, so what was found is kept
//! and only looked at once more.

use crate::sandbox::find_program;
use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The programs that were found so far.
#[derive(Debug)]
pub(crate) struct Programs {
    path: OsString,
    found: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Programs {
    /// `path` is the value of `PATH` that names are looked up in.
    pub(crate) fn new(path: OsString) -> Self {
        Self { path, found: Mutex::default() }
    }

    /// The program of that name, or the path itself if it is absolute and executable.
    pub(crate) fn find(&self, name: &Path) -> Option<PathBuf> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        // An absolute path is looked at and not looked up.
        let there = found.get(name).and_then(|path| find_program(path, OsStr::new("")));
        let path = there.or_else(|| find_program(name, &self.path));
        match &path {
            Some(path) => drop(found.insert(name.to_owned(), path.clone())),
            None => drop(found.remove(name)),
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_program_that_moved_or_went_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |folder: &str| dir.path().join(folder).join("tool");
        let path = std::env::join_paths(["a", "b"].map(|folder| dir.path().join(folder))).unwrap();
        for folder in ["a", "b"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(at(folder), "").unwrap();
            fs::set_permissions(at(folder), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let programs = Programs::new(path);
        assert_eq!(programs.find(Path::new("tool")), Some(at("a")));
        fs::remove_file(at("a")).unwrap();
        assert_eq!(programs.find(Path::new("tool")), Some(at("b")));
        fs::remove_file(at("b")).unwrap();
        assert_eq!(programs.find(Path::new("tool")), None);
    }
}

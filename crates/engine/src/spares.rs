//! Workspaces of plain jobs that can be used again. On some file systems a file that is made soon after others were removed costs far
//! more than a small job itself (ext4 looks at every inode that was freed in the last seconds), so a workspace that is as it was made
//! is renamed and not removed.

use crate::{
    procs::Record,
    workspace::{Layout, OWNER, PROCESS_RECORDS, Workspace, remove_tree},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Most that are kept.
const MOST: usize = 16;

/// Name of the script in the task folder; nothing else may be in there.
pub(crate) const SCRIPT: &str = "script";

/// The workspaces that wait.
#[derive(Debug)]
pub(crate) struct Spares {
    folder: PathBuf,
    waiting: Mutex<Vec<PathBuf>>,
    next: AtomicU64,
}

impl Spares {
    /// For a home. Those of processes that are gone are removed by [`remove_orphans`].
    pub(crate) fn new(home: &Path) -> Self {
        Self { folder: folder(home), waiting: Mutex::default(), next: AtomicU64::new(0) }
    }

    /// A workspace with an owner and a task folder; blocks.
    pub(crate) fn take(&self, layout: Layout) -> io::Result<Workspace> {
        let spare = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match spare {
            Some(spare) => layout.take_over(&spare),
            None => layout.make(&["task"]),
        }
    }

    /// Takes a workspace back, or removes it; blocks.
    pub(crate) fn give_back(&self, workspace: Workspace) {
        if !is_as_made(&workspace).unwrap_or_default() {
            return workspace.remove_now();
        }
        let me = Record::of_this_process().pid;
        let spare = self.folder.join(format!("{me}-{}", self.next.fetch_add(1, Ordering::Relaxed)));
        let renamed = fs::rename(workspace.root(), &spare).or_else(|_| {
            fs::create_dir_all(&self.folder)?;
            fs::rename(workspace.root(), &spare)
        });
        if renamed.is_err() {
            return workspace.remove_now();
        }
        workspace.has_moved();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST {
            waiting.push(spare);
        } else {
            drop(waiting);
            remove(&spare);
        }
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        let waiting = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().for_each(|spare| remove(spare));
    }
}

/// Removes what processes that are gone kept for later; blocks.
pub(crate) fn remove_orphans(home: &Path) {
    for entry in fs::read_dir(folder(home)).into_iter().flatten().flatten() {
        let owner = Record::read(&entry.path().join(OWNER));
        if owner.is_none_or(|owner| owner.is_of_the_dead()) {
            remove(&entry.path());
        }
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("spare")
}

fn remove(spare: &Path) {
    if let Err(error) = remove_tree(spare) {
        tracing::warn!(%error, "a workspace that was kept for later could not be removed");
    }
}

/// Whether nothing is in it but what every plain job finds there.
fn is_as_made(workspace: &Layout) -> io::Result<bool> {
    for entry in fs::read_dir(workspace.root())? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let known = if name == "task" { kind.is_dir() } else { kind.is_file() };
        if !known || (name != "task" && name != OWNER && name != PROCESS_RECORDS[0]) {
            return Ok(false);
        }
    }
    for entry in fs::read_dir(workspace.task())? {
        let entry = entry?;
        if entry.file_name() != SCRIPT || !entry.file_type()?.is_file() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::rewrite;

    #[test]
    fn only_a_workspace_that_is_as_it_was_made_is_used_again() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("work")).unwrap();
        let spares = Spares::new(home.path());
        let kept = || fs::read_dir(home.path().join("spare")).map_or(0, Iterator::count);
        let first = spares.take(Layout::of(home.path(), "1")).unwrap();
        rewrite(&first.task().join(SCRIPT), b"a longer script").unwrap();
        spares.give_back(first);
        assert_eq!(kept(), 1);
        let second = spares.take(Layout::of(home.path(), "2")).unwrap();
        assert_eq!(kept(), 0);
        rewrite(&second.task().join(SCRIPT), b"short").unwrap();
        assert_eq!(fs::read(second.task().join(SCRIPT)).unwrap(), b"short");
        // Somebody left something; or put a link in the place of the script.
        fs::write(second.task().join("note"), "").unwrap();
        spares.give_back(second);
        assert_eq!(kept(), 0);
        let third = spares.take(Layout::of(home.path(), "3")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", third.task().join(SCRIPT)).unwrap();
        spares.give_back(third);
        assert_eq!((kept(), fs::read_dir(home.path().join("work")).unwrap().count()), (0, 0));
        spares.give_back(spares.take(Layout::of(home.path(), "4")).unwrap());
        remove_orphans(home.path());
        assert_eq!(kept(), 1, "its process lives");
        drop(spares);
        assert_eq!(fs::read_dir(home.path().join("spare")).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_written_through_a_link_of_either_kind() {
        let dir = tempfile::tempdir().unwrap();
        let (precious, hard, soft) =
            (dir.path().join("precious"), dir.path().join("hard"), dir.path().join("soft"));
        fs::write(&precious, "gold").unwrap();
        fs::hard_link(&precious, &hard).unwrap();
        std::os::unix::fs::symlink(&precious, &soft).unwrap();
        for link in [&hard, &soft] {
            rewrite(link, b"lead").unwrap();
            assert_eq!(fs::read(link).unwrap(), b"lead");
        }
        assert_eq!(fs::read(&precious).unwrap(), b"gold");
    }
}

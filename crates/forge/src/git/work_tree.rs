//! Moves a work tree from one commit to another, beside its branch. Work of the user is never lost: any tracked file that is
//! neither as in the old commit nor as in the new one stops the move before anything is written. Can be killed anywhere and
//! done again: files first, then the index (by renaming one of our own over it), and the caller moves the branch last.

use super::{Git, GitError, Moved, Turn, place::git_dir_of};
use banksman_core::text::{BranchName, Sha};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::command::Call;

/// Files that say that somebody is in the middle of something.
const BUSY: [&str; 4] = ["index.lock", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];
/// The index that a move is prepared in.
const INDEX: &str = "banksman.index";
/// Says which move was begun, so that a repetition takes half-written files for its own.
const JOURNAL: &str = "banksman.move";

/// One work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkTree {
    /// Its folder.
    folder: PathBuf,
    /// Its own git folder.
    git_dir: PathBuf,
}

/// Paths as git prints them.
type Paths = BTreeSet<Vec<u8>>;

impl Git {
    /// The work trees that have a branch checked out. One whose folder is gone is not among them.
    pub(super) async fn checked_out(&self, branch: &BranchName) -> Result<Vec<WorkTree>, GitError> {
        let list = self.call(["worktree", "list", "--porcelain", "-z"]).bytes().await?;
        let wanted = format!("branch refs/heads/{branch}");
        let mut found = Vec::new();
        let mut folder: Option<PathBuf> = None;
        let mut main = None;
        for line in list.split(|b| *b == 0) {
            if let Some(path) = line.strip_prefix(b"worktree ") {
                folder = Some(PathBuf::from(OsStr::from_bytes(path)));
                main = Some(main.is_none());
            } else if line == wanted.as_bytes()
                && let Some(folder) = folder.take()
            {
                let first = main == Some(true);
                let folder = self.place.main_tree.clone().filter(|_| first).unwrap_or(folder);
                match git_dir_of(&folder) {
                    Ok(git_dir) => found.push(WorkTree { folder, git_dir }),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(e) => return Err(GitError::File(e)),
                }
            }
        }
        Ok(found)
    }

    /// Whether some work tree has a branch checked out.
    pub(crate) async fn is_checked_out(&self, branch: &BranchName) -> Result<bool, GitError> {
        Ok(!self.checked_out(branch).await?.is_empty())
    }

    /// Brings files and index of a work tree from one commit to another.
    pub(super) async fn move_tree(
        &self,
        turn: &Turn,
        tree: &WorkTree,
        from: &Sha,
        to: &Sha,
    ) -> Result<Moved, GitError> {
        let file = |name: &str| tree.git_dir.join(name);
        if BUSY.iter().any(|name| file(name).exists()) {
            return Ok(Moved::Dirty);
        }
        let index = file(INDEX);
        for old in [index.clone(), file("banksman.index.lock")] {
            gone(fs::remove_file(old))?;
        }
        match fs::copy(file("index"), &index) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Moved::Dirty),
            Err(e) => return Err(GitError::File(e)),
        }
        let call = Files { tree, index: &index };
        let begun = format!("{from} {to}\n");
        let again = fs::read_to_string(file(JOURNAL)).is_ok_and(|text| text == begun);

        call.refresh().await?;
        if !call.staged_is(from).await? {
            // An earlier try may have come as far as the index.
            let there = call.staged_is(to).await? && call.changed().await?.is_empty();
            gone(fs::remove_file(&index))?;
            return Ok(if there { Moved::Yes } else { Moved::Dirty });
        }
        if !call.settle(from, to, again).await? {
            gone(fs::remove_file(&index))?;
            return Ok(Moved::Dirty);
        }
        fs::write(file(JOURNAL), begun).map_err(GitError::File)?;
        let args = ["read-tree", "-m", "-u", "--no-recurse-submodules", from.as_str(), to.as_str()];
        let answer = call.call(args).changing(turn)?.run().await?;
        if answer.code != 0 || file("index.lock").exists() {
            return Ok(Moved::Dirty);
        }
        fs::rename(&index, file("index")).map_err(GitError::File)?;
        gone(fs::remove_file(file(JOURNAL)))?;
        Ok(Moved::Yes)
    }
}

/// Calls inside one work tree with the prepared index.
struct Files<'a> {
    tree: &'a WorkTree,
    index: &'a Path,
}

impl Files<'_> {
    fn call<const N: usize>(&self, args: [&str; N]) -> Call {
        Call::new(&self.tree.git_dir, args).in_tree(&self.tree.folder, self.index)
    }

    /// Compares the files with the index anew. Exit code 1 says that some differ.
    async fn refresh(&self) -> Result<(), GitError> {
        self.call(["update-index", "-q", "--refresh"]).run().await.map(|_| ())
    }

    /// Whether nothing is staged against a commit.
    async fn staged_is(&self, commit: &Sha) -> Result<bool, GitError> {
        self.call(["diff-index", "--cached", "--quiet", commit.as_str(), "--"]).yes().await
    }

    /// Tracked files that differ from the index.
    async fn changed(&self) -> Result<Paths, GitError> {
        let call = self.call(["diff-files", "--name-only", "-z", "--ignore-submodules=dirty"]);
        Ok(paths(&call.bytes().await?))
    }

    /// Makes the index fit the files where an earlier try got that far. False when a file is somebody's work.
    async fn settle(&self, from: &Sha, to: &Sha, again: bool) -> Result<bool, GitError> {
        let args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=A"];
        let added = self.call(args).arg(from.as_str()).arg(to.as_str()).arg("--").bytes().await?;
        let mut odd = self.changed().await?;
        odd.extend(paths(&added).into_iter().filter(|path| self.on_disk(path).is_some()));
        if odd.is_empty() {
            return Ok(true);
        }
        let goal = self.entries(to).await?;
        let mut lines = Vec::new();
        for path in &odd {
            match goal.get(path) {
                Some(entry) => lines.extend_from_slice(entry),
                None if self.on_disk(path).is_some() => return Ok(false),
                None => lines.extend(format!("0 {}\t", "0".repeat(to.as_str().len())).bytes()),
            }
            if !goal.contains_key(path) {
                lines.extend_from_slice(path);
            }
            lines.push(0);
        }
        self.call(["update-index", "-z", "--index-info"]).input(lines).bytes().await?;
        self.refresh().await?;
        let left: Vec<Vec<u8>> = self.changed().await?.into_iter().collect();
        if left.is_empty() {
            return Ok(true);
        }
        if !again {
            return Ok(false);
        }
        for path in &left {
            if !odd.contains(path) || !self.torn(path, to).await? {
                return Ok(false);
            }
        }
        let mut list = left.join(&0);
        list.push(0);
        self.call(["checkout-index", "-f", "-u", "-z", "--stdin"]).input(list).bytes().await?;
        Ok(self.changed().await?.is_empty())
    }

    /// Lines of a commit's tree for `update-index --index-info`, by path.
    async fn entries(&self, commit: &Sha) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, GitError> {
        let list = self.call(["ls-tree", "-r", "-z", "--full-tree", commit.as_str()]).bytes().await?;
        let entries = list.split(|b| *b == 0).filter_map(|entry| {
            let tab = entry.iter().position(|b| *b == b'\t')?;
            Some((entry[tab + 1..].to_vec(), entry.to_vec()))
        });
        Ok(entries.collect())
    }

    /// Whether a file is what a killed checkout leaves: missing, or the beginning of what it was to become.
    async fn torn(&self, path: &[u8], to: &Sha) -> Result<bool, GitError> {
        let Some(place) = self.on_disk(path) else { return Ok(true) };
        let Ok(there) = fs::read(place) else { return Ok(false) };
        let mut name = Vec::from(to.as_str());
        name.push(b':');
        name.extend_from_slice(path);
        let goal = self.call(["cat-file", "--filters"]).arg(OsStr::from_bytes(&name)).bytes().await?;
        Ok(goal.starts_with(&there))
    }

    /// Where a path is in the work tree, if it is there.
    fn on_disk(&self, path: &[u8]) -> Option<PathBuf> {
        let place = self.tree.folder.join(OsStr::from_bytes(path));
        place.symlink_metadata().is_ok().then_some(place)
    }
}

fn paths(list: &[u8]) -> Paths {
    list.split(|b| *b == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect()
}

/// A file that is gone is as good as one that was removed.
fn gone(result: io::Result<()>) -> Result<(), GitError> {
    match result {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(GitError::File(e)),
        _ => Ok(()),
    }
}

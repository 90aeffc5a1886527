//! Branches: read straight from the repository's files, so that an idle look costs no process; moved, made and deleted by
//! `git update-ref` with the old value.

use super::{Git, GitError, Moved, Turn};
use banksman_core::text::{BranchName, Sha};
use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fs,
    hash::{Hash, Hasher},
    io,
    path::Path,
};

/// All branches at one moment. Those whose names are not of our shape are left out.
pub(crate) type Heads = BTreeMap<BranchName, Sha>;

/// What a branch is set from when it must not be there.
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Git {
    /// All branches. Single files are read before the packed list: git writes the list first when it packs a branch, so that no
    /// branch is missed on its way.
    pub(crate) async fn heads(&self) -> Result<Heads, GitError> {
        let common = self.place.common.clone();
        let read = tokio::task::spawn_blocking(move || read_files(&common)).await;
        match read {
            Ok(Ok(heads)) => Ok(heads),
            // Another way of storing branches, a symbolic one, or a file that is being written: git knows.
            Ok(Err(_)) | Err(_) => self.ask_heads().await,
        }
    }

    /// One branch.
    pub(crate) async fn head(&self, branch: &BranchName) -> Result<Option<Sha>, GitError> {
        Ok(self.heads().await?.remove(branch))
    }

    /// A number that changes when branches move: a cheap hint for waking up, no proof of anything.
    pub(crate) async fn stamp(&self) -> u64 {
        let common = self.place.common.clone();
        tokio::task::spawn_blocking(move || {
            let mut hash = DefaultHasher::new();
            let mut files = Vec::new();
            // What cannot be read changes nothing.
            let _ = walk(&common.join("refs/heads"), String::new(), &mut files);
            for (name, text) in files {
                name.hash(&mut hash);
                text.hash(&mut hash);
            }
            for other in ["packed-refs", "reftable/tables.list"] {
                if let Ok(meta) = common.join(other).metadata() {
                    meta.len().hash(&mut hash);
                    meta.modified().ok().hash(&mut hash);
                }
            }
            hash.finish()
        })
        .await
        .unwrap_or_default()
    }

    async fn ask_heads(&self) -> Result<Heads, GitError> {
        let list = self
            .call(["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/"])
            .bytes()
            .await?;
        let lines = list.split(|b| *b == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        Ok(lines
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(sha, name)| Some((BranchName::new(name).ok()?, Sha::new(sha).ok()?)))
            .collect())
    }

    /// Sets a branch from one commit to another, its work trees included.
    pub(crate) async fn advance(
        &self,
        turn: &Turn,
        branch: &BranchName,
        from: &Sha,
        to: &Sha,
    ) -> Result<Moved, GitError> {
        for tree in self.checked_out(branch).await? {
            if self.head(branch).await?.as_ref() != Some(from) {
                return Ok(Moved::Elsewhere);
            }
            match self.move_tree(turn, &tree, from, to).await? {
                Moved::Yes => {}
                other => return Ok(other),
            }
        }
        self.set(turn, branch, from.as_str(), to).await
    }

    /// Makes a branch.
    pub(crate) async fn create(&self, turn: &Turn, branch: &BranchName, at: &Sha) -> Result<Moved, GitError> {
        self.set(turn, branch, &ZEROS[..at.as_str().len()], at).await
    }

    async fn set(&self, turn: &Turn, branch: &BranchName, from: &str, to: &Sha) -> Result<Moved, GitError> {
        let name = format!("refs/heads/{branch}");
        let call =
            self.call(["update-ref", "-m", "banksman", "--", &name, to.as_str(), from]).changing(turn)?;
        let answer = call.run().await?;
        match self.head(branch).await? {
            Some(now) if now == *to => Ok(Moved::Yes),
            now if answer.code == 0 || now.as_ref().map(Sha::as_str) != Some(from) => Ok(Moved::Elsewhere),
            _ => Err(self.stuck(branch, answer.code)),
        }
    }

    /// Deletes a branch that is at that commit.
    pub(crate) async fn delete(&self, turn: &Turn, branch: &BranchName, at: &Sha) -> Result<Moved, GitError> {
        match self.head(branch).await? {
            None => return Ok(Moved::Yes),
            Some(now) if now != *at => return Ok(Moved::Elsewhere),
            Some(_) => {}
        }
        let name = format!("refs/heads/{branch}");
        let answer = self.call(["update-ref", "-d", "--", &name, at.as_str()]).changing(turn)?.run().await?;
        match self.head(branch).await? {
            None => Ok(Moved::Yes),
            Some(now) if now != *at => Ok(Moved::Elsewhere),
            Some(_) => Err(self.stuck(branch, answer.code)),
        }
    }

    /// Why a branch that is where it should be cannot be moved.
    fn stuck(&self, branch: &BranchName, code: i32) -> GitError {
        let lock = self.place.common.join(format!("refs/heads/{branch}.lock"));
        let locks = [lock, self.place.common.join("packed-refs.lock")];
        match locks.into_iter().find(|lock| lock.exists()) {
            Some(lock) => GitError::Locked(lock),
            None => GitError::Failed { command: "update-ref".into(), code },
        }
    }
}

fn read_files(common: &Path) -> io::Result<Heads> {
    if common.join("reftable").exists() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut files = Vec::new();
    walk(&common.join("refs/heads"), String::new(), &mut files)?;
    let mut heads = Heads::new();
    match fs::read_to_string(common.join("packed-refs")) {
        Ok(list) => {
            for line in list.lines() {
                if let Some((sha, name)) = line.split_once(' ')
                    && let Some(name) = name.strip_prefix("refs/heads/")
                    && let (Ok(name), Ok(sha)) = (BranchName::new(name), Sha::new(sha))
                {
                    heads.insert(name, sha);
                }
            }
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    for (name, text) in files {
        if let Ok(name) = BranchName::new(&name) {
            let sha = Sha::new(text.trim_end()).map_err(|_| io::ErrorKind::InvalidData)?;
            heads.insert(name, sha);
        }
    }
    Ok(heads)
}

/// Names below `refs/heads` with the contents of their files. A name that is not UTF-8 is not of our shape.
fn walk(folder: &Path, prefix: String, into: &mut Vec<(String, String)>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(|n| format!("{prefix}{n}")) else { continue };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), format!("{name}/"), into)?;
        } else if !name.ends_with(".lock") {
            match fs::read_to_string(entry.path()) {
                Ok(text) => into.push((name, text)),
                // Deleted or packed meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
    }
    Ok(())
}

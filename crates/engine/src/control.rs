//! The bare control repository of a forge's repository (S11): what agents made is fetched into it, looked at in it, and pushed from
//! it. It has no work tree, no hooks and no configuration but ours, and no agent ever sees its files.

use crate::{
    git::{Answer, Git, GitCommand, GitError},
    network,
    remote::Remote,
};
use banksman_core::{
    id::AttemptId,
    text::{BranchName, RepoName, Sha},
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A control repository and the repository of the forge that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    git: Git,
    dir: PathBuf,
    forge: Remote,
}

impl Control {
    /// Where the control repository of a configured repository is.
    pub(crate) fn dir_of(home: &Path, repo: &RepoName) -> PathBuf {
        home.join("control").join(format!("{repo}.git"))
    }

    /// Where the control repository of any other repository is, by its canonical git directory. No owner of a configured one begins
    /// with a dot.
    pub(crate) fn dir_for(home: &Path, git_dir: &Path) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        let digest = Sha256::digest(git_dir.as_os_str().as_bytes());
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self::folder_of_jobs(home).join(format!("{name}.git"))
    }

    /// Where those are.
    pub(crate) fn folder_of_jobs(home: &Path) -> PathBuf {
        home.join("control").join(".jobs")
    }

    /// One that is there, for what needs no forge.
    pub(crate) fn existing(git: &Git, dir: PathBuf) -> Self {
        Self { git: git.clone(), forge: Remote::Folder(dir.clone()), dir }
    }

    /// Names of its refs below a prefix.
    pub(crate) async fn refs(&self, below: &str) -> Result<Vec<String>, GitError> {
        let out = self.git.at(&self.dir, "for-each-ref").arg("--format=%(refname)").arg(below).run().await?;
        Ok(String::from_utf8_lossy(&out).lines().map(str::to_owned).collect())
    }

    /// Opens it at `dir`, makes it where it is missing; under its lock. `forge` is the repository it belongs to.
    pub(crate) async fn open(git: &Git, dir: PathBuf, forge: &Remote) -> Result<Self, GitError> {
        if !dir.join("HEAD").is_file() {
            let format = object_format(git, forge).await?;
            tokio::fs::create_dir_all(&dir).await.map_err(GitError::File)?;
            // HEAD names a branch that never exists, so that no attributes are ever read from one.
            let init = git.plain("init").args(["--quiet", "--bare", "--template=", "--initial-branch=none"]);
            init.arg(format!("--object-format={format}")).arg(&dir).run().await?;
        }
        Ok(Self { git: git.clone(), dir, forge: forge.clone() })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn git(&self) -> &Git {
        &self.git
    }

    pub(crate) fn forge(&self) -> &Remote {
        &self.forge
    }

    /// Where branches are on the forge now, in the order asked for.
    pub(crate) async fn forge_heads<const N: usize>(
        &self,
        branches: [&BranchName; N],
    ) -> Result<[Option<Sha>; N], GitError> {
        let names = branches.map(|branch| format!("refs/heads/{branch}"));
        let list = match &self.forge {
            Remote::Folder(forge) => {
                let list = self.git.at(forge, "for-each-ref").arg("--format=%(objectname)%09%(refname)");
                list.args(&names).run().await?
            }
            Remote::Https(remote) => {
                let url = remote.url().as_str();
                let complete = |list: GitCommand| list.args(["--quiet", "--heads", url]).args(&names);
                network::ask(&self.git, Some(&self.dir), "ls-remote", remote, complete).await?
            }
        };
        let text = String::from_utf8_lossy(&list);
        let find = |branch: &BranchName| {
            let heads = text.lines().filter_map(|line| line.split_once("\trefs/heads/"));
            // A pattern finds names that end like it too.
            let (sha, _) = heads.into_iter().find(|(_, name)| *name == branch.as_str())?;
            Sha::new(sha).ok()
        };
        Ok(branches.map(find))
    }

    /// Fetches branches of the forge and gives their heads.
    pub(crate) async fn fetch_branches<const N: usize>(
        &self,
        branches: [&BranchName; N],
    ) -> Result<[Option<Sha>; N], GitError> {
        let heads = self.forge_heads(branches).await?;
        let named = branches.iter().zip(&heads).filter_map(|(branch, sha)| Some((branch, sha.as_ref()?)));
        // A flat name, so that a branch `a/b` can come after a branch `a` has gone.
        let wanted =
            named.map(|(branch, sha)| format!("+{sha}:refs/forge/{}", branch.as_str().replace('/', "+")));
        let wanted: BTreeSet<String> = wanted.collect();
        if !wanted.is_empty() {
            self.fetch(wanted).await?;
        }
        Ok(heads)
    }

    /// Makes sure that a commit of the forge is here, whatever branch has it or had it.
    pub(crate) async fn fetch_sha(&self, sha: &Sha) -> Result<(), GitError> {
        match self.has(sha).await? {
            Answer::Yes => Ok(()),
            Answer::No => self.fetch([sha.to_string()]).await,
        }
    }

    /// Fetches commits by their names, so that no branch has to stay where it was looked at.
    async fn fetch(&self, refspecs: impl IntoIterator<Item = String>) -> Result<(), GitError> {
        const QUIETLY: [&str; 3] = ["--quiet", "--no-tags", "--no-write-fetch-head"];
        match &self.forge {
            Remote::Folder(forge) => {
                let fetch = self.git.at(&self.dir, "fetch").args(QUIETLY);
                let fetch = fetch.arg("--update-shallow").arg(ANY_COMMIT).arg(forge);
                fetch.args(refspecs).run().await.map(drop)
            }
            Remote::Https(remote) => {
                let refspecs: Vec<String> = refspecs.into_iter().collect();
                let complete =
                    |fetch: GitCommand| fetch.args(QUIETLY).arg(remote.url().as_str()).args(&refspecs);
                network::ask(&self.git, Some(&self.dir), "fetch", remote, complete).await.map(drop)
            }
        }
    }

    pub(crate) async fn has(&self, sha: &Sha) -> Result<Answer, GitError> {
        let (code, ..) =
            self.git.at(&self.dir, "cat-file").arg("-e").arg(format!("{sha}^{{commit}}")).output().await?;
        Ok(if code == Some(0) { Answer::Yes } else { Answer::No })
    }

    /// Takes the branch out of a bundle that an agent's side made. Every object is checked on its way in.
    pub(crate) async fn fetch_bundle(&self, bundle: &Path, attempt: AttemptId) -> Result<Sha, GitError> {
        let to = attempt_ref(attempt);
        let fetch = self.git.at(&self.dir, "fetch").setting("fetch.fsckObjects=true");
        let fetch = fetch.args(["--quiet", "--no-tags", "--no-write-fetch-head"]).arg(bundle);
        fetch.arg(format!("+refs/heads/work:{to}")).run().await?;
        self.resolve(&to).await
    }

    /// Takes a branch out of a clone that no agent has touched.
    pub(crate) async fn fetch_clean_clone(&self, clone: &Path, attempt: AttemptId) -> Result<Sha, GitError> {
        let to = attempt_ref(attempt);
        let fetch = self.git.at(&self.dir, "fetch").args(["--quiet", "--no-tags", "--no-write-fetch-head"]);
        fetch.arg(clone).arg(format!("+HEAD:{to}")).run().await?;
        self.resolve(&to).await
    }

    pub(crate) async fn resolve(&self, name: &str) -> Result<Sha, GitError> {
        let out = self
            .git
            .at(&self.dir, "rev-parse")
            .args(["--verify", "--quiet"])
            .arg(format!("{name}^{{commit}}"))
            .run()
            .await?;
        Sha::new(String::from_utf8_lossy(&out).trim()).map_err(|_| GitError::Answer("rev-parse"))
    }

    pub(crate) async fn is_ancestor(&self, ancestor: &Sha, of: &Sha) -> Result<Answer, GitError> {
        self.git
            .at(&self.dir, "merge-base")
            .arg("--is-ancestor")
            .arg(ancestor.as_str())
            .arg(of.as_str())
            .answers()
            .await
    }

    /// Whether two commits have the same files.
    pub(crate) async fn same_tree(&self, a: &Sha, b: &Sha) -> Result<Answer, GitError> {
        let diff = self.git.at(&self.dir, "diff-tree").args(["--quiet", "--no-ext-diff", "-r"]);
        diff.arg(a.as_str()).arg(b.as_str()).answers().await
    }

    /// Files in which the lines added between two commits have conflict markers.
    pub(crate) async fn marked_files(&self, from: &Sha, to: &Sha) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let diff = self.git.at(&self.dir, "diff-tree").args([
            "-p",
            "-U0",
            "-r",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
        ]);
        let diff = diff.args(["--no-renames", "--no-commit-id", "--src-prefix=a/", "--dst-prefix=b/"]);
        let mut markers = Markers::default();
        diff.arg(from.as_str()).arg(to.as_str()).stream(|piece| markers.feed(piece)).await?;
        Ok(markers.files)
    }

    /// Files that differ between two commits, and lines added and removed. A binary file has no lines.
    pub(crate) async fn measure(&self, from: &Sha, to: &Sha) -> Result<Change, GitError> {
        let diff = self.git.at(&self.dir, "diff-tree").args(["--numstat", "-r", "-z", "--no-renames"]);
        let diff = diff.args(["--no-ext-diff", "--no-textconv", "--no-commit-id"]);
        let out = diff.arg(from.as_str()).arg(to.as_str()).run().await?;
        let mut change = Change::default();
        for entry in out.split(|b| *b == 0).filter(|entry| !entry.is_empty()) {
            let number = |field: Option<&[u8]>| {
                field.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok()).unwrap_or(0)
            };
            let mut fields = entry.splitn(3, |b| *b == b'\t');
            change.files = change.files.saturating_add(1);
            change.added = change.added.saturating_add(number(fields.next()));
            change.removed = change.removed.saturating_add(number(fields.next()));
        }
        Ok(change)
    }

    /// Names of all files and folders of a commit; names that are no text are left out.
    pub(crate) async fn paths(&self, of: &Sha) -> Result<BTreeSet<String>, GitError> {
        let list = self.git.at(&self.dir, "ls-tree").args(["-r", "-t", "-z", "--name-only"]).arg(of.as_str());
        let out = list.run().await?;
        let names = out.split(|b| *b == 0).filter(|name| !name.is_empty());
        Ok(names.filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect())
    }

    /// Points a ref of the control repository at a commit.
    pub(crate) async fn note(&self, name: &str, sha: &Sha) -> Result<(), GitError> {
        self.git.at(&self.dir, "update-ref").arg(name).arg(sha.as_str()).run().await.map(drop)
    }

    /// The commit that a ref of the control repository points at.
    pub(crate) async fn noted(&self, name: &str) -> Result<Option<Sha>, GitError> {
        let find = self.git.at(&self.dir, "rev-parse").args(["--verify", "--quiet"]).arg(name);
        match find.output().await? {
            (Some(0), out, _) => Ok(Sha::new(String::from_utf8_lossy(&out).trim()).ok()),
            _ => Ok(None),
        }
    }

    /// Forgets what [`Control::note`] noted.
    pub(crate) async fn forget_note(&self, name: &str) -> Result<(), GitError> {
        self.git.at(&self.dir, "update-ref").arg("-d").arg(name).run().await.map(drop)
    }

    /// Forgets an attempt; its objects go with the next collection of garbage.
    pub(crate) async fn forget(&self, attempt: AttemptId) -> Result<(), GitError> {
        self.git.at(&self.dir, "update-ref").arg("-d").arg(attempt_ref(attempt)).run().await.map(drop)
    }

    /// Collects garbage if there is much of it. At start only, when no attempt runs.
    pub(crate) async fn collect_garbage(&self) -> Result<(), GitError> {
        let gc =
            self.git.at(&self.dir, "gc").setting("gc.auto=6700").args(["--auto", "--quiet", "--no-detach"]);
        gc.run().await.map(drop)
    }
}

/// How much differs between two commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Change {
    pub(crate) files: u32,
    pub(crate) added: u32,
    pub(crate) removed: u32,
}

/// Lets `git fetch` take a commit by its name alone.
pub(crate) const ANY_COMMIT: &str = "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack";

/// Where an attempt's work is kept until it is published.
pub(crate) fn attempt_ref(attempt: AttemptId) -> String {
    format!("refs/attempts/{attempt}")
}

async fn object_format(git: &Git, forge: &Remote) -> Result<String, GitError> {
    match forge {
        Remote::Folder(forge) => {
            let out = git.at(forge, "rev-parse").arg("--show-object-format").run().await?;
            Ok(String::from_utf8_lossy(&out).trim().to_owned())
        }
        Remote::Https(remote) => {
            let complete = |list: GitCommand| list.args(["--quiet", "--heads", remote.url().as_str()]);
            let list = network::ask(git, None, "ls-remote", remote, complete).await?;
            // The length of a head tells it; where there is none yet there is nothing to fetch either.
            let hex = list.iter().take_while(|b| b.is_ascii_hexdigit()).count();
            Ok(if hex == 64 { "sha256" } else { "sha1" }.to_owned())
        }
    }
}

/// Finds conflict markers in a patch that comes in pieces. Remembers only the beginning of the line at hand and the file's name.
#[derive(Debug, Default)]
struct Markers {
    line: Vec<u8>,
    file: Vec<u8>,
    files: BTreeSet<Vec<u8>>,
}

/// Longest beginning of a line that is kept: a path fits, a minified script does not.
const MAX_LINE: usize = 8192;

impl Markers {
    fn feed(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|b| *b == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end_of_line();
                self.line.clear();
            }
        }
    }

    fn end_of_line(&mut self) {
        let line = self.line.trim_ascii_end();
        if let Some(file) = line.strip_prefix(b"diff --git ") {
            self.file = file.to_vec();
        } else if let Some(added) = line.strip_prefix(b"+")
            && [b"<<<<<<<", b">>>>>>>"].iter().any(|marker| {
                added.strip_prefix(*marker).is_some_and(|rest| rest.is_empty() || rest.starts_with(b" "))
            })
        {
            self.files.insert(self.file.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_count_only_in_added_lines() {
        let patch = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,3 @@\n-<<<<<<< HEAD\n+<<<<<<<< eight\n+=======\n+ <<<<<<< x\n\
                      diff --git a/y b/y\n+++ b/y\n@@ -0,0 +1 @@\n+>>>>>>> theirs\r\n";
        for size in [1, 5, 1000] {
            let mut markers = Markers::default();
            patch.chunks(size).for_each(|piece| markers.feed(piece));
            assert_eq!(markers.files, BTreeSet::from([b"a/y b/y".to_vec()]));
        }
    }
}

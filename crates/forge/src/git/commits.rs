//! Commits that the forge makes, without a work tree and under a name of its own.

use super::{Git, GitError};
use banksman_core::{
    id::Number,
    tainted::Tainted,
    text::{BranchName, Sha},
};
use jiff::Timestamp;

/// Who the forge's commits are by.
const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Banksman"),
    ("GIT_AUTHOR_EMAIL", "banksman@localhost"),
    ("GIT_COMMITTER_NAME", "Banksman"),
    ("GIT_COMMITTER_EMAIL", "banksman@localhost"),
];

/// A commit as people see it.
pub struct CommitView {
    /// Its id.
    pub sha: Sha,
    /// Its tree.
    pub tree: Sha,
    /// Its parents.
    pub parents: Vec<Sha>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// What it says.
    pub message: Tainted,
}

/// A name in a commit: written by whoever made the commit, proves nothing.
pub struct Signature {
    /// The name.
    pub name: Tainted,
    /// The address.
    pub email: Tainted,
    /// The time.
    pub at: Timestamp,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFate {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Removed,
}

/// A file in a change.
pub struct FileChange {
    /// Its path.
    pub path: Tainted,
    /// Its contents afterwards; zeros when it is gone.
    pub blob: Sha,
    /// What happened.
    pub fate: FileFate,
    /// Lines added; 0 for a file that is not text.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
}

/// What a commit of the forge says: its own content, like a title on its pages.
pub(crate) struct Message(String);

impl Message {
    /// `<title> (#N)`, on one line without control characters.
    pub(crate) fn pull(title: &Tainted, pull: Number) -> Self {
        let mut line = title.structure(|t| {
            t.chars().map(|c| if c.is_control() { ' ' } else { c }).take(256).collect::<String>()
        });
        if line.trim().is_empty() {
            line = "Merge pull request".to_owned();
        }
        Self(format!("{} (#{pull})\n", line.trim()))
    }

    /// For a base that is merged into a head branch.
    pub(crate) fn update(base: &BranchName, head: &BranchName) -> Self {
        Self(format!("Merge branch '{base}' into {head}\n"))
    }
}

impl Git {
    /// Writes a commit of a tree.
    pub(crate) async fn commit(
        &self,
        tree: &Sha,
        parents: &[&Sha],
        message: Message,
        at: Timestamp,
    ) -> Result<Sha, GitError> {
        let date = format!("@{} +0000", at.as_second());
        let mut call = self.call(["commit-tree", tree.as_str()]);
        for parent in parents {
            call = call.arg("-p").arg(parent.as_str());
        }
        for (name, value) in IDENTITY {
            call = call.env(name, value);
        }
        let call = call.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        let text = call.arg("-F").arg("-").input(message.0.into_bytes()).text().await?;
        sha("commit-tree", text.trim_end())
    }

    /// Whether a commit is reachable from another one.
    pub(crate) async fn contains(&self, whole: &Sha, part: &Sha) -> Result<bool, GitError> {
        if whole == part {
            return Ok(true);
        }
        self.call(["merge-base", "--is-ancestor", part.as_str(), whole.as_str()]).yes().await
    }

    /// The tree of a commit.
    pub(crate) async fn tree(&self, commit: &Sha) -> Result<Sha, GitError> {
        let text = self.call(["rev-parse", "--verify", &format!("{commit}^{{tree}}")]).text().await?;
        sha("rev-parse", text.trim_end())
    }

    /// A commit with everything on it; `None`: there is none of that id.
    pub(crate) async fn show(&self, commit: &Sha) -> Result<Option<CommitView>, GitError> {
        Ok(self.log([commit.as_str(), "--max-count=1"]).await?.pop())
    }

    /// The commits that a head has beyond a fork, oldest first, at most so many.
    pub(crate) async fn between(
        &self,
        fork: &Sha,
        head: &Sha,
        most: u32,
    ) -> Result<Vec<CommitView>, GitError> {
        let most = format!("--max-count={most}");
        let mut commits = self.log([&format!("{fork}..{head}"), &most]).await?;
        commits.reverse();
        Ok(commits)
    }

    /// The commits that lead to one, newest first, at most so many.
    pub(crate) async fn history(&self, head: &Sha, most: u32) -> Result<Vec<CommitView>, GitError> {
        self.log([head.as_str(), &format!("--max-count={most}")]).await
    }

    async fn log(&self, which: [&str; 2]) -> Result<Vec<CommitView>, GitError> {
        let format = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00";
        let [what, limit] = which;
        let answer = self.call(["rev-list", "--no-commit-header", format, limit, what, "--"]).run().await?;
        match answer.code {
            0 => views(&String::from_utf8_lossy(&answer.out)),
            // Nothing of that id.
            128 => Ok(Vec::new()),
            code => Err(GitError::Failed { command: "rev-list".into(), code }),
        }
    }

    /// Files that differ between two commits with their lines added and removed, and the patch of each.
    pub(crate) async fn files(&self, from: &Sha, to: &Sha) -> Result<Vec<FileChange>, GitError> {
        let args =
            ["diff-tree", "-r", "-z", "--raw", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let list = self.call(args).arg(from.as_str()).arg(to.as_str()).arg("--").bytes().await?;
        Ok(changes(&list))
    }

    /// The patch of one file between two commits.
    pub(crate) async fn file_patch(&self, from: &Sha, to: &Sha, path: &Tainted) -> Result<Tainted, GitError> {
        let args = ["diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"];
        let call = self.call(args).arg(from.as_str()).arg(to.as_str()).arg("--");
        let patch = call.arg(path.structure(str::to_owned)).bytes().await?;
        Ok(Tainted::new(String::from_utf8_lossy(&patch).into_owned()))
    }

    /// The change that a commit makes to its first parent, for people.
    pub(crate) async fn patch_of(&self, commit: &Sha) -> Result<Tainted, GitError> {
        let parent = self.call(["rev-parse", "--verify", &format!("{commit}^1")]).text().await?;
        self.patch(&sha("rev-parse", parent.trim_end())?, commit).await
    }

    /// The change from one commit to another as a patch, for people.
    pub(crate) async fn patch(&self, from: &Sha, to: &Sha) -> Result<Tainted, GitError> {
        let args = ["diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "-M"];
        let patch = self.call(args).arg(from.as_str()).arg(to.as_str()).arg("--").bytes().await?;
        Ok(Tainted::new(String::from_utf8_lossy(&patch).into_owned()))
    }
}

/// Commits out of an answer: ten fields each, ended by zero bytes; a line break follows the last.
fn views(answer: &str) -> Result<Vec<CommitView>, GitError> {
    let bad = || GitError::Answer("rev-list".to_owned());
    let mut fields = answer.split('\0');
    let mut views = Vec::new();
    loop {
        let first = fields.next().unwrap_or_default().trim_start_matches('\n');
        if first.is_empty() {
            return Ok(views);
        }
        let mut text = || fields.next().ok_or_else(bad);
        let sha_of = |text: &str| sha("rev-list", text);
        let (id, tree) = (sha_of(first)?, sha_of(text()?)?);
        let parents = text()?.split_whitespace().map(sha_of).collect::<Result<_, _>>()?;
        let mut signature = || {
            let (name, email) = (text()?.to_owned(), text()?.to_owned());
            let at = text()?.parse().ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or_default();
            Ok::<_, GitError>(Signature { name: Tainted::new(name), email: Tainted::new(email), at })
        };
        let (author, committer) = (signature()?, signature()?);
        let message = Tainted::new(text()?.trim_end_matches('\n').to_owned());
        views.push(CommitView { sha: id, tree, parents, author, committer, message });
    }
}

/// Files out of an answer: the raw entries first, then the counts in the same order.
fn changes(answer: &[u8]) -> Vec<FileChange> {
    let mut parts = answer.split(|b| *b == 0).filter(|part| !part.is_empty());
    let mut files: Vec<FileChange> = Vec::new();
    let mut counted = 0;
    while let Some(part) = parts.next() {
        let text = String::from_utf8_lossy(part);
        if let Some(raw) = text.strip_prefix(':') {
            let mut columns = raw.split(' ').skip(3);
            let blob = columns.next().and_then(|blob| Sha::new(blob).ok());
            let fate = match columns.next() {
                Some("A") => FileFate::Added,
                Some("D") => FileFate::Removed,
                _ => FileFate::Modified,
            };
            if let (Some(blob), Some(path)) = (blob, parts.next()) {
                let path = Tainted::new(String::from_utf8_lossy(path).into_owned());
                files.push(FileChange { path, blob, fate, additions: 0, deletions: 0 });
            }
        } else {
            let mut columns = text.split('\t').map(|count| count.parse().unwrap_or(0));
            if let Some(file) = files.get_mut(counted) {
                file.additions = columns.next().unwrap_or(0);
                file.deletions = columns.next().unwrap_or(0);
            }
            counted += 1;
        }
    }
    files
}

/// An object id out of an answer.
pub(super) fn sha(command: &str, text: &str) -> Result<Sha, GitError> {
    Sha::new(text).map_err(|_| GitError::Answer(command.to_owned()))
}

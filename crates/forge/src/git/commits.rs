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

/// An object id out of an answer.
pub(super) fn sha(command: &str, text: &str) -> Result<Sha, GitError> {
    Sha::new(text).map_err(|_| GitError::Answer(command.to_owned()))
}

//! How two commits stand to each other: what a pull request shows of its head and base. Depends on nothing but the two, so it
//! is computed once per pair.

use super::{Git, GitError, commits::sha};
use banksman_core::{port::book::Size, text::Sha};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Pairs of commits that are remembered; when there are more, all are forgotten.
const PAIRS: usize = 4096;

/// What is known about pairs of commits; it never changes.
#[derive(Debug, Default)]
pub(super) struct Known {
    relations: Memory<Relation>,
    sizes: Memory<Size>,
}

/// Something known about pairs of commits.
#[derive(Debug)]
struct Memory<T>(Mutex<HashMap<(Sha, Sha), T>>);

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Memory<T> {
    fn get(&self, one: &Sha, other: &Sha) -> Option<T> {
        self.lock().get(&(one.clone(), other.clone())).cloned()
    }

    fn keep(&self, one: &Sha, other: &Sha, value: T) {
        let mut all = self.lock();
        if all.len() >= PAIRS {
            all.clear();
        }
        all.insert((one.clone(), other.clone()), value);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Sha, Sha), T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a head stands to a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    /// Where they parted; `None`: their histories have nothing in common.
    pub(crate) fork: Option<Sha>,
    /// What merging the head into the base gives.
    pub(crate) merged: Merged,
    /// The head has commits that the base lacks.
    pub(crate) ahead: bool,
    /// The base has commits that the head lacks.
    pub(crate) behind: bool,
    /// The change that the head makes since the fork.
    pub(crate) size: Size,
}

/// What merging two commits gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// This tree.
    Tree(Sha),
    /// A conflict.
    Conflict,
}

impl Git {
    /// How a head stands to its base, from memory where possible.
    pub(crate) async fn relate(&self, head: &Sha, base: &Sha) -> Result<Relation, GitError> {
        if let Some(known) = self.known.relations.get(head, base) {
            return Ok(known);
        }
        let relation = self.compare(head, base).await?;
        self.known.relations.keep(head, base, relation.clone());
        Ok(relation)
    }

    async fn compare(&self, head: &Sha, base: &Sha) -> Result<Relation, GitError> {
        let Some(fork) = self.fork(head, base).await? else {
            let size = Size::default();
            return Ok(Relation { fork: None, merged: Merged::Conflict, ahead: true, behind: true, size });
        };
        let (ahead, behind) = (fork != *head, fork != *base);
        let merged = match (ahead, behind) {
            (_, false) => Merged::Tree(self.tree(head).await?),
            (false, true) => Merged::Tree(self.tree(base).await?),
            (true, true) => self.merge(base, head).await?,
        };
        let size = if ahead { self.size(&fork, head).await? } else { Size::default() };
        Ok(Relation { fork: Some(fork), merged, ahead, behind, size })
    }

    /// The best common ancestor.
    async fn fork(&self, one: &Sha, other: &Sha) -> Result<Option<Sha>, GitError> {
        let answer = self.call(["merge-base", one.as_str(), other.as_str()]).run().await?;
        match answer.code {
            0 => {
                let text = String::from_utf8_lossy(&answer.out);
                sha("merge-base", text.lines().next().unwrap_or_default()).map(Some)
            }
            1 => Ok(None),
            code => Err(GitError::Failed { command: "merge-base".into(), code }),
        }
    }

    /// Merges two commits in memory; the tree is written, nothing else.
    async fn merge(&self, ours: &Sha, theirs: &Sha) -> Result<Merged, GitError> {
        let call =
            self.call(["merge-tree", "--write-tree", "--no-messages", "-z", ours.as_str(), theirs.as_str()]);
        let answer = call.run().await?;
        match answer.code {
            0 => {
                let first = answer.out.split(|b| matches!(b, 0 | b'\n')).next().unwrap_or_default();
                Ok(Merged::Tree(sha("merge-tree", &String::from_utf8_lossy(first))?))
            }
            1 => Ok(Merged::Conflict),
            code => Err(GitError::Failed { command: "merge-tree".into(), code }),
        }
    }

    /// Lines and files that differ; a base that goes on changes nothing about the size of a change since the fork.
    async fn size(&self, from: &Sha, to: &Sha) -> Result<Size, GitError> {
        if let Some(known) = self.known.sizes.get(from, to) {
            return Ok(known);
        }
        let size = self.count(from, to).await?;
        self.known.sizes.keep(from, to, size);
        Ok(size)
    }

    /// Counts lines and files that differ. A file that is not text counts as a file without lines.
    async fn count(&self, from: &Sha, to: &Sha) -> Result<Size, GitError> {
        let args = ["diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let list = self.call(args).arg(from.as_str()).arg(to.as_str()).arg("--").bytes().await?;
        let mut size = Size::default();
        for entry in list.split(|b| *b == 0).filter(|e| !e.is_empty()) {
            let mut columns = entry.splitn(3, |b| *b == b'\t');
            let mut count = || {
                let digits = columns.next().and_then(|c| std::str::from_utf8(c).ok());
                digits.and_then(|d| d.parse::<u64>().ok()).unwrap_or(0)
            };
            size.additions += count();
            size.deletions += count();
            size.files += 1;
        }
        Ok(size)
    }
}

//! One repository of the embedded forge: its rules, its git side, and what is known about pairs of commits.

use super::LocalError;
use crate::git::{Git, GitError, Relation};
use banksman_core::{
    port::book::Checking,
    text::{BranchName, CheckName, Login, RepoName, Sha},
};
use jiff::SignedDuration;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Pairs of commits that are remembered; when there are more, all are forgotten.
const PAIRS: usize = 4096;

/// How a repository is run, from the host's configuration (S16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRepo {
    /// Its name.
    pub name: RepoName,
    /// A work tree of it, or the bare repository itself.
    pub folder: PathBuf,
    /// Its default branch: protected, moved by merges alone.
    pub default_branch: BranchName,
    /// Name and shell command of each check; every one has to pass before a merge.
    pub checks: Vec<(CheckName, String)>,
    /// Longest time of one check.
    pub check_timeout: SignedDuration,
    /// Approvals that a merge needs.
    pub required_approvals: u32,
    /// Whether a head has to contain its base before it is merged.
    pub freshness: Freshness,
    /// People whose issues may go to engines besides Banksman's own (X5).
    pub allowed: Vec<Login>,
}

/// Whether a head has to contain its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// A merge without conflict will do.
    #[default]
    Any,
    /// It has to.
    UpToDate,
}

/// A repository that was opened.
pub(super) struct Home {
    /// How it is run.
    pub(super) rules: LocalRepo,
    /// Its git side.
    pub(super) git: Git,
    /// Held while git or an epic's body is changed: one effect at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    pairs: Mutex<HashMap<(Sha, Sha), Relation>>,
    /// The branches' stamp at the last look for pushes.
    stamp: AtomicU64,
}

impl Home {
    pub(super) async fn open(rules: LocalRepo) -> Result<Self, LocalError> {
        let git = Git::find(&rules.folder)?;
        git.check_program().await?;
        if git.head(&rules.default_branch).await?.is_none() {
            let (folder, branch) = (rules.folder.clone(), rules.default_branch.clone());
            return Err(LocalError::NoDefaultBranch { folder, branch });
        }
        Ok(Self {
            rules,
            git,
            turn: tokio::sync::Mutex::default(),
            pairs: Mutex::default(),
            stamp: AtomicU64::new(0),
        })
    }

    /// How a head stands to a base, from memory where possible: two commits never change.
    pub(super) async fn relate(&self, head: &Sha, base: &Sha) -> Result<Relation, GitError> {
        let pair = (head.clone(), base.clone());
        if let Some(known) = self.pairs.lock().unwrap_or_else(PoisonError::into_inner).get(&pair) {
            return Ok(known.clone());
        }
        let relation = self.git.relate(head, base).await?;
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() >= PAIRS {
            pairs.clear();
        }
        pairs.insert(pair, relation.clone());
        Ok(relation)
    }

    /// Whether branches moved since the last call.
    pub(super) async fn moved(&self) -> bool {
        let now = self.git.stamp().await;
        self.stamp.swap(now, Ordering::Relaxed) != now
    }

    /// Whether checks are configured.
    pub(super) fn checking(&self) -> Checking {
        if self.rules.checks.is_empty() { Checking::None } else { Checking::Configured }
    }
}

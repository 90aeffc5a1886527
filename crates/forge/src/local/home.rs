//! One repository of the embedded forge: its rules, its git side, and what is known about pairs of commits.

use super::LocalError;
use crate::git::{Git, GitError, Turn};
use banksman_core::{
    port::book::Checking,
    text::{BranchName, CheckName, Login, RepoName},
};
use jiff::SignedDuration;
use std::{
    ops::Deref,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::{Mutex, MutexGuard};

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
    /// Held while a branch or an epic's body is changed by this process.
    pub(super) turn: Mutex<()>,
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
        Ok(Self { rules, git, turn: Mutex::default(), stamp: AtomicU64::new(0) })
    }

    /// Waits for the turn to change branches.
    pub(super) async fn take_turn(&self) -> Result<HomeTurn<'_>, GitError> {
        let here = self.turn.lock().await;
        Ok(HomeTurn { all: self.git.take_turn().await?, _here: here })
    }

    /// Takes the turn to change branches if nobody has it.
    pub(super) fn try_turn(&self) -> Result<Option<HomeTurn<'_>>, GitError> {
        let Ok(here) = self.turn.try_lock() else { return Ok(None) };
        Ok(self.git.try_turn()?.map(|all| HomeTurn { all, _here: here }))
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

/// The turn, taken among the tasks of this process first, so that they do not keep threads waiting.
pub(super) struct HomeTurn<'h> {
    all: Turn,
    _here: MutexGuard<'h, ()>,
}

impl Deref for HomeTurn<'_> {
    type Target = Turn;
    fn deref(&self) -> &Turn {
        &self.all
    }
}

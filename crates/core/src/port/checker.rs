//! Port through which the embedded forge runs its checks: in a fresh checkout, kept in place like an agent.

use crate::{
    port::EngineError,
    tainted::Tainted,
    text::{CheckName, RepoName, Sha},
};
use jiff::SignedDuration;
use std::future::Future;

/// Checks of one commit, run one after the other in one fresh checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOrder {
    /// Names the workspace and logs; unique per run.
    pub run: u64,
    /// The repository.
    pub repo: RepoName,
    /// The commit.
    pub sha: Sha,
    /// Name and shell command of each check, from the host's configuration (S16).
    pub checks: Vec<(CheckName, String)>,
    /// Time limit of each check.
    pub timeout: SignedDuration,
}

/// How one check ended.
pub struct CheckReport {
    /// Which.
    pub name: CheckName,
    /// It exited 0.
    pub passed: bool,
    /// The end of its output, at most 16 KiB, for the implementer's task file.
    pub log: Tainted,
}

/// Runs checks.
pub trait Checker: Send + Sync {
    /// Runs all checks of the order; the reports come in its order.
    fn check(&self, order: &CheckOrder)
    -> impl Future<Output = Result<Vec<CheckReport>, EngineError>> + Send;
}

impl<C: Checker> Checker for std::sync::Arc<C> {
    async fn check(&self, order: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        (**self).check(order).await
    }
}

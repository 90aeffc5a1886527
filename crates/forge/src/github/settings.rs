//! What the host's configuration says about repositories on GitHub. Nothing of it comes from a repository (S16).

use super::governor::Pace;
use banksman_core::text::{CheckName, Login, RepoName};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Number of a GitHub app. Names can be imitated, numbers cannot (S10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u64);

/// GitHub Actions.
pub const GITHUB_ACTIONS: AppId = AppId(15368);

/// How one repository on GitHub is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubRepo {
    /// Accounts whose issues may go to local engines, besides Banksman's own (X5).
    pub allowed: Vec<Login>,
    /// Accounts of hosted agents whose pull requests are looked after. Apps have `[bot]` at the end.
    pub agents: Vec<Login>,
    /// Apps whose check runs count (S10).
    pub check_apps: BTreeSet<AppId>,
    /// Commit statuses that count, by their context. Anybody with write access can set them, so there are none unless configured.
    pub statuses: BTreeSet<CheckName>,
}

impl Default for GithubRepo {
    /// Checks of GitHub Actions count, nothing else does.
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            agents: Vec::new(),
            check_apps: BTreeSet::from([GITHUB_ACTIONS]),
            statuses: BTreeSet::new(),
        }
    }
}

/// How repositories of one credential are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubSettings {
    /// Repositories with settings of their own; others have the defaults.
    pub repos: BTreeMap<RepoName, GithubRepo>,
    /// Pauses before an unknown mergeability is asked again; then it is passed on as unknown.
    pub mergeability_pauses: Vec<Duration>,
    /// Whose limits are kept.
    pub pace: Pace,
}

impl Default for GithubSettings {
    fn default() -> Self {
        let pauses = [1, 2, 4].map(Duration::from_secs);
        Self { repos: BTreeMap::new(), mergeability_pauses: pauses.to_vec(), pace: Pace::Githubs }
    }
}

impl GithubSettings {
    pub(super) fn repo(&self, repo: &RepoName) -> GithubRepo {
        self.repos.get(repo).cloned().unwrap_or_default()
    }
}

//! One repository of the inventory: where it lives, who works on it, what has to pass, and how it is run.

use super::{hosted::HostedAgents, short};
use crate::{config::Settings, output::Failure};
use banksman_core::{
    intent::MergeMethod,
    repo::RepoRules,
    text::{BranchName, CheckName, EngineName, Login, RepoName},
};
use banksman_forge::local::{Freshness, LocalRepo};
use clap::ValueEnum;
use jiff::{SignedDuration, fmt::serde::duration::friendly::compact::optional as friendly};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// One repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its folder, for a repository of the embedded forge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// Its canonical name there, for a repository of GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    github: Option<RepoName>,
    /// The branch that epics are merged into.
    pub(crate) default_branch: BranchName,
    /// Engines and hosted agents that implement children; the first by default.
    #[serde(default)]
    pub(crate) implementers: Vec<EngineName>,
    /// Those among them that somebody else hosts.
    #[serde(default, skip_serializing_if = "HostedAgents::is_empty")]
    pub(crate) hosted: HostedAgents,
    /// Engines that review every head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reviewers: Vec<EngineName>,
    /// What has to pass before a merge.
    #[serde(default, skip_serializing_if = "Checks::is_empty")]
    pub(crate) checks: Checks,
    /// Apps whose checks count, by id, on GitHub [default: GitHub Actions].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) check_apps: Vec<u64>,
    /// How children are merged into their epic, where it differs from the host's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merge: Option<Merge>,
    /// Approvals that a merge needs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) required_approvals: u32,
    /// A head has to contain its base's head before it is merged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) require_up_to_date: bool,
    /// Logins whose issues may go to local engines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed: Vec<Login>,
    /// Further paths that engines and checks may read inside the sandbox, such as `~/.cargo` and `~/.rustup`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) read_only: Vec<PathBuf>,
    /// Further paths that they may write, such as a cache; all attempts share them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) writable: Vec<PathBuf>,
    /// Checks keep the host's network.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) check_network: bool,
    /// Patterns, as in `.gitattributes`, of files of which a merge takes the lines of both sides, such as lock files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) union_merge: Vec<String>,
    /// How much it matters, in a word of the host's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<String>,
    /// Its main language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// Its share where repositories compete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<u32>,
    /// Its own cap of tasks in 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) daily_tasks: Option<u32>,
    /// Its own number of attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<u32>,
    /// Its own number of rounds for red checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) check_fix_rounds: Option<u32>,
    /// Its own limits of the policy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) policy: PolicyEntry,
}

/// Where a repository lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// In the embedded forge: the user's own folder.
    Folder(&'a Path),
    /// On GitHub, under this name.
    Github(&'a RepoName),
}

/// How children are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Merge {
    /// One commit each.
    Squash,
    /// With a merge commit.
    #[serde(rename = "merge")]
    #[value(name = "merge")]
    Commit,
    /// By the queue of the branch, in the queue's own way.
    Queue,
}

impl Merge {
    fn method(self) -> MergeMethod {
        match self {
            Self::Squash | Self::Queue => MergeMethod::Squash,
            Self::Commit => MergeMethod::Merge,
        }
    }
}

/// Limits that differ from the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyEntry {
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "friendly")]
    pub(crate) response_time: Option<SignedDuration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) review_requests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conflict_requests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "friendly")]
    pub(crate) red_checks: Option<SignedDuration>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "friendly")]
    pub(crate) no_pull: Option<SignedDuration>,
}

/// Checks as `[["name", "command"], ...]` or as a table `name = "command"`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ChecksWritten", into = "Vec<(CheckName, String)>")]
pub(crate) struct Checks(pub(crate) Vec<(CheckName, String)>);

#[derive(Deserialize)]
#[serde(untagged)]
enum ChecksWritten {
    List(Vec<(CheckName, String)>),
    Table(BTreeMap<CheckName, String>),
}

impl From<ChecksWritten> for Checks {
    fn from(written: ChecksWritten) -> Self {
        match written {
            ChecksWritten::List(list) => Self(list),
            ChecksWritten::Table(table) => Self(table.into_iter().collect()),
        }
    }
}

impl From<Checks> for Vec<(CheckName, String)> {
    fn from(checks: Checks) -> Self {
        checks.0
    }
}

impl Checks {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Entry {
    /// A repository of the embedded forge with nothing set but its folder.
    pub(crate) fn new(path: PathBuf, default_branch: BranchName) -> Self {
        Self::somewhere(Some(path), None, default_branch)
    }

    /// A repository of GitHub with nothing set but its name.
    pub(crate) fn on_github(name: RepoName, default_branch: BranchName) -> Self {
        Self::somewhere(None, Some(name), default_branch)
    }

    fn somewhere(path: Option<PathBuf>, github: Option<RepoName>, default_branch: BranchName) -> Self {
        Self {
            path,
            github,
            default_branch,
            implementers: Vec::new(),
            hosted: HostedAgents::default(),
            reviewers: Vec::new(),
            checks: Checks::default(),
            check_apps: Vec::new(),
            merge: None,
            required_approvals: 0,
            require_up_to_date: false,
            allowed: Vec::new(),
            read_only: Vec::new(),
            writable: Vec::new(),
            check_network: false,
            union_merge: Vec::new(),
            tier: None,
            language: None,
            weight: None,
            daily_tasks: None,
            attempts: None,
            check_fix_rounds: None,
            policy: PolicyEntry::default(),
        }
    }

    /// Where it lives.
    pub(crate) fn place(&self) -> Place<'_> {
        match (&self.github, &self.path) {
            (Some(name), _) => Place::Github(name),
            (None, Some(path)) => Place::Folder(path),
            // Whoever reads the inventory has refused it.
            (None, None) => Place::Folder(Path::new("")),
        }
    }

    /// Its folder, where it has one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self.place() {
            Place::Folder(path) => Some(path),
            Place::Github(_) => None,
        }
    }

    /// The place in a word for people: the folder, or the name on GitHub.
    pub(crate) fn place_words(&self) -> String {
        match self.place() {
            Place::Folder(path) => path.display().to_string(),
            Place::Github(name) => format!("GitHub: {name}"),
        }
    }

    /// Moves a repository of the embedded forge to another folder.
    pub(crate) fn move_to(&mut self, path: PathBuf) {
        self.path = Some(path);
    }

    /// What is wrong with the entry under this name, if anything.
    pub(super) fn mistake(&self, name: &str) -> Option<String> {
        match (&self.path, &self.github) {
            (Some(_), Some(_)) => {
                Some("has both `path` and `github`: a repository lives in one place".to_owned())
            }
            (None, None) => Some("has neither `path` (a folder) nor `github` (\"owner/name\")".to_owned()),
            (None, Some(repo)) if repo.as_str() != name => {
                Some(format!("is on GitHub as {repo}: write it as [repos.\"{repo}\"]"))
            }
            (None, Some(repo)) if repo.as_str().starts_with("local/") => {
                Some("has the owner `local`, which is the embedded forge's".to_owned())
            }
            (Some(_), None) if name.contains('/') => {
                Some("has a folder: its name is one word without `/`".to_owned())
            }
            (Some(_), None) | (None, Some(_)) => None,
        }
    }

    /// The engines of this host that work for it.
    pub(crate) fn own_engines(&self) -> impl Iterator<Item = &EngineName> {
        let hosted = |name: &EngineName| self.hosted.0.iter().any(|hosted| hosted.agent.name == *name);
        self.implementers.iter().chain(&self.reviewers).filter(move |name| !hosted(name))
    }

    /// The repository as the embedded forge is told of it, if it is one of that.
    pub(crate) fn local_repo(&self, repo: &RepoName, check_timeout: SignedDuration) -> Option<LocalRepo> {
        let folder = self.folder()?;
        Some(LocalRepo {
            name: repo.clone(),
            folder: folder.to_owned(),
            default_branch: self.default_branch.clone(),
            checks: self.checks.0.clone(),
            check_timeout,
            required_approvals: self.required_approvals,
            freshness: if self.require_up_to_date { Freshness::UpToDate } else { Freshness::Any },
            allowed: self.allowed.clone(),
        })
    }

    /// How the repository is run: the host's values with its own on top.
    pub(crate) fn rules(&self, repo: &RepoName, settings: &Settings) -> anyhow::Result<RepoRules> {
        let hosted = self.hosted.0.iter().map(|hosted| &hosted.agent.name);
        let Some(implementer) = self.implementers.iter().chain(hosted).next() else {
            return Err(Failure::new(
                format!("{} has no implementer", short(repo)),
                format!("`banksman repos edit {} --engine NAME` sets one.", short(repo)),
            ));
        };
        let mut rules = RepoRules::new(repo.clone(), implementer.clone());
        rules.reviewers = self.reviewers.clone();
        rules.hosted = self.hosted.0.iter().map(|hosted| hosted.agent.clone()).collect();
        // A person may hand an issue to any engine that works for the repository, and to no other one.
        rules.engines = self.own_engines().filter(|name| *name != implementer).cloned().collect();
        if let Place::Github(_) = self.place() {
            rules.sweeps = settings.github.sweeps();
        }
        rules.limits = settings.limits;
        let own = &self.policy;
        rules.limits.response_time = own.response_time.unwrap_or(rules.limits.response_time);
        rules.limits.review_requests = own.review_requests.unwrap_or(rules.limits.review_requests);
        rules.limits.conflict_requests = own.conflict_requests.unwrap_or(rules.limits.conflict_requests);
        rules.limits.red_checks = own.red_checks.unwrap_or(rules.limits.red_checks);
        rules.limits.no_pull = own.no_pull.unwrap_or(rules.limits.no_pull);
        rules.child_merge = self.merge.map_or(settings.child_merge, Merge::method);
        rules.epic_merge = settings.epic_merge;
        rules.attempts = self.attempts.unwrap_or(settings.attempts);
        rules.check_fix_rounds = self.check_fix_rounds.unwrap_or(settings.check_fix_rounds);
        rules.daily_tasks = self.daily_tasks.or(settings.daily_tasks);
        rules.team = crate::home::read_team(&settings.home)?;
        rules.retry_pause = settings.retry_pause;
        rules.checks = self.checks.0.iter().map(|(name, _)| name.clone()).collect();
        rules.models = settings.models.clone();
        Ok(rules)
    }
}

//! The resolved values of the configuration and their built-in defaults.

use super::error::ConfigError;
use banksman_core::{intent::MergeMethod, policy::Limits, repo::RepoRules, text::EngineName};

use banksman_engine::{EngineDefinition, EngineSettings};
use jiff::SignedDuration;
use std::{collections::BTreeMap, path::PathBuf};

/// How engines are kept in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SandboxMode {
    /// The best that the host offers; without one no engine runs (S12).
    Auto,
    /// None: an explicit choice of the host's configuration.
    Off,
}

/// All values of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where Banksman keeps its own files.
    pub(crate) home: PathBuf,
    /// How engines are kept in their place.
    pub(crate) sandbox: SandboxMode,
    /// Most tasks in 24 hours and repository; `None`: no cap.
    pub(crate) daily_tasks: Option<u32>,
    /// Attempts at one work item before it has failed.
    pub(crate) attempts: u32,
    /// Rounds in which an engine may mend the red checks of one pull request.
    pub(crate) check_fix_rounds: u32,
    /// Pause before a failed attempt is repeated.
    pub(crate) retry_pause: SignedDuration,
    /// Attempts that run at once in this process.
    pub(crate) at_once: u32,
    /// Time limit of one check.
    pub(crate) check_timeout: SignedDuration,
    /// How children are merged into their epic.
    pub(crate) child_merge: MergeMethod,
    /// How an epic is merged into the default branch.
    pub(crate) epic_merge: MergeMethod,
    /// Limits of the policy.
    pub(crate) limits: Limits,
    /// Changes to built-in engines, and engines of the host's own: keys that some file set, checked when they were read.
    pub(crate) engines: BTreeMap<EngineName, toml::Table>,
}

impl Settings {
    /// The built-in values; only the home depends on the user.
    pub(crate) fn built_in(home: PathBuf) -> Self {
        #[expect(clippy::expect_used, reason = "constants of the required shape")]
        let rules = RepoRules::new(
            banksman_core::text::RepoName::new("local/default").expect("a valid name"),
            EngineName::new("shell").expect("a valid name"),
        );
        Self {
            home,
            sandbox: SandboxMode::Auto,
            daily_tasks: None,
            attempts: rules.attempts,
            check_fix_rounds: rules.check_fix_rounds,
            retry_pause: rules.retry_pause,
            at_once: 4,
            check_timeout: SignedDuration::from_mins(30),
            child_merge: rules.child_merge,
            epic_merge: rules.epic_merge,
            limits: rules.limits,
            engines: BTreeMap::new(),
        }
    }

    /// All engines: the built-in ones with the host's changes, and the host's own.
    pub(crate) fn engine_definitions(&self) -> Result<BTreeMap<EngineName, EngineDefinition>, ConfigError> {
        let mistake = |what: String| ConfigError { place: "[engines]".to_owned(), what };
        let mut changes: BTreeMap<EngineName, EngineSettings> = BTreeMap::new();
        for (name, table) in &self.engines {
            let settings =
                table.clone().try_into().map_err(|e: toml::de::Error| mistake(e.message().to_owned()))?;
            changes.insert(name.clone(), settings);
        }
        banksman_engine::engines(&changes).map_err(|e| mistake(e.to_string()))
    }
}

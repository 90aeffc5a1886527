//! The resolved values of the configuration and their built-in defaults.

use super::{cadence::CadenceKeys, error::ConfigError, training::TrainingKeys};
use banksman_core::{
    intent::MergeMethod,
    journal::KnownModels,
    manifest::{Defaults, Profile},
    policy::Limits,
    repo::{RepoRules, Sweeps},
    text::{Capability, EngineName, ProfileName},
};
use banksman_engine::{EngineDefinition, EngineSettings};
use jiff::SignedDuration;
use secrecy::SecretString;
use std::{collections::BTreeMap, path::PathBuf};

/// How engines are kept in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SandboxMode {
    /// The best that the host offers; without one no engine runs (S12).
    Auto,
    /// None: an explicit choice of the host's configuration.
    Off,
}

/// Address of the fleet's store. It may hold a password, so it is shown without.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreUrl(String);

impl StoreUrl {
    /// Takes `postgres://...` or `postgresql://...`.
    pub(crate) fn new(text: &str) -> Option<Self> {
        ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
            .then(|| Self(text.to_owned()))
    }

    /// The whole address, for the connection alone.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Whether it holds a password.
    pub(crate) fn has_password(&self) -> bool {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let place = place.split('/').next().unwrap_or_default();
        let user = place.rsplit_once('@').map_or("", |(user, _)| user);
        user.contains(':') || query.split('&').any(|pair| pair.starts_with("password="))
    }

    /// The address without user and password.
    pub(crate) fn shown(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("postgres", ""));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let host = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
        let path = rest[end..].split('?').next().unwrap_or_default();
        format!("{scheme}://{host}{path}")
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// What files say about the tracker (20-tracker.md).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TrackerKeys {
    /// Which tracker: `items`, `github` or `linear`.
    pub(crate) kind: Option<String>,
    /// Base URL of its API.
    pub(crate) api: Option<String>,
    /// A file of mode 600 that holds the token.
    pub(crate) token_file: Option<PathBuf>,
    /// Product id that items are stamped with; `owner/name` for GitHub, the team's key for Linear.
    pub(crate) product: Option<String>,
    /// Program that is called instead of HTTP.
    pub(crate) command: Option<String>,
    /// Path of one item; `{id}` is filled in.
    pub(crate) path_item: Option<String>,
    /// Path of the list; `{product}`, `{status}`, `{label}` and `{next}` are filled in.
    pub(crate) path_items: Option<String>,
    /// Path of the comments on an item; `{id}` is filled in.
    pub(crate) path_comments: Option<String>,
}

/// What is said about GitHub. What proves who asks comes from the environment, from files of mode 600 or from a program (S19).
#[derive(Debug, Clone)]
pub(crate) struct GithubKeys {
    /// Base URL of the API, of an enterprise server `https://HOST/api/v3`.
    pub(crate) api_url: Option<String>,
    /// A token, from the environment alone.
    pub(crate) token: Option<SecretString>,
    /// A file of mode 600 that holds the token.
    pub(crate) token_file: Option<PathBuf>,
    /// A program that prints the token.
    pub(crate) token_command: Option<String>,
    /// The GitHub App to act as.
    pub(crate) app_id: Option<u64>,
    /// Where that app is installed.
    pub(crate) installation_id: Option<u64>,
    /// The app's private key, a file of mode 600.
    pub(crate) app_key_file: Option<PathBuf>,
    /// What webhooks are signed with, from the environment alone.
    pub(crate) webhook_secret: Option<SecretString>,
    /// A file of mode 600 that holds it.
    pub(crate) webhook_secret_file: Option<PathBuf>,
    /// How often a repository is looked at while something moves there; each look costs some of the hourly points. `None`: as is usual.
    pub(crate) sweep: Option<SignedDuration>,
    /// The same while nothing moves.
    pub(crate) sweep_idle: Option<SignedDuration>,
    /// What is usual: less often where this process takes in webhooks.
    pub(crate) usual_sweeps: Sweeps,
}

impl GithubKeys {
    /// Whether webhooks could be believed.
    pub(crate) fn has_webhook_secret(&self) -> bool {
        self.webhook_secret.is_some() || self.webhook_secret_file.is_some()
    }

    /// How often a repository is looked at if nothing wakes earlier.
    pub(crate) fn sweeps(&self) -> Sweeps {
        let usual = self.usual_sweeps;
        Sweeps { moving: self.sweep.unwrap_or(usual.moving), idle: self.sweep_idle.unwrap_or(usual.idle) }
    }
}

impl Default for GithubKeys {
    fn default() -> Self {
        Self {
            api_url: None,
            token: None,
            token_file: None,
            token_command: None,
            app_id: None,
            installation_id: None,
            app_key_file: None,
            webhook_secret: None,
            webhook_secret_file: None,
            sweep: None,
            sweep_idle: None,
            usual_sweeps: Sweeps::AWAY,
        }
    }
}

/// How the password of the fleet's store is known, where its address holds none: as libpq's programs know it.
#[derive(Debug, Clone, Default)]
pub(crate) struct StorePassword {
    /// `$PGPASSWORD`.
    pub(crate) password: Option<SecretString>,
    /// `$PGPASSFILE`, else `~/.pgpass`.
    pub(crate) file: Option<PathBuf>,
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
    /// The store of a fleet, `postgres://...`; `None`: the file in the home.
    pub(crate) store: Option<StoreUrl>,
    /// Its password, where the address has none.
    pub(crate) store_password: StorePassword,
    /// Time limit of an attempt at a job that names none.
    pub(crate) job_timeout: SignedDuration,
    /// Further attempts at a job that names no number.
    pub(crate) retries: u32,
    /// Times that review or tests may send a job back.
    pub(crate) fix_rounds: u32,
    /// Time between SIGTERM and SIGKILL for an attempt that is to end.
    pub(crate) grace: SignedDuration,
    /// Most that is kept of an attempt's output, in bytes.
    pub(crate) output_cap: u64,
    /// How long the output of attempts and checks is kept.
    pub(crate) keep_logs: SignedDuration,
    /// What this host's workers offer beside what is known of it.
    pub(crate) capabilities: Vec<Capability>,
    /// Profiles: named bundles of what jobs leave out.
    pub(crate) profiles: BTreeMap<ProfileName, Profile>,
    /// The models behind engines and logins.
    pub(crate) models: KnownModels,
    /// The tracker, as far as files say; its variables win.
    pub(crate) tracker: TrackerKeys,
    /// GitHub.
    pub(crate) github: GithubKeys,
    /// The daily cadence.
    pub(crate) cadence: CadenceKeys,
    /// Training data: where copies go, how often it is captured.
    pub(crate) training: TrainingKeys,
    /// Whether every change of a linked job's stage is echoed.
    pub(crate) tracker_auto: bool,
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
            store: None,
            store_password: StorePassword::default(),
            job_timeout: Defaults::default().timeout,
            retries: Defaults::default().retries,
            fix_rounds: Defaults::default().fix_rounds,
            grace: SignedDuration::from_secs(10),
            output_cap: 64 << 20,
            keep_logs: SignedDuration::from_hours(30 * 24),
            capabilities: Vec::new(),
            profiles: BTreeMap::new(),
            models: KnownModels::default(),
            tracker: TrackerKeys::default(),
            github: GithubKeys::default(),
            cadence: CadenceKeys::default(),
            training: TrainingKeys::default(),
            tracker_auto: false,
            engines: BTreeMap::new(),
        }
    }

    /// What jobs get that neither they nor their profile say.
    pub(crate) fn job_defaults(&self) -> Defaults {
        Defaults {
            timeout: self.job_timeout,
            retries: self.retries,
            fix_rounds: self.fix_rounds,
            auto_echo: self.tracker_auto,
            ..Defaults::default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_store_is_shown_without_its_password() {
        let url = StoreUrl::new("postgres://ann:s3cret@db.local:5432/banksman?sslmode=require").unwrap();
        assert_eq!(url.shown(), "postgres://db.local:5432/banksman");
        assert_eq!(format!("{url:?}"), "postgres://db.local:5432/banksman");
        assert_eq!(
            StoreUrl::new("postgres:///x?host=/run&password=s3cret").unwrap().shown(),
            "postgres:///x"
        );
        assert_eq!(StoreUrl::new("/home/x/store.db"), None);
        let holds = |url: &str| StoreUrl::new(url).unwrap().has_password();
        assert!(holds("postgres://ann:s3cret@db/b") && holds("postgres:///x?host=/run&password=s3cret"));
        assert!(!holds("postgres://ann@db:5432/b?sslmode=require") && !holds("postgres://fleet/banksman"));
    }
}

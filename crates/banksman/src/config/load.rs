//! Puts the layers of the configuration together.

use super::{
    KEYS, Key,
    error::{ConfigError, unknown},
    file::{self, Origins},
    settings::{Settings, StorePassword, StoreUrl},
};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody set it.
    BuiltIn,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Variables that are not keys of the configuration but belong to Banksman all the same.
const OTHER_VARIABLES: [&str; 13] = [
    "BANKSMAN_CONFIG",
    "BANKSMAN_LOG",
    // Of the measuring stick.
    "BANKSMAN_AUDITS",
    "BANKSMAN_AUDIT_SCORER",
    "BANKSMAN_EXPORT_OBSERVATIONS",
    "BANKSMAN_PULLS",
    "BANKSMAN_KILLS",
    "BANKSMAN_SEED",
    // What engines get, which may themselves call Banksman.
    "BANKSMAN_ATTEMPT",
    "BANKSMAN_TASK",
    "BANKSMAN_SUBJECT",
    "BANKSMAN_TASK_FILE",
    "BANKSMAN_TASK_DIR",
];

/// Values from flags: key, value, flag.
pub(crate) type Overrides = Vec<(&'static str, String, &'static str)>;

/// The configuration of this process.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Its values.
    pub(crate) settings: Settings,
    /// Where values came from; what is missing is built in.
    origins: Origins,
    /// The files that are looked for, in order, and whether each is there.
    pub(crate) files: Vec<(PathBuf, Presence)>,
}

/// Whether a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is and was read.
    Read,
    /// It is not.
    Absent,
}

impl Config {
    /// The configuration from files, environment and flags.
    pub(crate) fn load(
        environment: &BTreeMap<String, String>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut settings = Settings::built_in(default_home(environment));
        let mut origins = Origins::new();
        let mut files = Vec::new();
        for path in file_paths(environment) {
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    file::apply(&mut settings, &mut origins, &path, &text)?;
                    files.push((path, Presence::Read));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if environment.get("BANKSMAN_CONFIG").map(PathBuf::from).as_ref() == Some(&path) {
                        let place = path.display().to_string();
                        return Err(ConfigError {
                            place,
                            what: "there is no such file ($BANKSMAN_CONFIG)".into(),
                        });
                    }
                    files.push((path, Presence::Absent));
                }
                Err(error) => {
                    return Err(ConfigError {
                        place: path.display().to_string(),
                        what: format!("cannot be read: {error}"),
                    });
                }
            }
        }
        usual_variables(&mut settings, &mut origins, environment)?;
        apply_environment(&mut settings, &mut origins, environment)?;
        // The tracker's users have this variable today (20-tracker.md).
        if let Some(value) = environment.get("AQ_TRACKER_AUTO").filter(|value| !value.is_empty()) {
            settings.tracker_auto = value == "1";
            origins.insert("tracker.auto".to_owned(), Source::Environment("AQ_TRACKER_AUTO".to_owned()));
        }
        for (name, value, flag) in overrides {
            if let Some(key) = Key::named(name) {
                (key.set)(&mut settings, value).map_err(|allowed| ConfigError {
                    place: (*flag).to_owned(),
                    what: format!("has to be {allowed}"),
                })?;
                if *name == "store" && settings.store.as_ref().is_some_and(StoreUrl::has_password) {
                    return Err(ConfigError {
                        place: (*flag).to_owned(),
                        what: "holds a password, which others on this host can read while it runs; put the address into \
                               $BANKSMAN_STORE, or the password into $PGPASSWORD or a file of mode 600 ($PGPASSFILE, ~/.pgpass)"
                            .to_owned(),
                    });
                }
                origins.insert((*name).to_owned(), Source::Flag(flag));
            }
        }
        Ok(Self { settings, origins, files })
    }

    /// Where a value came from.
    pub(crate) fn origin(&self, key: &str) -> &Source {
        self.origins.get(key).unwrap_or(&Source::BuiltIn)
    }

    /// The value of a key of an engine (`engines.NAME.KEY`) that somebody set.
    pub(crate) fn engine_value(&self, key: &str) -> Option<&toml::Value> {
        let (name, key) = key.strip_prefix("engines.")?.rsplit_once('.')?;
        self.settings.engines.get(name)?.get(key)
    }

    /// Keys of engines that somebody set, with where.
    pub(crate) fn engine_origins(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.origins.iter().filter(|(key, _)| key.starts_with("engines.")).map(|(k, s)| (k.as_str(), s))
    }
}

/// Variables that other programs have made usual.
fn usual_variables(
    settings: &mut Settings,
    origins: &mut Origins,
    environment: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let filled = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let token = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find_map(|name| Some((name, filled(name)?)));
    if let (Some((name, value)), Some(key)) = (token, Key::named("github.token")) {
        (key.set)(settings, value.trim()).map_err(|allowed| ConfigError {
            place: format!("${name}"),
            what: format!("has to be {allowed}"),
        })?;
        origins.insert(key.name.to_owned(), Source::Environment(name.to_owned()));
    }
    settings.training.influx_token = filled("INFLUX_TOKEN").map(|value| SecretString::from(value.clone()));
    settings.training.usual_token_file = variable(environment, "HOME").map(|home| home.join(".influx_token"));
    settings.store_password = StorePassword {
        password: filled("PGPASSWORD").map(|value| SecretString::from(value.clone())),
        file: filled("PGPASSFILE")
            .map(PathBuf::from)
            .or_else(|| Some(variable(environment, "HOME")?.join(".pgpass"))),
    };
    Ok(())
}

fn apply_environment(
    settings: &mut Settings,
    origins: &mut Origins,
    environment: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    for (variable, value) in environment.iter().filter(|(name, _)| name.starts_with("BANKSMAN_")) {
        if OTHER_VARIABLES.contains(&variable.as_str()) || value.is_empty() {
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.variable() == *variable) else {
            let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
            let what = unknown("variable", variable, known.iter().map(String::as_str));
            return Err(ConfigError { place: format!("${variable}"), what });
        };
        (key.set)(settings, value).map_err(|allowed| ConfigError {
            place: format!("${variable}"),
            what: format!("has to be {allowed}"),
        })?;
        origins.insert(key.name.to_owned(), Source::Environment(variable.clone()));
    }
    Ok(())
}

fn variable<'a>(environment: &'a BTreeMap<String, String>, name: &str) -> Option<&'a Path> {
    environment.get(name).map(Path::new).filter(|path| path.is_absolute())
}

fn default_home(environment: &BTreeMap<String, String>) -> PathBuf {
    let data = variable(environment, "XDG_DATA_HOME").map(Path::to_path_buf);
    let user = || variable(environment, "HOME").unwrap_or(Path::new("/")).join(".local/share");
    data.unwrap_or_else(user).join("banksman")
}

/// The host's file, then the user's; `$BANKSMAN_CONFIG` stands in for the user's.
fn file_paths(environment: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let user = match variable(environment, "BANKSMAN_CONFIG") {
        Some(path) => path.to_path_buf(),
        None => {
            let folder = variable(environment, "XDG_CONFIG_HOME").map(Path::to_path_buf);
            let home = || variable(environment, "HOME").unwrap_or(Path::new("/")).join(".config");
            folder.unwrap_or_else(home).join("banksman/config.toml")
        }
    };
    vec![PathBuf::from("/etc/banksman/config.toml"), user]
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::text::{EngineName, Login};

    fn environment(folder: &Path, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let config = folder.join("config.toml").display().to_string();
        let base = [("HOME", "/home/u"), ("BANKSMAN_CONFIG", config.as_str())];
        base.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn load(text: &str, more: &[(&str, &str)], flags: &Overrides) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        let shorten = |e: ConfigError| e.to_string().replace(&format!("{}/", folder.path().display()), "");
        Config::load(&environment(folder.path(), more), flags).map_err(shorten)
    }

    #[test]
    fn each_layer_wins_over_the_one_below_and_is_remembered() {
        let text = "attempts = 3\n[policy]\nresponse_time = \"10m\"\nreview_requests = 5\n";
        let flags = vec![("policy.review_requests", "9".to_owned(), "--review-requests")];
        let config = load(text, &[("BANKSMAN_POLICY_RESPONSE_TIME", "1m")], &flags).unwrap();
        assert_eq!(config.settings.attempts, 3);
        assert!(matches!(config.origin("attempts"), Source::File { line: 1, .. }));
        assert_eq!(config.settings.limits.response_time, jiff::SignedDuration::from_mins(1));
        assert_eq!(
            config.origin("policy.response_time"),
            &Source::Environment("BANKSMAN_POLICY_RESPONSE_TIME".into())
        );
        assert_eq!(config.settings.limits.review_requests, 9);
        assert_eq!(config.origin("policy.review_requests"), &Source::Flag("--review-requests"));
        assert_eq!(config.origin("sandbox"), &Source::BuiltIn);
        assert_eq!(config.settings.home, Path::new("/home/u/.local/share/banksman"));
    }

    #[test]
    fn an_unknown_key_names_its_place_and_the_nearest_key() {
        let error =
            load("attempts = 1\n\n[policy]\n  respons_time = \"1m\"\n", &[], &Vec::new()).unwrap_err();
        assert_eq!(
            error,
            "config.toml:4:3: unknown key `policy.respons_time`; did you mean `policy.response_time`?"
        );
    }

    #[test]
    fn a_mistake_in_an_engine_names_its_place() {
        let error = load("[engines.claude]\nmodle = \"x\"\n", &[], &Vec::new()).unwrap_err();
        assert_eq!(error, "config.toml:2:1: unknown key `modle`; did you mean `model`?");
    }

    #[test]
    fn a_wrong_value_names_its_place_and_what_is_allowed() {
        let error = load("sandbox = \"maybe\"\n", &[], &Vec::new()).unwrap_err();
        assert_eq!(error, "config.toml:1:11: `sandbox` has to be `auto` or `off`");
        let error = load("attempts = = 2\n", &[], &Vec::new()).unwrap_err();
        assert!(error.starts_with("config.toml:1:12: "), "{error}");
    }

    #[test]
    fn a_mistyped_variable_is_an_error_and_foreign_ones_are_not() {
        let error = load("", &[("BANKSMAN_ATEMPTS", "2")], &Vec::new()).unwrap_err();
        assert_eq!(
            error,
            "$BANKSMAN_ATEMPTS: unknown variable `BANKSMAN_ATEMPTS`; did you mean `BANKSMAN_ATTEMPTS`?"
        );
        assert!(load("", &[("BANKSMAN_AUDITS", "/x"), ("OTHER", "y")], &Vec::new()).is_ok());
    }

    #[test]
    fn models_are_known_by_engine_or_login() {
        let text = "[models.claude]\nmodel = \"claude-sonnet-4.5\"\nprovider = \"anthropic\"\n[models.\"octo[bot]\"]\nmodel = \"gpt-5.1\"\nprovider = \"openai\"\n";
        let models = load(text, &[], &Vec::new()).unwrap().settings.models;
        let (engine, login) = (EngineName::new("claude").unwrap(), Login::new("octo[bot]").unwrap());
        let model = |engine, login| models.of(engine, login).map(|m| m.model.to_string());
        assert_eq!(model(Some(&engine), Some(&login)).as_deref(), Some("claude-sonnet-4.5"));
        assert_eq!(model(None, Some(&login)).as_deref(), Some("gpt-5.1"));
        assert_eq!(model(None, None), None);
        let error = load("[models.claude]\nmodel = \"has a space\"\nprovider = \"x\"\n", &[], &Vec::new())
            .unwrap_err();
        assert!(error.starts_with("config.toml:2:") && error.contains("model name"), "{error}");
    }

    #[test]
    fn a_password_is_not_taken_from_an_argument() {
        let flag = |url: &str| vec![("store", url.to_owned(), "--store")];
        let error = load("", &[], &flag("postgres://ann:canary@db/b")).unwrap_err();
        assert!(error.starts_with("--store: holds a password") && error.contains("$PGPASSFILE"), "{error}");
        assert!(!error.contains("canary"));
        assert!(load("", &[], &flag("postgres://ann@db/b")).is_ok());
        assert!(load("", &[("BANKSMAN_STORE", "postgres://ann:canary@db/b")], &Vec::new()).is_ok());
    }

    #[test]
    fn tokens_come_from_the_usual_variables_and_from_no_file() {
        let config = load("", &[("GH_TOKEN", "ghp_canary"), ("PGPASSWORD", "canary")], &Vec::new()).unwrap();
        assert_eq!(config.origin("github.token"), &Source::Environment("GH_TOKEN".into()));
        assert_eq!(config.settings.store_password.file.as_deref(), Some(Path::new("/home/u/.pgpass")));
        assert!(!format!("{config:?}").contains("canary"));
        let more = [("GITHUB_TOKEN", "a"), ("GH_TOKEN", "b"), ("BANKSMAN_GITHUB_TOKEN", "c")];
        let config = load("", &more, &Vec::new()).unwrap();
        assert_eq!(config.origin("github.token"), &Source::Environment("BANKSMAN_GITHUB_TOKEN".into()));
        let error = load("[github]\ntoken = \"ghp_canary\"\n", &[], &Vec::new()).unwrap_err();
        assert!(error.starts_with("config.toml:2:9: `github.token` is a secret"), "{error}");
        assert!(!error.contains("canary"));
    }

    #[test]
    fn engines_of_the_file_are_kept_key_by_key() {
        let config =
            load("[engines.mine]\nbase = \"shell\"\ncommand = \"true\"\n", &[], &Vec::new()).unwrap();
        assert_eq!(config.engine_origins().count(), 2);
        assert_eq!(config.settings.engines.len(), 1);
    }
}

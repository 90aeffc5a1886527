//! What every command gets: the form of its output and, when it asks for it, the configuration. The only place that reads the
//! environment.

use crate::{
    cli::Global,
    config::{Config, ConfigError, Overrides, Settings},
    output::{Form, Page},
};
use banksman_core::text::Login;
use banksman_tracker::TrackerSettings;
use std::{collections::BTreeMap, ffi::OsString};

/// What every command gets.
pub(crate) struct App {
    /// Where results go.
    pub(crate) page: Page,
    environment: BTreeMap<String, String>,
    overrides: Overrides,
}

impl App {
    /// Reads the environment and switches colours and logging.
    pub(crate) fn start(global: &Global) -> Self {
        // Variables that are not Unicode are none of ours.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let no_color = global.no_color || environment.get("NO_COLOR").is_some_and(|v| !v.is_empty());
        if no_color {
            anstream::ColorChoice::Never.write_global();
        }
        start_log(environment.get("BANKSMAN_LOG"));
        let form = if global.json { Form::Json } else { Form::Text };
        let mut overrides = Overrides::new();
        if let Some(home) = &global.home {
            let home = std::path::absolute(home).unwrap_or_else(|_| home.clone());
            overrides.push(("home", home.display().to_string(), "--home"));
        }
        if let Some(store) = &global.store {
            overrides.push(("store", store.clone(), "--store"));
        }
        Self { page: Page { form }, environment, overrides }
    }

    /// The configuration of this process.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        Config::load(&self.environment, &self.overrides)
    }

    /// How to reach the tracker: its own variables, then the configuration (20-tracker.md). `None`: nobody configured one.
    pub(crate) fn tracker(&self, settings: &Settings) -> anyhow::Result<Option<TrackerSettings>> {
        crate::config::tracker(settings, |name| {
            self.environment.get(name).map(String::as_str).filter(|v| !v.is_empty())
        })
    }

    /// The person at the keyboard, as far as the environment tells.
    pub(crate) fn user(&self) -> Login {
        let names = ["USER", "LOGNAME"].iter().filter_map(|name| self.environment.get(*name));
        #[expect(clippy::expect_used, reason = "a constant of the required shape")]
        names
            .filter_map(|name| Login::new(name).ok())
            .next()
            .unwrap_or_else(|| Login::new("owner").expect("a login"))
    }

    /// The whole environment, for the host of the engines, which gives each process only what is on its list (S13).
    pub(crate) fn os_environment(&self) -> BTreeMap<OsString, OsString> {
        std::env::vars_os().collect()
    }
}

/// Logs to standard error what `$BANKSMAN_LOG` asks for (`info`, `banksman_forge=debug`); nothing without it.
fn start_log(filter: Option<&String>) {
    if let Some(filter) = filter {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .init();
    }
}

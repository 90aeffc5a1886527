//! The host's configuration: built-in values, then `/etc/banksman/config.toml`, then the user's file, then `BANKSMAN_*`
//! variables, then flags. Every value remembers where it came from. Nothing of it ever comes from a repository (S16).

mod cadence;
mod error;
mod file;
mod github;
mod keys;
mod load;
mod secret_file;
mod settings;
mod tracker;
mod training;

pub(crate) use error::{ConfigError, nearest, toml_error};
pub(crate) use github::{GithubAccess, Proof, github, webhook_secret};
pub(crate) use keys::{KEYS, Key};
pub(crate) use load::{Config, Overrides, Presence};
pub(crate) use settings::{SandboxMode, Settings};
pub(crate) use tracker::tracker;
pub(crate) use training::{TrainingKeys, influx_token, sinks};

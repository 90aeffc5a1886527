//! What an engine is: program, arguments, how it gets its prompt, what it may reach (Q18). Definitions are data: the built-in
//! ones and the host's configuration have the same shape, and the configuration can change every key of a built-in one.

use crate::usage::UsageFormat;
use banksman_core::text::EngineName;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// How the prompt reaches the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptVia {
    /// In place of `{prompt}` among the arguments.
    Argument,
    /// On standard input.
    Stdin,
    /// In a file whose path stands in place of `{prompt_file}`.
    File,
    /// In a conversation over standard input and output: the program speaks the Agent Client Protocol.
    Acp,
}

/// Whether an engine has the host's network. There is nothing between yet (no proxy with an allow-list).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum Network {
    /// A network namespace of its own with nothing in it.
    #[default]
    Off,
    /// The host's network: needed by engines that talk to their model's API.
    Host,
}

impl From<bool> for Network {
    fn from(on: bool) -> Self {
        if on { Self::Host } else { Self::Off }
    }
}

impl From<Network> for bool {
    fn from(network: Network) -> Self {
        network == Network::Host
    }
}

/// When the arguments that let an engine act without asking are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unattended {
    /// Inside a sandbox only.
    #[default]
    Sandboxed,
    /// Always: an explicit choice of the host's configuration.
    Always,
    /// Never.
    Never,
}

/// An engine, ready to be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineDefinition {
    /// Program: a name that is looked up in `PATH`, or an absolute path.
    pub program: PathBuf,
    /// Arguments, without a shell. `{prompt}`, `{prompt_file}`, `{task_file}`, `{task_dir}` and `{repo}` are replaced; an argument that is
    /// `{unattended}` or `{model}` alone gives way to those lists, `{command}` to the command.
    pub args: Vec<String>,
    /// How the prompt is passed.
    pub prompt: PromptVia,
    /// Flags with which it acts without asking.
    pub unattended_args: Vec<String>,
    /// Variables with which it acts without asking.
    pub unattended_env: BTreeMap<String, String>,
    /// When these are given.
    pub unattended: Unattended,
    /// Flags that choose a model; `{model}` in them is replaced. Left out where `model` is not set.
    pub model_args: Vec<String>,
    /// The model.
    pub model: Option<String>,
    /// Shell text in place of `{command}` (engine `shell`).
    pub command: Option<String>,
    /// Engines of one class can stand in for each other.
    pub class: String,
    /// What it offers, as `key:value`.
    pub capabilities: Vec<String>,
    /// How many attempts may run at once.
    pub parallel: u32,
    /// Limit of one attempt; the whole process group is ended then (Q14).
    pub timeout: SignedDuration,
    /// Names of variables of the host that it gets besides the fixed ones (S13). Keys go here, never among the arguments.
    pub env: Vec<String>,
    /// Variables with fixed values.
    pub set_env: BTreeMap<String, String>,
    /// Whether it has the host's network.
    pub network: Network,
    /// Files of the user's home, relative to it, that are copied into the attempt's private home (credentials, settings). The
    /// engine works on the copies, so that it can change nothing that a later start of the program would trust.
    pub home_files: Vec<PathBuf>,
    /// Further paths it may read; `~/` is the user's home.
    pub read_only: Vec<PathBuf>,
    /// How its usage is read from its output.
    pub usage: UsageFormat,
}

/// Keys of an engine in the host's configuration; those that are left out stay as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each key is the one of `EngineDefinition`")]
pub struct EngineSettings {
    /// Definition this one starts from; without it the one of the same name, else `shell`.
    pub base: Option<EngineName>,
    pub program: Option<PathBuf>,
    pub args: Option<Vec<String>>,
    pub prompt: Option<PromptVia>,
    pub unattended_args: Option<Vec<String>>,
    pub unattended_env: Option<BTreeMap<String, String>>,
    pub unattended: Option<Unattended>,
    pub model_args: Option<Vec<String>>,
    pub model: Option<String>,
    pub command: Option<String>,
    pub class: Option<String>,
    pub capabilities: Option<Vec<String>>,
    pub parallel: Option<u32>,
    pub timeout: Option<SignedDuration>,
    pub env: Option<Vec<String>>,
    pub set_env: Option<BTreeMap<String, String>>,
    pub network: Option<Network>,
    pub home_files: Option<Vec<PathBuf>>,
    pub read_only: Option<Vec<PathBuf>>,
    pub usage: Option<UsageFormat>,
}

/// A configured engine that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// `base` names nothing.
    #[error("engine {0} is based on {1}, which is neither built in nor configured without a base of its own")]
    UnknownBase(EngineName, EngineName),
    /// A limit that would let nothing run.
    #[error("engine {0} has a {1} of zero or less")]
    NoRoom(EngineName, &'static str),
}

impl EngineSettings {
    fn over(&self, mut base: EngineDefinition) -> EngineDefinition {
        macro_rules! take {
            ($($key:ident),*) => { $( if let Some(value) = &self.$key { base.$key = value.clone(); } )* };
        }
        take!(
            program,
            args,
            prompt,
            unattended_args,
            unattended_env,
            unattended,
            model_args,
            class,
            capabilities,
            parallel,
            timeout,
            env,
            set_env,
            network,
            home_files,
            read_only,
            usage
        );
        base.model = self.model.clone().or(base.model);
        base.command = self.command.clone().or(base.command);
        base
    }
}

/// The built-in engines with the host's configuration applied to them.
pub fn engines(
    settings: &BTreeMap<EngineName, EngineSettings>,
) -> Result<BTreeMap<EngineName, EngineDefinition>, DefinitionError> {
    let mut engines = crate::builtin::engines();
    let (based, own): (Vec<_>, Vec<_>) = settings.iter().partition(|(_, s)| s.base.is_some());
    for (name, settings) in own.into_iter().chain(based) {
        let base = match &settings.base {
            Some(base) => engines
                .get(base)
                .ok_or_else(|| DefinitionError::UnknownBase(name.clone(), base.clone()))?
                .clone(),
            None => engines.get(name).cloned().unwrap_or_else(crate::builtin::shell),
        };
        let definition = settings.over(base);
        if definition.parallel == 0 {
            return Err(DefinitionError::NoRoom(name.clone(), "parallel limit"));
        }
        if !definition.timeout.is_positive() {
            return Err(DefinitionError::NoRoom(name.clone(), "timeout"));
        }
        engines.insert(name.clone(), definition);
    }
    Ok(engines)
}

/// Values for the places in an argument template. All of them are Banksman's own words and paths.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) prompt: String,
    pub(crate) prompt_file: PathBuf,
    pub(crate) task_file: PathBuf,
    pub(crate) task_dir: PathBuf,
    pub(crate) repo: PathBuf,
}

/// Whether the flags for acting without asking are given in this attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    Asks,
    ActsAlone,
}

impl EngineDefinition {
    /// The arguments of one start. An argument is one argument, whatever is put into it.
    pub(crate) fn arguments(&self, places: &Places, asking: Asking) -> Vec<OsString> {
        let mut out = Vec::with_capacity(self.args.len());
        for arg in &self.args {
            match arg.as_str() {
                "{unattended}" => {
                    if asking == Asking::ActsAlone {
                        out.extend(self.unattended_args.iter().map(OsString::from));
                    }
                }
                "{model}" => {
                    if let Some(model) = &self.model {
                        out.extend(
                            self.model_args.iter().map(|a| OsString::from(a.replace("{model}", model))),
                        );
                    }
                }
                "{command}" => out.extend(self.command.iter().map(OsString::from)),
                arg => out.push(fill(arg, places)),
            }
        }
        out
    }

    /// Whether the body of a job is its script: a shell without a command of its own.
    pub fn runs_scripts(&self) -> bool {
        !self.is_complete()
    }

    /// Whether it lacks something that only the host's configuration can give, to do a task of the pipeline.
    pub fn is_complete(&self) -> bool {
        self.command.is_some() || !self.args.iter().any(|arg| arg == "{command}")
    }
}

/// Replaces the places in one pass, so that a value that looks like a place stays as it is.
fn fill(arg: &str, places: &Places) -> OsString {
    let mut out = OsString::new();
    let mut rest = arg;
    while let Some(at) = rest.find('{') {
        out.push(&rest[..at]);
        rest = &rest[at..];
        let known: [(&str, &std::ffi::OsStr); 5] = [
            ("{prompt}", places.prompt.as_ref()),
            ("{prompt_file}", places.prompt_file.as_ref()),
            ("{task_file}", places.task_file.as_ref()),
            ("{task_dir}", places.task_dir.as_ref()),
            ("{repo}", places.repo.as_ref()),
        ];
        if let Some((name, value)) = known.iter().find(|(name, _)| rest.starts_with(name)) {
            out.push(value);
            rest = &rest[name.len()..];
        } else {
            out.push("{");
            rest = &rest[1..];
        }
    }
    out.push(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places {
            prompt: "do {task_file}; $(rm)".into(),
            prompt_file: "/w/task/PROMPT.md".into(),
            task_file: "/w/task/TASK.md".into(),
            task_dir: "/w/task".into(),
            repo: "/w/repo".into(),
        }
    }

    #[test]
    fn places_are_filled_once_and_stay_one_argument() {
        let mut engine = crate::builtin::shell();
        engine.args = vec!["--in={task_file}".into(), "{prompt}".into(), "{x}{".into()];
        let args = engine.arguments(&places(), Asking::Asks);
        assert_eq!(args, ["--in=/w/task/TASK.md", "do {task_file}; $(rm)", "{x}{"]);
    }

    #[test]
    fn model_and_unattended_flags_come_only_when_asked_for() {
        let name = EngineName::new("codex").unwrap();
        let mut engine = crate::builtin::engines().remove(&name).unwrap();
        let asks = engine.arguments(&places(), Asking::Asks);
        assert!(!asks.iter().any(|a| a.to_string_lossy().contains("bypass")));
        engine.model = Some("gpt-5-codex".into());
        let alone = engine.arguments(&places(), Asking::ActsAlone);
        assert!(alone.windows(2).any(|w| w[0] == "--model" && w[1] == "gpt-5-codex"));
        assert!(alone.iter().any(|a| a.to_string_lossy().contains("bypass")));
    }

    #[test]
    fn the_configuration_changes_single_keys_of_a_built_in_engine() {
        let text = "[claude]\nmodel = \"opus\"\ntimeout = \"45m\"\n[mine]\nbase = \"claude\"\nprogram = \"/opt/mine\"\nnetwork = false\n";
        let settings: BTreeMap<EngineName, EngineSettings> = toml::from_str(text).unwrap();
        let engines = engines(&settings).unwrap();
        assert_eq!(engines["claude"].timeout, SignedDuration::from_mins(45));
        assert_eq!(engines["claude"].program, PathBuf::from("claude"));
        assert_eq!(engines["mine"].model.as_deref(), Some("opus"));
        assert_eq!(engines["mine"].network, Network::Off);
    }

    #[test]
    fn a_wrong_key_or_base_is_an_error() {
        assert!(toml::from_str::<EngineSettings>("programm = \"x\"").is_err());
        let settings = toml::from_str("[a]\nbase = \"nobody\"\n").unwrap();
        assert!(matches!(engines(&settings), Err(DefinitionError::UnknownBase(..))));
    }
}

//! The engines that are built in, as data. Flags and files are those of the programs' own documentation; every key can be changed
//! in the host's configuration, since these programs change faster than this one.

use crate::{
    definition::{EngineDefinition, Network, PromptVia, Unattended},
    usage::UsageFormat,
};
use banksman_core::text::EngineName;
use jiff::SignedDuration;
use std::collections::BTreeMap;

fn list<T: From<&'static str>>(items: &[&'static str]) -> Vec<T> {
    items.iter().copied().map(T::from).collect()
}

fn agent(program: &str, args: &[&'static str], usage: UsageFormat) -> EngineDefinition {
    EngineDefinition {
        program: program.into(),
        args: list(args),
        prompt: PromptVia::Stdin,
        unattended_args: Vec::new(),
        unattended_env: BTreeMap::new(),
        unattended: Unattended::Sandboxed,
        model_args: list(&["--model", "{model}"]),
        model: None,
        command: None,
        class: "agentic-coder".into(),
        capabilities: Vec::new(),
        parallel: 2,
        timeout: SignedDuration::from_hours(1),
        env: Vec::new(),
        set_env: BTreeMap::new(),
        network: Network::Host,
        home_files: Vec::new(),
        read_only: Vec::new(),
        usage,
    }
}

/// Claude Code. It logs in by `~/.claude/.credentials.json`, `ANTHROPIC_API_KEY` or `CLAUDE_CODE_OAUTH_TOKEN`. It refuses its unattended flag as
/// root unless `IS_SANDBOX` says that it is in a sandbox.
fn claude() -> EngineDefinition {
    let mut engine = agent(
        "claude",
        &["-p", "--output-format", "stream-json", "--verbose", "{unattended}", "{model}"],
        UsageFormat::Claude,
    );
    engine.unattended_args = list(&["--dangerously-skip-permissions"]);
    engine.unattended_env = BTreeMap::from([("IS_SANDBOX".into(), "1".into())]);
    engine.env = list(&[
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_OAUTH_TOKEN",
    ]);
    engine.set_env = BTreeMap::from([
        ("DISABLE_AUTOUPDATER".into(), "1".into()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC".into(), "1".into()),
    ]);
    engine.home_files = list(&[".claude/.credentials.json"]);
    engine
}

/// Codex. It logs in by `~/.codex/auth.json` or `CODEX_API_KEY`/`OPENAI_API_KEY`; `-` reads the prompt from standard input. Its own sandbox cannot be nested in ours.
fn codex() -> EngineDefinition {
    let mut engine = agent(
        "codex",
        &["exec", "--json", "--skip-git-repo-check", "{unattended}", "{model}", "-"],
        UsageFormat::Codex,
    );
    engine.unattended_args = list(&["--dangerously-bypass-approvals-and-sandbox"]);
    engine.env = list(&["CODEX_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"]);
    engine.home_files = list(&[".codex/auth.json", ".codex/config.toml"]);
    engine
}

/// Gemini CLI. It logs in by the files below `~/.gemini` or `GEMINI_API_KEY`; without a terminal it reads its prompt from standard input.
fn gemini() -> EngineDefinition {
    let mut engine =
        agent("gemini", &["--output-format", "json", "{unattended}", "{model}"], UsageFormat::Gemini);
    engine.unattended_args = list(&["--yolo"]);
    engine.env = list(&[
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_GENAI_USE_VERTEXAI",
    ]);
    engine.home_files =
        list(&[".gemini/oauth_creds.json", ".gemini/google_accounts.json", ".gemini/settings.json"]);
    engine
}

/// Aider. Its keys come by variables; it commits by itself and asks nothing with `--yes-always`.
fn aider() -> EngineDefinition {
    let mut engine = agent(
        "aider",
        &[
            "--no-pretty",
            "--no-stream",
            "--no-check-update",
            "--no-show-release-notes",
            "--analytics-disable",
            "--no-gitignore",
            "{unattended}",
            "{model}",
            "--read",
            "{task_file}",
            "--message-file",
            "{prompt_file}",
        ],
        UsageFormat::Aider,
    );
    engine.prompt = PromptVia::File;
    engine.unattended_args = list(&["--yes-always"]);
    engine.env = list(&[
        "AIDER_MODEL",
        "ANTHROPIC_API_KEY",
        "DEEPSEEK_API_KEY",
        "GEMINI_API_KEY",
        "OPENAI_API_BASE",
        "OPENAI_API_KEY",
        "OPENROUTER_API_KEY",
    ]);
    engine.home_files = list(&[".aider.conf.yml"]);
    engine.read_only = list(&["~/.local/share/uv", "~/.local/share/pipx", "~/.local/pipx"]);
    engine
}

/// opencode. It logs in by `~/.local/share/opencode/auth.json` or the provider's variable.
fn opencode() -> EngineDefinition {
    let mut engine = agent(
        "opencode",
        &["run", "--format", "json", "{unattended}", "{model}", "{prompt}"],
        UsageFormat::Opencode,
    );
    engine.prompt = PromptVia::Argument;
    engine.unattended_env = BTreeMap::from([("OPENCODE_PERMISSION".into(), "{\"*\":\"allow\"}".into())]);
    engine.env = list(&["ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"]);
    engine.set_env = BTreeMap::from([("OPENCODE_DISABLE_AUTOUPDATE".into(), "1".into())]);
    engine.home_files = list(&[".local/share/opencode/auth.json", ".config/opencode/opencode.json"]);
    engine.read_only = list(&["~/.opencode/bin"]);
    engine
}

/// Runs the command that the host configured, in the clone. The text of an issue is never run as a script.
pub(crate) fn shell() -> EngineDefinition {
    let mut engine = agent("/bin/sh", &["-c", "{command}"], UsageFormat::None);
    engine.class = "shell".into();
    engine.network = Network::Off;
    engine.parallel = 4;
    engine
}

/// All built-in engines by name.
pub fn engines() -> BTreeMap<EngineName, EngineDefinition> {
    [
        ("claude", claude()),
        ("codex", codex()),
        ("gemini", gemini()),
        ("aider", aider()),
        ("opencode", opencode()),
        ("shell", shell()),
    ]
    .into_iter()
    .filter_map(|(name, engine)| Some((EngineName::new(name).ok()?, engine)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_engine_survives_serialisation() {
        let engines = engines();
        assert_eq!(engines.len(), 6);
        for (name, engine) in engines {
            let text = toml::to_string(&engine).unwrap();
            assert_eq!(toml::from_str::<EngineDefinition>(&text).unwrap(), engine, "{name}");
        }
    }

    #[test]
    fn unattended_flags_are_given_only_in_a_sandbox_by_default() {
        for engine in engines().values() {
            assert_eq!(engine.unattended, Unattended::Sandboxed);
        }
    }
}

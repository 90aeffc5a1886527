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

/// Codex. It logs in by `~/.codex/auth.json` or `CODEX_API_KEY`/`OPENAI_API_KEY`; `-` reads the prompt from standard input. Its own sandbox cannot be nested
/// in ours. It tells when a quota resets as a time of the day, so it is given a clock that we know.
fn codex() -> EngineDefinition {
    let mut engine = agent(
        "codex",
        &["exec", "--json", "--skip-git-repo-check", "{unattended}", "{model}", "-"],
        UsageFormat::Codex,
    );
    engine.unattended_args = list(&["--dangerously-bypass-approvals-and-sandbox"]);
    engine.env = list(&["CODEX_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"]);
    engine.set_env = BTreeMap::from([("TZ".into(), "UTC".into())]);
    engine.home_files = list(&[".codex/auth.json", ".codex/config.toml"]);
    engine
}

/// Gemini CLI. It logs in by the files below `~/.gemini` or `GEMINI_API_KEY`; without a terminal it reads its prompt from standard input. In a
/// folder that nobody told it to trust it goes back to asking, whatever its flags say, and gives up.
fn gemini() -> EngineDefinition {
    let mut engine =
        agent("gemini", &["--output-format", "json", "{unattended}", "{model}"], UsageFormat::Gemini);
    engine.unattended_args = list(&["--yolo"]);
    engine.unattended_env = BTreeMap::from([("GEMINI_CLI_TRUST_WORKSPACE".into(), "true".into())]);
    engine.env = list(&[
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
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

/// opencode. It logs in by `~/.local/share/opencode/auth.json` or the provider's variable. A prompt among its arguments would be put in quotes; from
/// standard input it is taken as it is. Where it would ask and nobody answers, it takes that for a no.
fn opencode() -> EngineDefinition {
    let mut engine =
        agent("opencode", &["run", "--format", "json", "{unattended}", "{model}"], UsageFormat::Opencode);
    engine.unattended_env = BTreeMap::from([("OPENCODE_PERMISSION".into(), "{\"*\":\"allow\"}".into())]);
    engine.env = list(&["ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"]);
    engine.set_env = BTreeMap::from([
        ("OPENCODE_DISABLE_AUTOUPDATE".into(), "1".into()),
        ("OPENCODE_PERMISSION".into(), "{\"edit\":\"ask\",\"bash\":\"ask\",\"webfetch\":\"ask\"}".into()),
    ]);
    engine.home_files = list(&[".local/share/opencode/auth.json", ".config/opencode/opencode.json"]);
    engine.read_only = list(&["~/.opencode/bin"]);
    engine
}

/// Devin CLI. It logs in by `devin auth login`; it prints its answer as text and tells nothing of what it used. As `acp` it tells more:
/// `program = "devin"`, `args = ["acp"]`.
fn devin() -> EngineDefinition {
    let mut engine = agent(
        "devin",
        &["-p", "{unattended}", "{model}", "--prompt-file", "{prompt_file}"],
        UsageFormat::None,
    );
    engine.prompt = PromptVia::File;
    engine.unattended_args = list(&["--permission-mode", "dangerous"]);
    engine.env = list(&["DEVIN_API_KEY", "DEVIN_MODEL", "WINDSURF_API_KEY"]);
    engine.home_files = list(&[".config/devin/config.json", ".local/share/devin/credentials.toml"]);
    engine.read_only = list(&["~/.local/share/devin/cli"]);
    engine
}

/// Any agent that speaks the Agent Client Protocol over standard input and output, such as `gemini --acp`, `opencode acp` or `devin acp`: the host's
/// configuration names its `program`, its `args`, and the variables and files by which it logs in.
fn acp() -> EngineDefinition {
    let mut engine = agent("acp-agent", &[], UsageFormat::Acp);
    engine.prompt = PromptVia::Acp;
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
        ("devin", devin()),
        ("acp", acp()),
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
        assert_eq!(engines.len(), 8);
        for (name, engine) in engines {
            let text = toml::to_string(&engine).unwrap();
            assert_eq!(toml::from_str::<EngineDefinition>(&text).unwrap(), engine, "{name}");
        }
    }

    #[test]
    fn an_agent_of_the_protocol_is_configured_by_its_program() {
        let text = "[devin-acp]\nbase = \"acp\"\nprogram = \"devin\"\nargs = [\"acp\"]\n[mine]\nbase = \"gemini\"\nargs = [\"--acp\"]\nprompt = \"acp\"\nusage = \"acp\"\n";
        let engines = crate::definition::engines(&toml::from_str(text).unwrap()).unwrap();
        assert_eq!(
            (engines["devin-acp"].prompt, engines["devin-acp"].usage),
            (PromptVia::Acp, UsageFormat::Acp)
        );
        assert_eq!((engines["mine"].prompt, engines["mine"].usage), (PromptVia::Acp, UsageFormat::Acp));
    }

    #[test]
    fn unattended_flags_are_given_only_in_a_sandbox_by_default() {
        for engine in engines().values() {
            assert_eq!(engine.unattended, Unattended::Sandboxed);
        }
    }
}

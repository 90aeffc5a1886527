//! The genuine agents: how each is called, and the settings by which it talks to the model server on loopback and to nobody else.

use banksman_core::text::EngineName;
use banksman_engine::{EngineDefinition, builtin_engines};
use serde_json::json;
use std::path::PathBuf;

/// An agent and how it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agent {
    Codex,
    Gemini,
    Opencode,
    /// Gemini CLI over the Agent Client Protocol.
    GeminiAcp,
    /// opencode over the Agent Client Protocol.
    OpencodeAcp,
}

pub(crate) const ALL: [Agent; 5] =
    [Agent::Codex, Agent::Gemini, Agent::Opencode, Agent::GeminiAcp, Agent::OpencodeAcp];

impl Agent {
    pub(crate) fn builtin(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Opencode => "opencode",
            Self::GeminiAcp | Self::OpencodeAcp => "acp",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Gemini | Self::GeminiAcp => "gemini",
            Self::Opencode | Self::OpencodeAcp => "opencode",
        }
    }

    /// The model as the agent names it.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Codex => "scripted-1",
            Self::Gemini | Self::GeminiAcp => "gemini-2.5-flash",
            Self::Opencode | Self::OpencodeAcp => "scripted/scripted-1",
        }
    }

    /// What only a finished run leaves in the log.
    pub(crate) fn evidence(self) -> &'static str {
        match self {
            Self::Codex => "turn.completed",
            Self::Gemini => "\"stats\"",
            Self::Opencode => "step_finish",
            Self::GeminiAcp | Self::OpencodeAcp => "\"stopReason\":\"end_turn\"",
        }
    }

    /// The built-in definition, with no more changed than a user of this agent would.
    pub(crate) fn definition(self) -> EngineDefinition {
        let name = EngineName::new(self.builtin()).unwrap();
        let mut engine = builtin_engines().remove(&name).unwrap();
        let folder =
            std::env::var_os("BANKSMAN_AGENTS").expect("BANKSMAN_AGENTS names the folder of the agents");
        engine.program = PathBuf::from(folder).join("bin").join(self.program());
        engine.model = Some(self.model().into());
        let user = |engine: &mut EngineDefinition, args: &[&str], name: &str| {
            let used = builtin_engines().remove(&EngineName::new(name).unwrap()).unwrap();
            engine.args = args.iter().map(|&arg| arg.into()).collect();
            (engine.env, engine.home_files) = (used.env, used.home_files);
            (engine.set_env, engine.unattended_env) = (used.set_env, used.unattended_env);
        };
        match self {
            Self::GeminiAcp => user(&mut engine, &["--acp", "{model}"], "gemini"),
            // It takes its model from its configuration.
            Self::OpencodeAcp => user(&mut engine, &["acp"], "opencode"),
            Self::Codex | Self::Gemini | Self::Opencode => {}
        }
        if self.program() == "opencode" {
            // Here it would wait for its list of models and its plugins until it gives them up.
            for (name, value) in [("OPENCODE_DISABLE_MODELS_FETCH", "1"), ("npm_config_offline", "true")] {
                engine.set_env.insert(name.into(), value.into());
            }
        }
        engine
    }

    /// The files of a user who has turned off updates and telemetry and has no account.
    pub(crate) fn settings(self, url: &str) -> (&'static str, String) {
        match self {
            Self::Codex => {
                let text = format!(
                    "model_provider = \"scripted\"\ncheck_for_update_on_startup = false\n[analytics]\nenabled = false\n\
                     [model_providers.scripted]\nname = \"scripted\"\nbase_url = \"{url}/v1\"\nwire_api = \"responses\"\n\
                     env_key = \"OPENAI_API_KEY\"\nrequest_max_retries = 0\nstream_max_retries = 0\n"
                );
                (".codex/config.toml", text)
            }
            Self::Gemini | Self::GeminiAcp => {
                let settings = json!({
                    "security": {"auth": {"selectedType": "gemini-api-key"}},
                    "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
                    "privacy": {"usageStatisticsEnabled": false},
                    "telemetry": {"enabled": false},
                });
                (".gemini/settings.json", settings.to_string())
            }
            Self::Opencode | Self::OpencodeAcp => {
                let model = json!({"name": "Scripted 1", "limit": {"context": 100_000, "output": 8000},
                    "cost": {"input": 1, "output": 2, "cache_read": 0.5}});
                let settings = json!({
                    "model": "scripted/scripted-1", "small_model": "scripted/scripted-1",
                    "autoupdate": false, "share": "disabled", "enabled_providers": ["scripted"],
                    "provider": {"scripted": {"npm": "@ai-sdk/openai-compatible", "name": "Scripted",
                        "options": {"baseURL": format!("{url}/v1"), "apiKey": "none"},
                        "models": {"scripted-1": model}}},
                });
                (".config/opencode/opencode.json", settings.to_string())
            }
        }
    }
}

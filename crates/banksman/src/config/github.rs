//! How GitHub is reached and who asks there: a token of a person, or an app's key. Read when it is needed, never printed (S19).

use super::{Settings, secret_file};
use crate::output::Failure;
use secrecy::{ExposeSecret as _, SecretString};
use std::process::{Command, Stdio};

/// The API where nothing else is configured.
const API: &str = "https://api.github.com";

/// Where the API is and what proves who asks.
#[derive(Debug, Clone)]
pub(crate) struct GithubAccess {
    /// Base URL of the API.
    pub(crate) api_url: String,
    /// What proves it.
    pub(crate) proof: Proof,
}

/// What proves who asks.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// A token.
    Token(SecretString),
    /// The key of a GitHub App, which makes tokens of its installation.
    App {
        /// The app.
        app: u64,
        /// Where it is installed.
        installation: u64,
        /// Its private key, in PEM.
        key: SecretString,
    },
}

/// The way to GitHub; an error that says how to set it up where nobody did.
pub(crate) fn github(settings: &Settings) -> anyhow::Result<GithubAccess> {
    let keys = &settings.github;
    let api_url = keys.api_url.clone().unwrap_or_else(|| API.to_owned());
    let proof = match (&keys.token, &keys.token_file, &keys.token_command, keys.app_id) {
        (Some(token), ..) => Proof::Token(token.clone()),
        (None, Some(file), ..) => Proof::Token(token(&secret_file::read(file)?)?),
        (None, None, Some(command), _) => Proof::Token(token(&printed(command)?)?),
        (None, None, None, Some(app)) => {
            let (Some(installation), Some(file)) = (keys.installation_id, &keys.app_key_file) else {
                return Err(Failure::usage(
                    "the GitHub App is configured in part only",
                    "set github.app_id, github.installation_id and github.app_key_file, all three",
                ));
            };
            Proof::App { app, installation, key: SecretString::from(secret_file::read(file)?) }
        }
        (None, None, None, None) => {
            return Err(Failure::new(
                "there is no token for GitHub",
                "export GITHUB_TOKEN=..., or set github.token_file (mode 600), github.token_command = \"gh auth token\", or a GitHub App \
                 (github.app_id, installation_id, app_key_file) in the configuration",
            ));
        }
    };
    Ok(GithubAccess { api_url, proof })
}

/// What webhooks are signed with; `None` where nothing is configured.
pub(crate) fn webhook_secret(settings: &Settings) -> anyhow::Result<Option<SecretString>> {
    let keys = &settings.github;
    match (&keys.webhook_secret, &keys.webhook_secret_file) {
        (Some(secret), _) => Ok(Some(secret.clone())),
        (None, Some(file)) => {
            let text = SecretString::from(secret_file::read(file)?);
            let line = text.expose_secret().trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let help = "it is the secret that stands in the settings of the webhook on GitHub";
                return Err(Failure::new(format!("{} is empty", file.display()), help));
            }
            Ok(Some(SecretString::from(line.to_owned())))
        }
        (None, None) => Ok(None),
    }
}

fn token(text: &str) -> anyhow::Result<SecretString> {
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Failure::new(
            "the token for GitHub is empty or no token",
            "it is one word of printable characters, in the file of github.token_file or printed by github.token_command",
        ));
    }
    Ok(SecretString::from(token.to_owned()))
}

/// What the program prints. Its errors go to the terminal of whoever started us.
fn printed(command: &str) -> anyhow::Result<String> {
    let mut words = command.split_ascii_whitespace();
    let program = words.next().unwrap_or_default();
    let out = Command::new(program).args(words).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let help =
        "it is run without a shell and has to print the token; `config show --origin` says where it is set";
    match out {
        Ok(out) if out.status.success() => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok(_) => Err(Failure::new(format!("github.token_command ({program}) failed"), help)),
        Err(_) => Err(Failure::new(format!("github.token_command: there is no program {program}"), help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn settings() -> Settings {
        Settings::built_in("/h".into())
    }

    #[test]
    fn without_any_proof_the_error_says_how_to_give_one() {
        let error = github(&settings()).unwrap_err();
        assert_eq!(error.to_string(), "there is no token for GitHub");
    }

    #[test]
    fn a_token_comes_from_a_file_of_mode_600_or_from_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "ghp_1\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut settings = settings();
        settings.github.token_file = Some(file.clone());
        assert!(github(&settings).unwrap_err().to_string().ends_with("can be read by others"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let is = |settings: &Settings, wanted: &str| match github(settings).unwrap().proof {
            Proof::Token(token) => assert_eq!(token.expose_secret(), wanted),
            Proof::App { .. } => panic!("an app"),
        };
        is(&settings, "ghp_1");
        settings.github.token_file = None;
        settings.github.token_command = Some("echo ghp_2".into());
        is(&settings, "ghp_2");
        settings.github.token_command = Some("false".into());
        assert!(github(&settings).is_err());
        settings.github.token = Some(SecretString::from("ghp_3".to_owned()));
        is(&settings, "ghp_3");
    }

    #[test]
    fn an_app_needs_all_three_of_its_values() {
        let mut settings = settings();
        settings.github.app_id = Some(1);
        assert!(github(&settings).unwrap_err().to_string().contains("in part only"));
    }
}

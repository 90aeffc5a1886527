//! What this host can do, for `doctor`: git, the sandbox, each engine with its version (Q20).

use crate::{
    definition::Network,
    host::EngineHost,
    sandbox::{Offered, SandboxPolicy, find_program},
};
use banksman_core::{text::EngineName, work::SandboxLevel};
use serde::Serialize;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command};

/// What this host can do.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// Git.
    pub git: Found,
    /// What the host offers.
    pub sandbox: Offered,
    /// What the configuration asks for.
    pub policy: SandboxPolicy,
    /// The level at which engines run; `None`: they do not.
    pub level: Option<SandboxLevel>,
    /// The engines by name.
    pub engines: Vec<EngineFound>,
}

/// An engine on this host.
#[derive(Debug, Clone, Serialize)]
pub struct EngineFound {
    /// Its name.
    pub name: EngineName,
    /// Its program.
    pub program: Found,
    /// Whether it has the host's network.
    pub network: Network,
}

/// A program on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "found")]
pub enum Found {
    /// It is there.
    There {
        /// Where.
        path: PathBuf,
        /// Its version as it says; `None`: it does not.
        version: Option<String>,
    },
    /// It is not there.
    Missing {
        /// The name that was looked for.
        name: PathBuf,
    },
    /// Its definition lacks what only the host's configuration can give.
    Unconfigured {
        /// The key.
        key: &'static str,
    },
}

pub(crate) async fn diagnose(host: &EngineHost) -> Diagnosis {
    let mut engines = Vec::new();
    for (name, engine) in &host.config.engines {
        let program = if engine.is_complete() {
            found(&engine.program, &host.path, &host.user_home).await
        } else {
            Found::Unconfigured { key: "command" }
        };
        engines.push(EngineFound { name: name.clone(), program, network: engine.network });
    }
    Diagnosis {
        git: found(host.git.program(), &host.path, &host.user_home).await,
        sandbox: host.sandbox.look(&host.path).await,
        policy: host.config.sandbox,
        level: host.level().ok(),
        engines,
    }
}

async fn found(name: &Path, path: &OsStr, home: &Path) -> Found {
    match find_program(name, path) {
        None => Found::Missing { name: name.to_owned() },
        Some(program) => {
            let version = version_of(&program, &[("HOME", home.as_os_str())], path).await;
            Found::There { path: program, version }
        }
    }
}

/// The first line of `--version`, printable ASCII of at most 100 characters, within ten seconds.
pub(crate) async fn version_of(program: &Path, env: &[(&str, &OsStr)], path: &OsStr) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().env("PATH", path).envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn().ok()?;
    let stdout = child.stdout.take()?;
    let read = async {
        let mut bytes = Vec::new();
        stdout.take(4096).read_to_end(&mut bytes).await.ok()?;
        child.wait().await.ok()?.success().then_some(bytes)
    };
    let bytes = tokio::time::timeout(Duration::from_secs(10), read).await.ok()??;
    let line = bytes.split(|b| *b == b'\n').next()?;
    let shown: String =
        line.iter().map(|b| char::from(*b)).filter(|c| (' '..='~').contains(c)).take(100).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// Major and minor of `git version 2.47.3`.
pub(crate) fn git_version(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.strip_prefix("git version ")?.split(['.', ' ']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_versions_of_all_vendors_are_read() {
        assert_eq!(git_version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(git_version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(git_version("git version 2.51.rc1"), Some((2, 51)));
        assert_eq!(git_version("tig 2.5"), None);
    }
}

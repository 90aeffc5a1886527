//! Git commands that talk to a server. The credential goes to git in its environment, for one command and one origin: never as an argument,
//! never into a file, never near an agent. Nothing is asked of a terminal or of a helper, no redirect is followed, and no other protocol is
//! spoken.

use crate::{
    git::{Cause, Git, GitCommand, GitError},
    remote::HttpsRemote,
};
use secrecy::ExposeSecret;
use std::{collections::BTreeMap, ffi::OsString, path::Path, time::Duration};

/// Variables of the host that say how its network is reached. Git gets them for these commands alone.
const WAYS_OUT: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Longest time that one command may take: a first fetch may bring a whole history.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// Pauses before a command that changes nothing is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// How the network of this host is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct WaysOut(Vec<(&'static str, OsString)>);

impl WaysOut {
    /// Those of the host's environment.
    pub(crate) fn of(environment: &BTreeMap<OsString, OsString>) -> Self {
        let value = |name: &&'static str| Some((*name, environment.get(std::ffi::OsStr::new(name))?.clone()));
        Self(WAYS_OUT.iter().filter_map(value).collect())
    }
}

/// A command at `dir`, or without a repository, that may talk to the server of `remote`.
pub(crate) async fn over(
    git: &Git,
    dir: Option<&Path>,
    name: &'static str,
    remote: &HttpsRemote,
) -> Result<GitCommand, GitError> {
    let credential = remote.credential().await.map_err(|_| GitError::NoCredential)?;
    let command = match dir {
        Some(dir) => git.at(dir, name),
        None => git.plain(name),
    };
    let (origin, scheme) = (remote.url().origin(), remote.url().scheme());
    let header = credential.basic();
    let command = command
        .setting("protocol.file.allow=never")
        .setting(format!("protocol.{scheme}.allow=always"))
        .setting("protocol.version=2")
        .setting("transfer.bundleURI=false")
        .setting("http.followRedirects=false")
        // A line that stands still is given up.
        .setting("http.lowSpeedLimit=1")
        .setting("http.lowSpeedTime=60")
        .variable("GIT_CONFIG_COUNT", "1")
        .variable("GIT_CONFIG_KEY_0", format!("http.{origin}/.extraHeader"))
        .variable("GIT_CONFIG_VALUE_0", format!("Authorization: {}", header.expose_secret()))
        .within(TIMEOUT);
    Ok(git.ways_out().0.iter().fold(command, |command, (name, value)| command.variable(name, value)))
}

/// Runs a command that changes nothing on the server; tries again where the server did not answer. `complete` adds the arguments.
pub(crate) async fn ask(
    git: &Git,
    dir: Option<&Path>,
    name: &'static str,
    remote: &HttpsRemote,
    complete: impl Fn(GitCommand) -> GitCommand,
) -> Result<Vec<u8>, GitError> {
    let mut pauses = PAUSES.iter();
    loop {
        let asked = match over(git, dir, name, remote).await {
            Ok(command) => complete(command).run().await,
            Err(error) => Err(error),
        };
        let pause = match &asked {
            Err(GitError::Failed { cause: Cause::Other, .. } | GitError::NoCredential) => pauses.next(),
            _ => None,
        };
        let Some(pause) = pause else { return asked };
        tracing::info!(git.command = %name, "the forge's repository did not answer; it is asked again");
        tokio::time::sleep(*pause).await;
    }
}

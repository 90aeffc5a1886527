//! Tidies the control repositories at a start: the refs of attempts that are over go, and garbage if there is much of it.

use crate::{
    control::{Control, attempt_ref},
    git::GitError,
    host::{ControlError, EngineHost},
    workspace::{Layout, run as off_thread},
};
use banksman_core::id::AttemptId;
use std::{fs, io, path::PathBuf};

/// Tidies those of the configured repositories and those that jobs made.
pub(crate) async fn tidy(host: &EngineHost) {
    for repo in host.config.repositories.keys() {
        // What is not there yet needs no tidying, and no server is asked for it.
        if !Control::dir_of(&host.config.home, repo).join("HEAD").is_file() {
            continue;
        }
        let tidied = match host.control(repo).await {
            Ok((control, _lock)) => one(host, &control).await.map_err(ControlError::Git),
            Err(error) => Err(error),
        };
        if let Err(error) = tidied {
            tracing::warn!(%repo, %error, "a control repository could not be tidied");
        }
    }
    for dir in of_jobs(host).await.unwrap_or_default() {
        let control = Control::existing(&host.git, dir);
        let tidied: Result<(), GitError> = async {
            let _lock = host.lock(&control).await?;
            one(host, &control).await
        }
        .await;
        if let Err(error) = tidied {
            tracing::warn!(%error, "the control repository of a folder could not be tidied");
        }
    }
}

async fn of_jobs(host: &EngineHost) -> io::Result<Vec<PathBuf>> {
    let folder = Control::folder_of_jobs(&host.config.home);
    let all = off_thread(move || match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => Ok(entries?.flatten().map(|entry| entry.path()).collect()),
    });
    let all: Vec<PathBuf> = all.await?;
    Ok(all.into_iter().filter(|path| path.extension().is_some_and(|end| end == "git")).collect())
}

async fn one(host: &EngineHost, control: &Control) -> Result<(), GitError> {
    for name in control.refs("refs/attempts/").await? {
        // An attempt that goes on has its workspace; its ref is made after that and goes before it.
        let number = name.rsplit('/').next().and_then(|number| number.parse().ok()).map(AttemptId);
        let over = |n: &AttemptId| !Layout::of(&host.config.home, &n.to_string()).root().exists();
        if let Some(attempt) = number.filter(|n| attempt_ref(*n) == name && over(n)) {
            control.forget(attempt).await?;
        }
    }
    control.collect_garbage().await
}

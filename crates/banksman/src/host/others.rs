//! What other processes have to tell the one that runs the loops: that an attempt of theirs ended, which the store knows, and that a webhook came
//! in, which they leave in a folder of the home. Each rings the bell of its repository.

use super::{Host, Hosted, forge::is_embedded};
use crate::home::Home;
use banksman_core::{
    id::JobId,
    port::{Store as _, TaskFilter},
    text::RepoName,
};
use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{join, time};

/// How often the folder is looked at.
const LOOKS: Duration = Duration::from_millis(250);
/// Commits of this long are looked at together.
const TOGETHER: Duration = Duration::from_millis(300);
/// What stands for the `/` of a repository's name in a file's.
const SLASH: &str = "~";

/// The folder of rings for the process with the loops.
#[derive(Debug, Clone)]
pub(crate) struct Rings(PathBuf);

impl Rings {
    /// That of a home.
    pub(crate) fn of(home: &Home) -> Self {
        Self(home.folder().join("rings"))
    }

    /// Leaves a ring for a repository; several are one.
    pub(crate) fn leave(&self, repo: &RepoName) {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        let left = made.and_then(|()| fs::write(self.0.join(repo.as_str().replace('/', SLASH)), ""));
        if let Err(error) = left {
            tracing::warn!(%error, "a webhook could not be passed on; the schedule finds out");
        }
    }

    /// Takes what was left.
    fn take(&self) -> Vec<RepoName> {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let taken = |path: &Path| -> io::Result<RepoName> {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let repo = RepoName::new(&name.replace(SLASH, "/"));
            fs::remove_file(path)?;
            repo.map_err(|_| io::ErrorKind::InvalidData.into())
        };
        files.filter_map(|file| taken(&file.path()).ok()).collect()
    }
}

impl Host {
    /// The repository on GitHub that has this name there, now or in the inventory. Letter case does not matter.
    pub(crate) fn called(&self, name: &RepoName) -> Option<&RepoName> {
        let same = |other: &RepoName| other.as_str().eq_ignore_ascii_case(name.as_str());
        let is = |repo: &&RepoName| {
            let github = self.shared.forge.github();
            !is_embedded(repo)
                && (same(repo)
                    || github.and_then(|github| github.renamed(repo)).is_some_and(|now| same(&now)))
        };
        self.hosted.iter().map(|hosted| &hosted.repo).find(is)
    }

    /// Listens to other processes; never returns.
    pub(super) async fn hear_others(&self) {
        join!(self.hear_rings(), self.hear_ends());
    }

    async fn hear_rings(&self) {
        let rings = Rings::of(&self.home);
        loop {
            rings.take().iter().for_each(|repo| self.shared.bells.ring(repo));
            time::sleep(LOOKS).await;
        }
    }

    /// Rings for repositories on GitHub whose work ended, wherever it ran.
    async fn hear_ends(&self) {
        let ours =
            |hosted: &&Hosted| !is_embedded(&hosted.repo) && hosted.entry.own_engines().next().is_some();
        let repos: Vec<&RepoName> = self.hosted.iter().filter(ours).map(|hosted| &hosted.repo).collect();
        let mut changes = self.shared.store.changes();
        let mut known: Vec<Option<BTreeSet<JobId>>> = vec![None; repos.len()];
        loop {
            for (repo, known) in repos.iter().zip(&mut known) {
                let begun = Instant::now();
                // A store that is away is asked at the next change.
                let Ok(tasks) = self.shared.store.tasks(&TaskFilter::Repo((*repo).clone())).await else {
                    continue;
                };
                let ended: BTreeSet<JobId> =
                    tasks.iter().filter(|job| job.state.is_final()).map(|job| job.id).collect();
                let news = known.as_ref().is_some_and(|known| !ended.is_subset(known));
                *known = Some(ended);
                if news {
                    // A worker of this process rang already.
                    self.shared
                        .bells
                        .ring_unless_since(repo, begun.checked_sub(TOGETHER * 2).unwrap_or(begun));
                }
            }
            if repos.is_empty() {
                return std::future::pending().await;
            }
            changes.next().await;
            time::sleep(TOGETHER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_left_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let rings = Rings::of(&Home::at(folder.path()));
        assert!(rings.take().is_empty(), "there is no folder yet");
        let repo = RepoName::new("acme/shop").unwrap();
        rings.leave(&repo);
        rings.leave(&repo);
        assert_eq!(rings.take(), [repo]);
        assert!(rings.take().is_empty());
    }
}

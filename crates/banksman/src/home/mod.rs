//! Banksman's own folder: where each file lies, who may run loops in it, and which repositories it knows.

mod inventory;
mod lock;
mod team;

pub(crate) use inventory::{Checks, Entry, HostedAccount, Inventory, Merge, Place, repo_name, short};
pub(crate) use lock::{Lock, running_pid};
pub(crate) use team::{read_team, team_file};

use anyhow::Context;
use std::path::{Path, PathBuf};

/// The folder and the places in it (ARCHITECTURE.md, "A home").
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    /// The home at that place; nothing is made yet.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Makes the folder, readable by its owner only.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether anything was ever done here.
    pub(crate) fn exists(&self) -> bool {
        self.store().exists() && self.book().exists()
    }

    /// The store's database.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    /// How many files of jobs lie in the queue's folders although the store that knows them is gone.
    pub(crate) fn orphaned_jobs(&self) -> usize {
        if std::fs::metadata(self.store()).is_ok_and(|store| store.len() > 0) {
            return 0;
        }
        let stages = std::fs::read_dir(self.queue()).into_iter().flatten().flatten();
        let files = stages.flat_map(|stage| std::fs::read_dir(stage.path()).into_iter().flatten().flatten());
        let is_jobs = |name: &str| name.starts_with("job-") && name.ends_with(".md");
        files.filter(|file| file.file_name().to_str().is_some_and(is_jobs)).count()
    }

    /// The embedded forge's database.
    pub(crate) fn book(&self) -> PathBuf {
        self.folder.join("forge.db")
    }

    /// The inventory.
    pub(crate) fn inventory(&self) -> PathBuf {
        self.folder.join("repos.toml")
    }

    /// What the loops are up to, for other processes.
    pub(crate) fn loops(&self) -> PathBuf {
        self.folder.join("loops.json")
    }

    /// The queue's folders.
    pub(crate) fn queue(&self) -> PathBuf {
        self.folder.join("queue")
    }

    /// The folder of the logs of attempts and checks.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The log of an attempt.
    pub(crate) fn attempt_log(&self, attempt: banksman_core::id::AttemptId) -> PathBuf {
        self.logs().join(format!("attempt-{attempt}.log"))
    }

    /// What is kept of the training data as files.
    pub(crate) fn training(&self) -> PathBuf {
        self.folder.join("training")
    }

    /// Journals of a repository.
    pub(crate) fn journals(&self, repo: &str) -> PathBuf {
        self.training().join("journals").join(repo)
    }

    /// The index over all journals.
    pub(crate) fn training_index(&self) -> PathBuf {
        self.training().join("index.jsonl")
    }

    /// The salt with which exports hash ids.
    pub(crate) fn salt(&self) -> PathBuf {
        self.training().join("salt")
    }
}

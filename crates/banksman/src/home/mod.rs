//! Banksman's own folder: where each file lies, who may run loops in it, and which repositories it knows.

mod inventory;
mod lock;

pub(crate) use inventory::{Checks, Entry, HostedAccount, Inventory, Merge, Place, repo_name, short};
pub(crate) use lock::{Lock, running_pid};

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

    /// The log of an attempt.
    pub(crate) fn attempt_log(&self, attempt: banksman_core::id::AttemptId) -> PathBuf {
        self.folder.join("logs").join(format!("attempt-{attempt}.log"))
    }

    /// Journals of a repository.
    pub(crate) fn journals(&self, repo: &str) -> PathBuf {
        self.folder.join("training/journals").join(repo)
    }
}

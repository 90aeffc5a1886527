//! When this home wrote on GitHub in the last hour, in a file: a process that ends takes its books with it, and GitHub goes on counting.

use super::forge::Github;
use crate::home::Home;
use jiff::Timestamp;
use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// The books of a home.
pub(super) struct Books {
    file: PathBuf,
    /// What the file says.
    kept: Mutex<Vec<Timestamp>>,
}

impl Books {
    /// Reads what the process before this one wrote, and tells the client. A file that cannot be read is an empty one.
    pub(super) fn open(home: &Home, github: &Github) -> Self {
        let file = home.folder().join("github-hour.json");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let kept: Vec<Timestamp> = serde_json::from_str(&text).unwrap_or_default();
        github.remember_written(&kept);
        Self { file, kept: Mutex::new(kept) }
    }

    /// Brings the file in line after a change. It is a help to stay under a limit and no record: trouble with it stops nothing.
    pub(super) fn keep(&self, github: &Github) {
        let now = github.written();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.last() == now.last() {
            return;
        }
        let next = self.file.with_extension("new");
        let written = serde_json::to_string(&now)
            .map_err(std::io::Error::from)
            .and_then(|text| fs::write(&next, text))
            .and_then(|()| fs::rename(&next, &self.file));
        if let Err(error) = written {
            tracing::debug!(%error, "what was written on GitHub in this hour could not be kept");
        }
        *kept = now;
    }
}

//! One at a time for each control repository: among the tasks of this process and among the processes of one home.

use crate::workspace::run;
use rustix::fs::{FlockOperation, flock};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// The locks that this process has taken or waits for.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>);

/// The right to change the refs of a control repository; given back when dropped.
#[derive(Debug)]
pub(crate) struct Locked {
    /// The kernel gives the lock back when the file is closed, also after a `kill -9`.
    _file: File,
    _among_tasks: OwnedMutexGuard<()>,
}

impl Locks {
    /// Waits for the lock of the control repository `dir`; its lock file lies beside it.
    pub(crate) async fn take(&self, dir: &Path) -> io::Result<Locked> {
        let mutex = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(dir.to_owned()).or_default().clone()
        };
        // Among tasks first, so that at most one thread of ours waits for the file.
        let among_tasks = mutex.lock_owned().await;
        let mut path = dir.as_os_str().to_owned();
        path.push(".lock");
        let file = run(move || {
            let path = PathBuf::from(path);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            while let Err(error) = flock(&file, FlockOperation::LockExclusive) {
                if error != rustix::io::Errno::INTR {
                    return Err(error.into());
                }
            }
            Ok(file)
        });
        Ok(Locked { _file: file.await?, _among_tasks: among_tasks })
    }
}

//! The lock of a home: one process runs the loops, others may read and edit beside it.

use crate::output::Failure;
use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

/// The right to run the loops of a home. The kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct HomeLock {
    _file: File,
}

impl HomeLock {
    /// Takes the lock, or says who has it.
    pub(crate) fn take(home: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(home).with_context(|| format!("cannot make the home {}", home.display()))?;
        let path = home.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let pid: String = pid.chars().filter(char::is_ascii_digit).take(10).collect();
            return Err(Failure::new(
                format!("another banksman (process {pid}) runs on {}", home.display()),
                "wait for it, stop it with Ctrl-C there, or use another --home",
            ));
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

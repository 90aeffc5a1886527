//! The lock of a home: the one process that runs loops holds it. The file keeps the holder's process id for people; the kernel
//! lets go of the lock when the process dies, however it dies.

use crate::output::Failure;
use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::Path,
};

/// The held lock; let go when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a home, or says who has it.
    pub(crate) fn take(home: &Path) -> anyhow::Result<Self> {
        let path = home.join("lock");
        let mut file = open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                writeln!(file, "{}", std::process::id())?;
                Ok(Self { _file: file })
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let who =
                    pid_in(&mut file).map_or("another process".to_owned(), |pid| format!("process {pid}"));
                Err(Failure::new(
                    format!("{who} is running Banksman's loops in {}", home.display()),
                    "Wait for it or stop it (Ctrl-C or `kill`). Reading commands such as `banksman epic status` work beside it; \
                     --home DIR runs a world of its own.",
                ))
            }
            Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

/// The process that holds the lock of a home, if one does.
pub(crate) fn running_pid(home: &Path) -> Option<u32> {
    let mut file = File::open(home.join("lock")).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => pid_in(&mut file),
        _ => None,
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    File::options().create(true).read(true).write(true).truncate(false).open(path)
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_has_the_lock() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(running_pid(home.path()), None);
        let held = Lock::take(home.path()).unwrap();
        let message = Lock::take(home.path()).unwrap_err().to_string();
        assert!(message.starts_with(&format!("process {} is running", std::process::id())), "{message}");
        assert_eq!(running_pid(home.path()), Some(std::process::id()));
        drop(held);
        assert!(Lock::take(home.path()).is_ok());
    }
}

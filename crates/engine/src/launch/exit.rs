//! Tells when a process has ended, without taking it off the process table: its pid and the id of its group stay its own until the
//! rest of the group has been killed.

use rustix::process::{Pid, WaitId, WaitIdOptions};
use std::{io, os::fd::OwnedFd};

/// Becomes readable when the process has ended.
#[derive(Debug)]
pub(super) struct Exit(OwnedFd);

impl Exit {
    pub(super) fn of(pid: Pid) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Ok(fd) => return Ok(Self(fd)),
            // Before Linux 5.3, or forbidden.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        Self::by_thread(pid)
    }

    /// A thread that waits, and closes its end of a stream then.
    fn by_thread(pid: Pid) -> io::Result<Self> {
        let (here, there) = std::os::unix::net::UnixStream::pair()?;
        std::thread::Builder::new().name("engine-exit".into()).spawn(move || {
            let end =
                || rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            while let Err(rustix::io::Errno::INTR) = end() {}
            drop(there);
        })?;
        Ok(Self(here.into()))
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};

    #[test]
    fn both_ways_tell_and_leave_the_process_to_be_reaped() {
        for watch in [Exit::of, Exit::by_thread] {
            let mut child = std::process::Command::new("/bin/sh").args(["-c", "exit 7"]).spawn().unwrap();
            let exit = watch(Pid::from_child(&child)).unwrap();
            poll(&mut [PollFd::new(exit.fd(), PollFlags::IN)], None).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(7));
        }
    }
}

//! Waits for whatever a supervised process does next: output, its end, or word from the caller.

use super::{exit::Exit, output::Out};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
    process::ChildStderr,
    time::{Duration, Instant},
};

/// How soon output is tried again that nobody had room for.
const HELD_UP: Duration = Duration::from_millis(2);

/// What is there to be done.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) exit: bool,
    pub(super) told: bool,
    pub(super) out: bool,
    pub(super) err: bool,
}

/// Waits until one of them is ready, or until then; a shorter time while output is held up.
pub(super) fn wait(
    exit: Option<&Exit>,
    told: Option<&UnixStream>,
    out: Out<'_>,
    err: Option<&ChildStderr>,
    until: Instant,
) -> io::Result<Ready> {
    let mut fds = Vec::with_capacity(4);
    let exit = add(&mut fds, exit.map(Exit::fd));
    let told = add(&mut fds, told);
    let mut pause = until.saturating_duration_since(Instant::now());
    let out = match out {
        Out::Open(out) => add(&mut fds, Some(out)),
        Out::HeldUp => {
            pause = pause.min(HELD_UP);
            None
        }
        Out::Over => None,
    };
    let err = add(&mut fds, err);
    let pause = Timespec {
        tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(pause.subsec_nanos()),
    };
    match poll(&mut fds, Some(&pause)) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
        Err(error) => return Err(error.into()),
    }
    let ready = |at: Option<usize>| at.is_some_and(|at| !fds[at].revents().is_empty());
    Ok(Ready { exit: ready(exit), told: ready(told), out: ready(out), err: ready(err) })
}

/// Adds one to what is waited for, if it is there, and gives its place.
fn add<'a>(fds: &mut Vec<PollFd<'a>>, fd: Option<&'a impl AsFd>) -> Option<usize> {
    fds.push(PollFd::new(fd?, PollFlags::IN));
    Some(fds.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::{super::output::Streams, *};
    use std::process::{Command, Stdio};
    use tokio::sync::mpsc;

    /// Room that is made between the look at the listener and the wait wakes nobody.
    #[test]
    fn output_that_was_held_up_is_looked_at_again_though_there_is_room_meanwhile() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, mut from) = mpsc::channel(1);
        to.try_send(Vec::new()).unwrap();
        let streams = Streams::new(child.stdout.take(), None, Some(to));
        let (seen, began) = (streams.out(), Instant::now());
        from.try_recv().unwrap();
        let ready = wait(None, None, seen, streams.err(), began + Duration::from_secs(20)).unwrap();
        assert!(!ready.out && began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(matches!(streams.out(), Out::Open(_)));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

//! Where the output of a process goes: the log, the reader of usage, and whoever talks with it. Taken as fast as it comes, so that a
//! full pipe never stops an engine and a flood never fills memory.

use super::CappedLog;
use crate::usage::UsageReader;
use std::{
    io::{self, Read},
    process::{ChildStderr, ChildStdin, ChildStdout},
};
use tokio::sync::{mpsc, oneshot};

/// Somebody who talks with the process over its standard input and output.
#[derive(Debug)]
pub(crate) struct Talk {
    /// Gets the standard input of the process when it is started.
    pub(crate) input: oneshot::Sender<ChildStdin>,
    /// Gets what it writes to its standard output, in pieces. While it has no room nothing is read.
    pub(crate) output: mpsc::Sender<Vec<u8>>,
}

/// What may be used before an attempt is ended. What cannot be told from the engine's output is not bounded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Budget {
    /// US dollars.
    pub(crate) cost: Option<f64>,
    /// Tokens, in and out.
    pub(crate) tokens: Option<u64>,
}

/// Whether a budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Some,
    None,
}

/// Where output goes.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) log: CappedLog,
    pub(crate) usage: UsageReader,
    /// The end of it.
    pub(crate) recent: Recent,
}

/// The last of what came, on either stream.
#[derive(Debug, Default)]
pub(crate) struct Recent(Vec<u8>);

/// How much of it is kept, in bytes.
const RECENT: usize = 16 << 10;

impl Recent {
    fn feed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&bytes[bytes.len().saturating_sub(RECENT)..]);
        if self.0.len() > 4 * RECENT {
            self.0.drain(..self.0.len() - RECENT);
        }
    }

    /// It as text; what is not UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0[self.0.len().saturating_sub(RECENT)..]).into_owned()
    }
}

impl Output {
    /// Whether what was read so far is within the budget.
    pub(super) fn within(&self, budget: &Budget) -> Left {
        let usage = self.usage.so_far();
        let tokens = usage.tokens_in.unwrap_or(0).saturating_add(usage.tokens_out.unwrap_or(0));
        let over = budget.tokens.is_some_and(|most| tokens > most)
            || budget.cost.is_some_and(|most| usage.cost_usd.is_some_and(|cost| cost > most));
        if over { Left::None } else { Left::Some }
    }
}

/// Size of the pieces in which output is read: what a pipe holds.
const PIECE: usize = 64 << 10;

/// The two streams of a process.
#[derive(Debug)]
pub(super) struct Streams {
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    buffer: Vec<u8>,
    listener: Option<mpsc::Sender<Vec<u8>>>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Standard output as it was at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Out<'a> {
    /// What comes out can be taken.
    Open(&'a ChildStdout),
    /// It is open, but nobody has room for what comes out.
    HeldUp,
    Over,
}

impl Streams {
    pub(super) fn new(
        out: Option<ChildStdout>,
        err: Option<ChildStderr>,
        listener: Option<mpsc::Sender<Vec<u8>>>,
    ) -> Self {
        Self { out, err, buffer: vec![0; PIECE], listener }
    }

    /// What is to be done about standard output. To be asked once before each wait: the listener makes room at any time, and whoever
    /// was held up when it was decided what to wait for has to look again soon, room or not.
    pub(super) fn out(&self) -> Out<'_> {
        let full = self.listener.as_ref().is_some_and(|to| to.capacity() == 0 && !to.is_closed());
        match &self.out {
            None => Out::Over,
            Some(_) if full => Out::HeldUp,
            Some(out) => Out::Open(out),
        }
    }

    pub(super) fn err(&self) -> Option<&ChildStderr> {
        self.err.as_ref()
    }

    pub(super) fn are_over(&self) -> bool {
        self.out.is_none() && self.err.is_none()
    }

    /// Takes the next piece of a stream that can be read without waiting.
    pub(super) fn take(&mut self, stream: Stream, output: &mut Output) {
        let read = match stream {
            Stream::Out => self.out.as_mut().map(|from| from.read(&mut self.buffer)),
            Stream::Err => self.err.as_mut().map(|from| from.read(&mut self.buffer)),
        };
        match (read, stream) {
            (Some(Err(error)), _) if error.kind() == io::ErrorKind::Interrupted => {}
            (Some(Ok(len)), stream) if len > 0 => {
                let bytes = &self.buffer[..len];
                output.log.write(bytes);
                output.recent.feed(bytes);
                if stream == Stream::Err {
                    output.usage.feed_err(bytes);
                }
                if stream == Stream::Out {
                    output.usage.feed(bytes);
                    // A listener that is gone does not stop the process.
                    if let Some(Err(mpsc::error::TrySendError::Closed(_))) =
                        self.listener.as_ref().map(|to| to.try_send(bytes.to_vec()))
                    {
                        self.listener = None;
                    }
                }
            }
            (_, Stream::Out) => (self.out, self.listener) = (None, None),
            (_, Stream::Err) => self.err = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn output_is_held_up_while_its_listener_has_no_room() {
        let mut child = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
        let (to, mut from) = mpsc::channel(1);
        let mut streams = Streams::new(child.stdout.take(), None, Some(to.clone()));
        child.wait().unwrap();
        assert!(matches!(streams.out(), Out::Open(_)));
        to.try_send(Vec::new()).unwrap();
        assert!(matches!(streams.out(), Out::HeldUp));
        from.try_recv().unwrap();
        assert!(matches!(streams.out(), Out::Open(_)));
        to.try_send(Vec::new()).unwrap();
        drop(from);
        assert!(matches!(streams.out(), Out::Open(_)), "a listener that is gone holds nothing up");
        streams.out = None;
        assert!(matches!(streams.out(), Out::Over));
    }
}

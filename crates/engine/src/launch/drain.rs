//! Drains the output of an attempt as fast as it comes, so that a full pipe never stops an engine and a flood never fills memory.

use super::CappedLog;
use crate::usage::UsageReader;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStderr, ChildStdout},
    sync::oneshot,
    time::Instant,
};

/// How long output may still come after the last process ended: a pipe that something unkillable holds open stops nobody.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Where output goes.
pub(super) struct Output {
    pub(super) log: CappedLog,
    pub(super) usage: UsageReader,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

impl Output {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self.log.write(bytes);
        match stream {
            Stream::Out => self.usage.feed(bytes),
            Stream::Err => {}
        }
    }
}

/// Reads both streams until they end, or until shortly after `ended` says that all processes did.
pub(super) async fn drain(
    mut out: Option<ChildStdout>,
    mut err: Option<ChildStderr>,
    mut output: Output,
    mut ended: oneshot::Receiver<()>,
) -> io::Result<Output> {
    let (mut out_buffer, mut err_buffer) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut deadline = None;
    while out.is_some() || err.is_some() {
        let (stream, read) = tokio::select! {
            read = read(&mut out, &mut out_buffer), if out.is_some() => (Stream::Out, read),
            read = read(&mut err, &mut err_buffer), if err.is_some() => (Stream::Err, read),
            _ = &mut ended, if deadline.is_none() => {
                deadline = Some(Instant::now() + AFTERWARDS);
                continue;
            }
            () = at(deadline), if deadline.is_some() => break,
        };
        let buffer = match stream {
            Stream::Out => &mut out_buffer,
            Stream::Err => &mut err_buffer,
        };
        match (read, stream) {
            (Ok(len), _) if len > 0 => {
                let bytes = std::mem::take(buffer);
                let taken = tokio::task::spawn_blocking(move || {
                    output.take(stream, &bytes[..len]);
                    (output, bytes)
                });
                (output, *buffer) = taken.await.map_err(io::Error::other)?;
            }
            (_, Stream::Out) => out = None,
            (_, Stream::Err) => err = None,
        }
    }
    Ok(output)
}

async fn read(stream: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream {
        Some(stream) => stream.read(buffer).await,
        None => Ok(0),
    }
}

async fn at(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline).await;
    }
}

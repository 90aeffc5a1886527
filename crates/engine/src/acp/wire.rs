//! The lines between us and an agent, one message each. What an agent says is bounded before the protocol's machinery, whose queues are not,
//! sees it: notifications are dropped (they are in the log, and usage is read from there), and questions wait while too many are unanswered.

use crate::usage::Lines;
use agent_client_protocol::Lines as Transport;
use futures_util::{Sink, Stream, sink, stream};
use serde::{Deserialize, de::IgnoredAny};
use std::{collections::VecDeque, io, sync::Arc};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{Semaphore, mpsc},
};

/// Longest message of an agent that is looked at, in bytes; longer ones are skipped. A question for permission may hold a file.
const MAX_MESSAGE: usize = 8 << 20;

/// Questions of an agent that may be unanswered at once.
const UNANSWERED: usize = 32;

/// What a message is, without looking into it.
#[derive(Deserialize)]
struct Head {
    id: Option<IgnoredAny>,
    method: Option<IgnoredAny>,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
    /// A notification, or nothing of the protocol.
    Other,
}

fn kind(line: &[u8]) -> Kind {
    match serde_json::from_slice::<Head>(line) {
        Ok(Head { id: Some(_), method: Some(_) }) => Kind::Request,
        Ok(Head { id: Some(_), method: None }) => Kind::Response,
        Ok(Head { id: None, .. }) | Err(_) => Kind::Other,
    }
}

/// The transport over an agent's input and the pieces of its output.
pub(super) fn lines(
    input: impl AsyncWrite + Send + Unpin + 'static,
    output: mpsc::Receiver<Vec<u8>>,
) -> Transport<
    impl Sink<String, Error = io::Error> + Send + 'static,
    impl Stream<Item = io::Result<String>> + Send + 'static,
> {
    let free = Arc::new(Semaphore::new(UNANSWERED));
    Transport::new(outgoing(input, Arc::clone(&free)), incoming(output, free))
}

fn outgoing(
    input: impl AsyncWrite + Send + Unpin + 'static,
    free: Arc<Semaphore>,
) -> impl Sink<String, Error = io::Error> + Send + 'static {
    let write = async |(mut input, free): (_, Arc<Semaphore>), mut line: String| {
        let kind = kind(line.as_bytes());
        line.push('\n');
        AsyncWriteExt::write_all(&mut input, line.as_bytes()).await?;
        AsyncWriteExt::flush(&mut input).await?;
        if kind == Kind::Response {
            free.add_permits(1);
        }
        Ok((input, free))
    };
    sink::unfold((input, free), write)
}

struct Incoming {
    output: mpsc::Receiver<Vec<u8>>,
    lines: Lines,
    ready: VecDeque<(Kind, String)>,
    free: Arc<Semaphore>,
}

fn incoming(
    output: mpsc::Receiver<Vec<u8>>,
    free: Arc<Semaphore>,
) -> impl Stream<Item = io::Result<String>> + Send + 'static {
    let start = Incoming { output, lines: Lines::new(MAX_MESSAGE), ready: VecDeque::new(), free };
    stream::unfold(start, async |mut from| {
        loop {
            if let Some((kind, line)) = from.ready.pop_front() {
                if kind == Kind::Request
                    && let Ok(permit) = from.free.acquire().await
                {
                    // It comes back with the answer.
                    permit.forget();
                }
                return Some((Ok(line), from));
            }
            let piece = from.output.recv().await?;
            let Incoming { lines, ready, .. } = &mut from;
            lines.feed(&piece, |line| {
                let kind = kind(line);
                if kind != Kind::Other
                    && let Ok(line) = std::str::from_utf8(line)
                {
                    ready.push_back((kind, line.to_owned()));
                }
            });
        }
    })
}

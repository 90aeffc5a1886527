//! The one thread that starts processes. A sandbox ends when the *thread* that started it ends (`PR_SET_PDEATHSIG`), and the
//! threads of the runtime come and go; this one lives as long as the host of the engines.

use std::{
    io,
    process::{Child, Command},
    sync::mpsc,
    thread::JoinHandle,
};
use tokio::sync::oneshot;

struct Request {
    command: Command,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// Starts processes on its own thread.
#[derive(Debug)]
pub(crate) struct Spawner {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Spawner {
    pub(crate) fn start() -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel::<Request>();
        let thread = std::thread::Builder::new().name("engine-spawner".into()).spawn(move || {
            for Request { mut command, answer } in inbox {
                if let Err(Ok(mut orphan)) = answer.send(command.spawn()) {
                    // Nobody waits for it any more, so nobody would end it either.
                    let _ = orphan.kill();
                    let _ = orphan.wait();
                }
            }
        })?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Starts the process.
    pub(crate) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts processes is gone");
        let (answer, started) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        requests.send(Request { command, answer }).map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

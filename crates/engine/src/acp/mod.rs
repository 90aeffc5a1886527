//! Engines that speak the Agent Client Protocol over standard input and output: one session, one prompt. The process itself is launched like
//! every other engine's; this talks with it meanwhile. What an agent may do is the sandbox's matter: neither files nor terminals of the client are
//! offered to it, and its questions for permission are answered by what the job allows.

mod conversation;
mod wire;

use crate::{
    definition::Asking,
    launch::{Ended, Input, Launched, Stop, Talk},
};
use conversation::{Said, Trouble};
use std::{future::Future, io, path::PathBuf, time::Duration};
use tokio::{
    process::ChildStdin,
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// What an agent is asked.
#[derive(Debug)]
pub(crate) struct Request {
    /// The prompt, verbatim.
    pub(crate) prompt: String,
    /// Folder that it works in, as it sees it.
    pub(crate) cwd: PathBuf,
    /// Whether it may do what it asks permission for.
    pub(crate) asking: Asking,
}

/// Pieces of output that may wait for us; while there is no room the agent's output is not read.
const PIECES: usize = 16;

/// How long an agent may take to leave when the conversation is over and its input closed, before it is ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long an agent may take to stop at our request before it is ended.
const CANCEL: Duration = Duration::from_secs(2);

/// Starts the agent by `start`, which is given its input and when to end it, asks it and waits for its end. Its conversation, not its exit
/// code, says whether it did what it was asked.
pub(crate) async fn run<F>(
    request: Request,
    mut stop: watch::Receiver<Stop>,
    start: impl FnOnce(Input, watch::Receiver<Stop>) -> F,
) -> io::Result<Launched>
where
    F: Future<Output = io::Result<Launched>>,
{
    let (input, its_input) = oneshot::channel();
    let (output, its_output) = mpsc::channel(PIECES);
    let (press, pressed) = watch::channel(Stop::NotYet);
    let launched = start(Input::Talk(Talk { input, output }), pressed);
    tokio::pin!(launched);
    let said = {
        let talk = talk(&request, its_input, its_output, stop.clone());
        tokio::pin!(talk);
        tokio::select! {
            said = &mut talk => said,
            // It is gone; what it said last may still be on its way.
            gone = &mut launched => {
                let said = timeout(CANCEL, talk).await.unwrap_or(Err(Trouble::Gone));
                return Ok(conclude(gone?, &said, *stop.borrow()));
            }
        }
    };
    // Its input is closed now, which tells it to leave.
    let launched = tokio::select! {
        launched = &mut launched => launched,
        _ = timeout(FAREWELL, conversation::stopped(&mut stop)) => {
            press.send_replace(Stop::Now);
            launched.await
        }
    };
    Ok(conclude(launched?, &said, *stop.borrow()))
}

async fn talk(
    request: &Request,
    input: oneshot::Receiver<std::process::ChildStdin>,
    output: mpsc::Receiver<Vec<u8>>,
    stop: watch::Receiver<Stop>,
) -> Result<Said, Trouble> {
    let input = input.await.map_err(|_| Trouble::Gone)?;
    let input = ChildStdin::from_std(input).map_err(|_| Trouble::Gone)?;
    conversation::hold(request, input, output, stop, CANCEL).await
}

/// What the end means, with a line for the log where the agent's own output does not tell it.
fn conclude(mut launched: Launched, said: &Result<Said, Trouble>, stop: Stop) -> Launched {
    let well = matches!(said, Ok(Said::Done));
    launched.ended = match (launched.ended, stop) {
        (ended @ (Ended::TimedOut | Ended::OverBudget), _) => ended,
        (_, Stop::Now) => Ended::Stopped,
        // Whatever it did when it left, or when we ended it then.
        (_, Stop::NotYet) if well => {
            (launched.spent.exit_code, launched.spent.signal) = (Some(0), None);
            Ended::Exited(0)
        }
        (Ended::Exited(0) | Ended::Stopped, Stop::NotYet) => {
            (launched.spent.exit_code, launched.spent.signal) = (Some(1), None);
            Ended::Exited(1)
        }
        (ended, Stop::NotYet) => ended,
    };
    let why = match said {
        Ok(Said::Done) => return launched,
        Ok(said) => said.describe(),
        Err(trouble) => trouble.describe(),
    };
    launched.log.write(format!("\n[banksman: {why}]\n").as_bytes());
    launched
}

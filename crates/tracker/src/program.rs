//! Calls through a program of the owner's (`AQ_TRACKER_API_CMD`): `PROGRAM METHOD PATH [JSON]`, run without a shell. The token goes by
//! its environment, never among its arguments, which everybody on the host can read.

use crate::{
    answer::{Answer, CallError, LARGEST},
    connection::{PATIENCE, Request},
    settings::{Program, Secret},
};
use banksman_core::port::tracker::Fault;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use std::process::Stdio;
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

/// Runs the program for one call.
pub(crate) async fn run(
    program: &Program,
    api: &str,
    token: Option<&Secret>,
    product: Option<&str>,
    request: Request,
) -> Result<Answer, CallError> {
    let mut command = Command::new(&program.program);
    command
        .args(&program.args)
        .arg(request.method.as_str())
        .arg(&request.path)
        .args(&request.json)
        .env("AQ_TRACKER_API", api)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it says there may hold anything; it is not ours to show or keep.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .process_group(0);
    if let Some(token) = token {
        command.env("AQ_TRACKER_TOKEN", token.expose());
    }
    if let Some(product) = product {
        command.env("AQ_PRODUCT_ID", product);
    }
    let mut child = command.spawn().map_err(|_| CallError::Fault(Fault::NoProgram))?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let output = child.stdout.take();
    let run = async {
        let mut body = Vec::new();
        if let Some(output) = output {
            let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
            output.take(limit + 1).read_to_end(&mut body).await?;
        }
        if body.len() > LARGEST {
            return Ok(None);
        }
        Ok::<_, std::io::Error>(Some((body, child.wait().await?)))
    };
    let ended = timeout(PATIENCE, run).await;
    let Ok(Ok(Some((body, status)))) = ended else {
        if let Some(group) = group {
            // It may have ended just now; then there is nothing to end.
            let _ = kill_process_group(group, Signal::KILL);
        }
        return match ended {
            Ok(Ok(_)) => Err(CallError::Answer("it is too long")),
            Ok(Err(_)) | Err(_) => Err(CallError::Fault(Fault::Unclear)),
        };
    };
    match status.code() {
        Some(0) => Ok(Answer(body)),
        Some(code) => Err(told(&body).unwrap_or(CallError::Fault(Fault::Program(code)))),
        // Ended by a signal: nobody knows how far it had come.
        None => Err(CallError::Fault(Fault::Unclear)),
    }
}

/// What the error body of the items API says, where the program printed one.
fn told(body: &[u8]) -> Option<CallError> {
    #[derive(Deserialize)]
    struct Body {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        code: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    CallError::of_code(&body.error.code)
}

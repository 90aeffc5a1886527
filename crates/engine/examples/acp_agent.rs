//! An agent that speaks the Agent Client Protocol, for the tests of the client: a real program without a model. Its first argument says how
//! it behaves.

use agent_client_protocol::{
    Agent, Client, Error, Lines, on_receive_notification, on_receive_request,
    v1::{
        ConnectionTo,
        schema::{
            AgentCapabilities, CancelNotification, ContentBlock, ContentChunk, Cost, InitializeRequest,
            InitializeResponse, NewSessionRequest, NewSessionResponse, PermissionOption,
            PermissionOptionKind, PromptRequest, PromptResponse, ReadTextFileRequest,
            RequestPermissionOutcome, RequestPermissionRequest, SessionNotification, SessionUpdate,
            StopReason, TextContent, ToolCallUpdate, ToolCallUpdateFields, UsageUpdate,
        },
    },
};
use futures_util::{sink, stream};
use std::{
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::Notify,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let how = std::env::args().nth(1).unwrap_or_default();
    let cancelled = Arc::new(Notify::new());
    let cancel = Arc::clone(&cancelled);
    let (login, prompted) = (how == "login", how.clone());
    let served = Agent
        .v1()
        .name("acp-agent")
        .on_receive_request(
            async move |hello: InitializeRequest, responder, _client| {
                let capabilities = AgentCapabilities::new();
                responder
                    .respond(InitializeResponse::new(hello.protocol_version).agent_capabilities(capabilities))
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |_new: NewSessionRequest, responder, _client| {
                if login {
                    return responder.respond_with_error(Error::auth_required());
                }
                responder.respond(NewSessionResponse::new("session-1"))
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |prompt: PromptRequest, responder, client: ConnectionTo<Client>| {
                let (how, cancelled) = (prompted.clone(), Arc::clone(&cancelled));
                // Answers come while the turn goes on, so it must not hold up the connection.
                client.clone().spawn(async move {
                    responder.respond_with_result(turn(&how, prompt, &client, &cancelled).await)
                })
            },
            on_receive_request!(),
        )
        .on_receive_notification(
            async move |_cancel: CancelNotification, _client| {
                cancel.notify_one();
                Ok(())
            },
            on_receive_notification!(),
        )
        .connect_to(stdio())
        .await;
    if how == "stay" {
        std::future::pending::<()>().await;
    }
    served
}

async fn turn(
    how: &str,
    prompt: PromptRequest,
    client: &ConnectionTo<Client>,
    cancelled: &Notify,
) -> Result<PromptResponse, Error> {
    eprintln!("prompted");
    let session = prompt.session_id.clone();
    let say = |update| client.send_notification(SessionNotification::new(session.clone(), update));
    match how {
        "refuse" => return Ok(PromptResponse::new(StopReason::Refusal)),
        "fail" => return Err(Error::internal_error()),
        "die" => std::process::exit(3),
        "hang" => {
            cancelled.notified().await;
            eprintln!("was cancelled");
            return Ok(PromptResponse::new(StopReason::Cancelled));
        }
        "deaf" => std::future::pending::<()>().await,
        "flood" => {
            let chunk = "x".repeat(64 << 10);
            for _ in 0..2048 {
                println!(
                    "{{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{{\"noise\":\"{chunk}\"}}}}"
                );
            }
        }
        "read" => {
            let asked = ReadTextFileRequest::new(session.clone(), PathBuf::from("/etc/passwd"));
            let refused = client.send_request(asked).block_task().await.is_err();
            // In one piece: both streams end up in one log.
            let line = if refused { "reading was refused\n" } else { "reading was allowed\n" };
            std::io::stderr().write_all(line.as_bytes()).map_err(|_| Error::internal_error())?;
        }
        "ask" => {
            for n in 0..200 {
                may(client, &prompt, n).await?;
            }
        }
        _ => {}
    }
    if may(client, &prompt, 0).await? {
        let text = prompt.prompt.iter().find_map(|block| match block {
            ContentBlock::Text(text) => Some(text.text.clone()),
            _ => None,
        });
        std::fs::write("made.txt", text.unwrap_or_default()).map_err(Error::into_internal_error)?;
        say(SessionUpdate::AgentMessageChunk(ContentChunk::new(ContentBlock::Text(TextContent::new(
            "Done.",
        )))))?;
    }
    say(SessionUpdate::UsageUpdate(UsageUpdate::new(53_000, 200_000).cost(Cost::new(0.045, "USD"))))?;
    Ok(PromptResponse::new(StopReason::EndTurn))
}

/// Asks whether it may write.
async fn may(client: &ConnectionTo<Client>, prompt: &PromptRequest, n: u32) -> Result<bool, Error> {
    let options = vec![
        PermissionOption::new("for-ever", "Yes, and do not ask again", PermissionOptionKind::AllowAlways),
        PermissionOption::new("yes", "No", PermissionOptionKind::AllowOnce),
        PermissionOption::new("no", "Yes", PermissionOptionKind::RejectOnce),
    ];
    let call = ToolCallUpdate::new(format!("call-{n}"), ToolCallUpdateFields::new());
    let asked = RequestPermissionRequest::new(prompt.session_id.clone(), call, options);
    let answer = client.send_request(asked).block_task().await?;
    Ok(matches!(answer.outcome, RequestPermissionOutcome::Selected(chosen) if &*chosen.option_id.0 == "yes"))
}

/// Standard input and output as lines.
fn stdio() -> Lines<
    impl futures_util::Sink<String, Error = io::Error> + Send + 'static,
    impl futures_util::Stream<Item = io::Result<String>> + Send + 'static,
> {
    let incoming = stream::unfold(BufReader::new(tokio::io::stdin()).lines(), async |mut lines| {
        lines.next_line().await.transpose().map(|line| (line, lines))
    });
    let outgoing = sink::unfold(tokio::io::stdout(), async |mut stdout, mut line: String| {
        line.push('\n');
        stdout.write_all(line.as_bytes()).await?;
        stdout.flush().await?;
        Ok(stdout)
    });
    Lines::new(outgoing, incoming)
}

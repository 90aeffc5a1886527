//! The client's side of a conversation: initialise, a session, a prompt, its answer; permissions by policy, cancelled when the attempt is to end.

use super::{Request, wire};
use crate::{definition::Asking, launch::Stop};
use agent_client_protocol::{
    Agent, Client, Error, ErrorCode, on_receive_request,
    schema::ProtocolVersion,
    v1::{
        ConnectionTo,
        schema::{
            CancelNotification, ContentBlock, Implementation, InitializeRequest, NewSessionRequest,
            PermissionOption, PermissionOptionKind, PromptRequest, RequestPermissionOutcome,
            RequestPermissionRequest, RequestPermissionResponse, SelectedPermissionOutcome, StopReason,
            TextContent,
        },
    },
};
use std::time::Duration;
use tokio::{
    io::AsyncWrite,
    sync::{mpsc, watch},
    time::timeout,
};

/// How an agent ended its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It is through with what it was asked.
    Done,
    /// It ran into the limit of tokens of its model.
    OutOfTokens,
    /// It ran into its own limit of requests to its model.
    OutOfRequests,
    /// It refused.
    Refused,
    /// It was cancelled.
    Cancelled,
    /// Something that this version of the protocol does not know.
    Other,
}

impl Said {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Done => "the agent ended its turn",
            Self::OutOfTokens => "the agent stopped at its limit of tokens",
            Self::OutOfRequests => "the agent stopped at its limit of requests in a turn",
            Self::Refused => "the agent refused to go on",
            Self::Cancelled => "the agent's turn was cancelled",
            Self::Other => "the agent stopped for a reason that is not known here",
        }
    }
}

/// Why there was no conversation, or no end of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It closed its output.
    Gone,
    /// It speaks another version of the protocol.
    Version,
    /// It wants a login first.
    Login,
    /// It answered with an error.
    Error,
}

impl Trouble {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Gone => "the agent went away without an answer",
            Self::Version => "the agent does not speak version 1 of the Agent Client Protocol",
            Self::Login => "the agent wants a login: log in with its own program, or give it its key",
            Self::Error => "the agent answered with an error",
        }
    }
}

/// Holds the conversation. When `stop` says so the turn is cancelled, and the agent has `patience` to say that it is.
pub(super) async fn hold(
    request: &Request,
    input: impl AsyncWrite + Send + Unpin + 'static,
    output: mpsc::Receiver<Vec<u8>>,
    mut stop: watch::Receiver<Stop>,
    patience: Duration,
) -> Result<Said, Trouble> {
    let asking = request.asking;
    let mut said = Err(Trouble::Gone);
    let heard = &mut said;
    let connected = Client
        .v1()
        .name("banksman")
        .on_receive_request(
            async move |asked: RequestPermissionRequest, responder, _agent| {
                responder.respond(answer(&asked.options, asking))
            },
            on_receive_request!(),
        )
        .connect_with(wire::lines(input, output), async move |agent: ConnectionTo<Agent>| {
            *heard = ask(&agent, request, &mut stop, patience).await;
            Ok(())
        })
        .await;
    match (said, connected) {
        (Err(Trouble::Gone), Err(error)) => Err(trouble(&error)),
        (said, _) => said,
    }
}

async fn ask(
    agent: &ConnectionTo<Agent>,
    request: &Request,
    stop: &mut watch::Receiver<Stop>,
    patience: Duration,
) -> Result<Said, Trouble> {
    let prepared = async {
        let client = Implementation::new("banksman", env!("CARGO_PKG_VERSION"));
        let hello = InitializeRequest::new(ProtocolVersion::V1).client_info(client);
        let found = agent.send_request(hello).block_task().await.map_err(|error| trouble(&error))?;
        if found.protocol_version != ProtocolVersion::V1 {
            return Err(Trouble::Version);
        }
        let session = agent.send_request(NewSessionRequest::new(request.cwd.clone()));
        Ok(session.block_task().await.map_err(|error| trouble(&error))?.session_id)
    };
    let session = tokio::select! {
        session = prepared => session?,
        () = stopped(stop) => return Ok(Said::Cancelled),
    };
    let text = ContentBlock::Text(TextContent::new(request.prompt.clone()));
    let turn = agent.send_request(PromptRequest::new(session.clone(), vec![text])).block_task();
    tokio::pin!(turn);
    let ended = tokio::select! {
        ended = &mut turn => ended,
        () = stopped(stop) => {
            agent.send_notification(CancelNotification::new(session)).map_err(|error| trouble(&error))?;
            match timeout(patience, turn).await {
                Ok(ended) => ended,
                Err(_) => return Ok(Said::Cancelled),
            }
        }
    };
    match ended.map_err(|error| trouble(&error))?.stop_reason {
        StopReason::EndTurn => Ok(Said::Done),
        StopReason::MaxTokens => Ok(Said::OutOfTokens),
        StopReason::MaxTurnRequests => Ok(Said::OutOfRequests),
        StopReason::Refusal => Ok(Said::Refused),
        StopReason::Cancelled => Ok(Said::Cancelled),
        _ => Ok(Said::Other),
    }
}

/// What is allowed is allowed once; an option is known by its kind, never by its name or place.
fn answer(options: &[PermissionOption], asking: Asking) -> RequestPermissionResponse {
    let kinds = match asking {
        Asking::ActsAlone => [PermissionOptionKind::AllowOnce, PermissionOptionKind::AllowAlways],
        Asking::Asks => [PermissionOptionKind::RejectOnce, PermissionOptionKind::RejectAlways],
    };
    let chosen = kinds.iter().find_map(|kind| options.iter().find(|option| option.kind == *kind));
    RequestPermissionResponse::new(match chosen {
        Some(option) => {
            RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(option.option_id.clone()))
        }
        None => RequestPermissionOutcome::Cancelled,
    })
}

/// Its own words are in its output, and so in the log; none of them is looked at.
fn trouble(error: &Error) -> Trouble {
    if agent_client_protocol::is_incoming_transport_closed(error)
        || agent_client_protocol::is_connection_terminated(error)
    {
        return Trouble::Gone;
    }
    if error.code == ErrorCode::AUTH_REQUIRED { Trouble::Login } else { Trouble::Error }
}

pub(super) async fn stopped(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop == Stop::Now).await.is_err() {
        // Nobody can stop it any more.
        std::future::pending::<()>().await;
    }
}

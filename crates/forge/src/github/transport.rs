//! The seam to the wire: one request out, one answer back, nothing of GitHub's meaning. The real one is HTTP; tests and simulations
//! bring their own. Raw bodies live only between here and the typed structs that read them (S2).

use std::{future::Future, time::Duration};

/// Largest body of an answer that is read, in bytes; a longer one counts as cut off.
pub const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Whether a request can change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only looks: it may be repeated.
    Read,
    /// It may have an effect: it is sent once, and an unclear end is settled by looking (I3).
    Write,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of HTTP")]
pub enum Verb {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

impl Verb {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One request. Authorisation is the transport's.
pub struct Request {
    /// The method.
    pub verb: Verb,
    /// Path and query, relative to the base of the API: `/graphql` or `/repos/acme/shop/issues?state=open`.
    pub path: String,
    /// Further headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body: JSON.
    pub body: Option<Vec<u8>>,
    /// Whether it can change anything.
    pub kind: Kind,
    /// Name of the GraphQL operation, or of the REST call: compiled in, so it may be logged.
    pub operation: &'static str,
}

/// One answer, whatever its status.
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`LARGEST_ANSWER`] bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// There is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request did not leave this host, or did not reach the other one: it surely had no effect.
    #[error("the request was not sent")]
    NotSent,
    /// It was sent and no whole answer came: the effect may have happened.
    #[error("no answer came")]
    NoAnswer,
}

/// The way to the API with one credential.
pub trait Transport: Send + Sync {
    /// Sends a request once and waits for its answer. Never repeats it and never takes its authorisation to another host.
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, SendError>> + Send;

    /// Waits before something is asked again. Simulations have a time of their own.
    fn pause(&self, how_long: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(how_long)
    }
}

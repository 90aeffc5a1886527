//! What went wrong, as GitHub says it: a status, a message, and for bad input which field of which resource. The forge's own
//! errors are mapped to a closed list; nothing of a request or of a stored text is repeated in one.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use banksman_core::port::{BookError, Refusal};
use banksman_forge::local::LocalError;
use serde::Serialize;
use serde_json::{Value, json};

/// Where GitHub's documentation of all this is.
const DOCS: &str = "https://docs.github.com/rest";

/// A field that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    resource: &'static str,
    field: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    message: &'static str,
    faults: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: &'static str) -> Self {
        Self { status, message, faults: Vec::new() }
    }

    /// It is not there.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// No token, or one that is not known.
    pub(crate) fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    /// Not for this caller.
    pub(crate) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// The request cannot be read.
    pub(crate) fn bad_request(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The request can be read and cannot be done.
    pub(crate) fn unprocessable(message: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// A field cannot be taken. `code` is one of GitHub's: `missing_field`, `invalid`, `already_exists`, `custom`.
    pub(crate) fn invalid(resource: &'static str, field: &'static str, code: &'static str) -> Self {
        let fault = Fault { resource, field, code, message: None };
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, message: "Validation Failed", faults: vec![fault] }
    }

    /// A field cannot be taken for a reason of its own.
    pub(crate) fn custom(resource: &'static str, field: &'static str, message: &'static str) -> Self {
        let mut problem = Self::invalid(resource, field, "custom");
        for fault in &mut problem.faults {
            fault.message = Some(message);
        }
        problem
    }

    /// The same with another message.
    pub(crate) fn saying(self, message: &'static str) -> Self {
        Self { message, ..self }
    }

    /// The status, as a number.
    #[cfg(test)]
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether it means that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// The message.
    pub(crate) fn message(&self) -> &'static str {
        self.faults.first().and_then(|fault| fault.message).unwrap_or(self.message)
    }

    /// GraphQL's word for it.
    pub(crate) fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "FORBIDDEN",
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT | StatusCode::METHOD_NOT_ALLOWED => {
                "UNPROCESSABLE"
            }
            StatusCode::BAD_REQUEST => "BAD_REQUEST",
            _ => "INTERNAL",
        }
    }
}

impl From<LocalError> for Problem {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Refused(why) => why.into(),
            LocalError::UnknownRepo(_) | LocalError::NoDefaultBranch { .. } => Self::not_found(),
            LocalError::BadLength(_) => Self::unprocessable("Validation Failed"),
            LocalError::Book(BookError::Refused(why)) => why.into(),
            LocalError::Book(BookError::Full) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "The disk is full")
            }
            LocalError::Book(BookError::Failed(_)) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The forge's book failed")
            }
            LocalError::Git(error) => {
                tracing::warn!(%error, "git failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Git failed")
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(why: Refusal) -> Self {
        let conflict = |message| Self::new(StatusCode::CONFLICT, message);
        match why {
            Refusal::NotFound => Self::not_found(),
            Refusal::HeadMoved => conflict("Head branch was modified. Review and try the merge again."),
            Refusal::Conflict => conflict("Pull Request has merge conflicts"),
            Refusal::NotAllowed => Self::unprocessable("Checks, reviews or protection stand in the way"),
            Refusal::Ended => Self::unprocessable("It has ended already"),
            Refusal::WorkTreeDirty => {
                conflict("The work tree that has the branch checked out has uncommitted changes")
            }
            Refusal::Nothing => Self::unprocessable("There is nothing to do it with"),
            // Of hosted forges; the embedded one never says so.
            Refusal::BadCredential | Refusal::NoScope(_) | Refusal::SsoRequired | Refusal::Archived => {
                Self::forbidden("Forbidden")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "message": self.message,
            "documentation_url": DOCS,
            "status": self.status.as_u16().to_string(),
        });
        if let (Value::Object(body), false) = (&mut body, self.faults.is_empty()) {
            body.insert("errors".to_owned(), json!(self.faults));
        }
        let mut answer = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // What makes git ask its credential helper.
            let challenge = HeaderValue::from_static("Basic realm=\"Banksman\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

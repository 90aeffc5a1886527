//! The items API as it is on the wire, as the server sees it.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use banksman_core::{
    port::tracker::{ItemBookError, ItemRecord, ItemStatus},
    tainted::Tainted,
};
use serde::{Deserialize, Serialize};

/// Longest title, in bytes.
const TITLE: usize = 1000;
/// Longest description, in bytes: that of a job's body (Q3).
const DESCRIPTION: usize = 1024 * 1024;
/// Longest comment or note, in bytes.
const SAID: usize = 64 * 1024;
/// Longest label, product, type or priority, in bytes.
const NAME: usize = 200;
/// Labels of an item.
const LABELS: usize = 100;

/// An item as it goes out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemOut {
    id: String,
    product_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    description: String,
    status: ItemStatus,
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
}

impl From<ItemRecord> for ItemOut {
    fn from(item: ItemRecord) -> Self {
        Self {
            id: item.id.into(),
            product_id: Some(item.product).filter(|product| !product.is_empty()),
            kind: item.kind,
            title: item.title.into_forge_slot(),
            description: item.description.into_forge_slot(),
            status: item.status,
            labels: item.labels,
            priority: item.priority,
        }
    }
}

/// A page of items as it goes out.
#[derive(Serialize)]
pub(super) struct PageOut {
    pub(super) items: Vec<ItemOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// Which items are asked for; what is empty does not matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListIn {
    #[serde(default)]
    pub(super) product_id: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) label: String,
    #[serde(default)]
    pub(super) next: String,
}

/// A new item as it comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ItemIn {
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) product_id: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    pub(super) priority: Option<String>,
}

impl ItemIn {
    pub(super) fn check(&self) -> Result<(), Problem> {
        let named = |text: &str| text.len() <= NAME && !text.contains(char::is_control);
        if self.title.trim().is_empty() || self.title.len() > TITLE || self.title.contains(char::is_control) {
            return Err(Problem::Invalid("title: 1 to 1000 bytes on one line"));
        }
        if self.description.len() > DESCRIPTION {
            return Err(Problem::Invalid("description: at most 1 MiB"));
        }
        if self.labels.len() > LABELS || self.labels.iter().any(|label| label.is_empty() || !named(label)) {
            return Err(Problem::Invalid("labels: at most 100 of 1 to 200 bytes"));
        }
        let names = [&self.product_id, &self.kind].into_iter().chain(&self.priority);
        if names.into_iter().any(|name| !named(name)) {
            return Err(Problem::Invalid("productId, type, priority: at most 200 bytes on one line"));
        }
        Ok(())
    }
}

/// A change as it comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeIn {
    pub(super) status: ItemStatus,
    pub(super) note: Option<String>,
}

impl ChangeIn {
    pub(super) fn note(self) -> Result<Option<Tainted>, Problem> {
        match self.note {
            Some(note) if note.len() > SAID => Err(Problem::Invalid("note: at most 64 KiB")),
            note => Ok(note.map(Tainted::new)),
        }
    }
}

/// A comment as it comes in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentIn {
    body: String,
}

impl CommentIn {
    pub(super) fn body(self) -> Result<Tainted, Problem> {
        if self.body.trim().is_empty() || self.body.len() > SAID {
            return Err(Problem::Invalid("body: 1 byte to 64 KiB"));
        }
        Ok(Tainted::new(self.body))
    }
}

/// A comment as it goes out.
#[derive(Serialize)]
pub(super) struct CommentOut {
    pub(super) id: u64,
}

/// An error as it goes out: `{error: {code, message}}`. Messages are compiled in; they repeat nothing of the request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Problem {
    /// 401.
    Unauthorized,
    /// 421: called by a name that is not ours, or from a page that is not.
    WrongHost,
    /// 404.
    NotFound,
    /// 405.
    Method,
    /// 408.
    TooSlow,
    /// 409.
    Exists,
    /// 413.
    TooLarge,
    /// 422.
    Invalid(&'static str),
    /// 500.
    Broken,
}

impl From<ItemBookError> for Problem {
    fn from(error: ItemBookError) -> Self {
        match error {
            ItemBookError::Missing => Self::NotFound,
            ItemBookError::Exists => Self::Exists,
            ItemBookError::Full | ItemBookError::Failed(_) => Self::Broken,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Error,
        }
        #[derive(Serialize)]
        struct Error {
            code: &'static str,
            message: &'static str,
        }
        let (status, code, message) = match self {
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "a valid bearer token is needed")
            }
            Self::WrongHost => {
                (StatusCode::MISDIRECTED_REQUEST, "wrong_host", "this server does not have that name")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "there is no such item"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "not_allowed", "this path has no such method"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow", "the request took too long"),
            Self::Exists => (StatusCode::CONFLICT, "conflict", "an item with this id exists"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
            Self::Invalid(what) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", what),
            Self::Broken => {
                (StatusCode::INTERNAL_SERVER_ERROR, "broken", "the tracker's database cannot be used")
            }
        };
        (status, Json(Body { error: Error { code, message } })).into_response()
    }
}

//! What comes back from a call: bytes that are read once into a typed struct, or the reason why there are none.

use banksman_core::{
    port::tracker::{Fault, Misunderstanding, TrackerError},
    text::ItemId,
};
use serde::de::DeserializeOwned;

/// Largest answer that is read, in bytes: an item of 1 MiB fits however it is escaped, so does a page of ordinary ones.
pub(crate) const LARGEST: usize = 16 * 1024 * 1024;

/// The body of an answer. Raw bytes are never kept, logged or shown (S2).
pub(crate) struct Answer(pub(crate) Vec<u8>);

impl Answer {
    /// Reads what it should be.
    pub(crate) fn read<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, CallError> {
        // The error of the parser may quote the text, so it is dropped.
        serde_json::from_slice(&self.0).map_err(|_| CallError::Answer(what))
    }
}

/// A call without an answer of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallError {
    /// 401, 403, or there is no token.
    Refused,
    /// 404, 410.
    NotFound,
    /// Another status between 300 and 499.
    Rejected(u16),
    /// It did not happen now.
    Fault(Fault),
    /// The answer lacks this.
    Answer(&'static str),
    /// The call cannot be made.
    Request(&'static str),
}

impl CallError {
    /// By the status of an answer; `None`: it is a success.
    pub(crate) fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            401 | 403 => Some(Self::Refused),
            404 | 410 => Some(Self::NotFound),
            // A gateway that lost the server's answer: the call may have happened.
            502 | 504 => Some(Self::Fault(Fault::Unclear)),
            408 | 425 | 429 | 500..=599 => Some(Self::Fault(Fault::Failed(status))),
            other => Some(Self::Rejected(other)),
        }
    }

    /// By the code in an error of the items API, for a program that can only tell that way; `None` for a code that it does not have.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        match code {
            "unauthorized" | "forbidden" | "401" | "403" => Some(Self::Refused),
            "not_found" | "404" => Some(Self::NotFound),
            "conflict" | "409" => Some(Self::Rejected(409)),
            "invalid" | "unprocessable" | "422" => Some(Self::Rejected(422)),
            _ => None,
        }
    }

    /// The same in the words of the port, of a call about this item.
    pub(crate) fn about(self, id: &ItemId) -> TrackerError {
        match self {
            Self::NotFound => TrackerError::Missing(id.clone()),
            other => other.about_none(),
        }
    }

    /// The same in the words of the port, of a call about no single item.
    pub(crate) fn about_none(self) -> TrackerError {
        match self {
            Self::Refused => TrackerError::Refused,
            Self::NotFound => TrackerError::Invalid(Misunderstanding::Rejected(404)),
            Self::Rejected(status) => TrackerError::Invalid(Misunderstanding::Rejected(status)),
            Self::Fault(fault) => TrackerError::Unavailable(fault),
            Self::Answer(what) => TrackerError::Invalid(Misunderstanding::Answer(what)),
            Self::Request(what) => TrackerError::Invalid(Misunderstanding::Request(what)),
        }
    }
}

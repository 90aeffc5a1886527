//! Port to a tracker: the to-do system whose items become jobs (T3 to T9) and are told what became of them (T10 to T15). One way:
//! nothing that a tracker says decides how a job runs. Its text leaves this port as [`Body`] and [`Tainted`] only, and what
//! is sent to it comes from [`Note`] and [`Comment`], which cannot hold anything but closed words and numbers.

mod book;
mod told;

pub use book::{Change, ItemBook, ItemBookError, ItemRecord, ItemSelect, NewItem};
pub use told::{Comment, Note};

use crate::{
    job::{Body, Stage},
    tainted::Tainted,
    text::ItemId,
};
use serde::{Deserialize, Serialize};
use std::future::Future;

/// Where an item is, in the words of the items API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the items API")]
pub enum ItemStatus {
    Open,
    InProgress,
    Blocked,
    Done,
}

impl ItemStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::InProgress, Self::Blocked, Self::Done];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Blocked => "blocked",
            Self::Done => "done",
        }
    }

    /// The status by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// What an item is told of a job's stage (T10); `None`: nothing.
    pub fn of(stage: Stage) -> Option<Self> {
        match stage {
            Stage::Building | Stage::Review | Stage::Testing => Some(Self::InProgress),
            Stage::Shipped => Some(Self::Done),
            Stage::Failed => Some(Self::Blocked),
            Stage::Inbox | Stage::Cancelled => None,
        }
    }
}

/// An item, as far as a job needs it.
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Its title; it becomes the name of the job, sanitised (Q5).
    pub title: Tainted,
    /// Its description, verbatim: the instructions of the job (T3).
    pub description: Body,
    /// Where it is; `None`: the tracker has a word of its own for it.
    pub status: Option<ItemStatus>,
    /// Its labels, as written; `manifest::from_item` reads them (T4).
    pub labels: Vec<String>,
}

/// Which items to read: those of the configured product that are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFilter {
    /// With this label.
    pub label: String,
}

/// Where the next page of items begins: the tracker's own mark, to be handed back as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct PageMark(pub String);

/// Some of the items that were asked for.
pub struct ItemPage {
    /// The items.
    pub items: Vec<Item>,
    /// The mark of the next page; `None`: this was the last one.
    pub next: Option<PageMark>,
}

/// A call that did not do what it was to do. Carries numbers and names of ours only, no text of the tracker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackerError {
    /// There is no such item.
    #[error("the tracker has no item {0}")]
    Missing(ItemId),
    /// The token is missing, refused, or may not do this.
    #[error("the tracker refused the token")]
    Refused,
    /// The item belongs to another product than the configured one.
    #[error("item {0} belongs to another product")]
    WrongProduct(ItemId),
    /// The tracker did not take what was asked, or answered with something that is not understood.
    #[error("{0}")]
    Invalid(Misunderstanding),
    /// It did not happen now; it may later.
    #[error("{0}")]
    Unavailable(Fault),
}

impl TrackerError {
    /// Whether it is certain that the call changed nothing. After one that may have, nothing that must not happen twice is
    /// repeated.
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Missing(_) | Self::Refused | Self::WrongProduct(_) => true,
            Self::Invalid(why) => match why {
                Misunderstanding::Rejected(_) | Misunderstanding::Request(_) => true,
                Misunderstanding::Answer(_) => false,
            },
            Self::Unavailable(fault) => match fault {
                Fault::Unreachable | Fault::Program(_) | Fault::NoProgram => true,
                // Too many calls, or not now: it was turned away. Any other failure may have come after the effect.
                Fault::Failed(status) => matches!(status, 429 | 503),
                Fault::Unclear => false,
            },
        }
    }

    /// Whether calling again later may help without anybody doing anything.
    pub fn passes(&self) -> bool {
        match self {
            Self::Unavailable(fault) => *fault != Fault::NoProgram,
            Self::Missing(_) | Self::Refused | Self::WrongProduct(_) | Self::Invalid(_) => false,
        }
    }
}

/// What was not understood, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misunderstanding {
    /// The tracker rejected the call with this HTTP status.
    #[error("the tracker rejected the call (HTTP {0})")]
    Rejected(u16),
    /// The tracker's answer lacks this, or it does not have the shape it should.
    #[error("the tracker's answer is not understood: {0}")]
    Answer(&'static str),
    /// The call cannot be made with what is configured.
    #[error("the tracker cannot be asked: {0}")]
    Request(&'static str),
}

/// Why a call did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nobody listens; nothing was sent.
    #[error("the tracker cannot be reached")]
    Unreachable,
    /// It answered with this HTTP status, a failure of its own or too many calls.
    #[error("the tracker failed (HTTP {0})")]
    Failed(u16),
    /// The program that stands for it ended with this exit code.
    #[error("the tracker's program failed (exit code {0})")]
    Program(i32),
    /// The program that stands for it cannot be started.
    #[error("the tracker's program cannot be started")]
    NoProgram,
    /// The call was made and its answer lost: it may have happened.
    #[error("the tracker did not answer in time")]
    Unclear,
}

/// A tracker. Every call is one of the items of the configured product.
pub trait Tracker: Send + Sync {
    /// One item.
    fn item(&self, id: &ItemId) -> impl Future<Output = Result<Item, TrackerError>> + Send;

    /// Open items with a label, a page at a time.
    fn items(
        &self,
        filter: &ItemFilter,
        from: Option<&PageMark>,
    ) -> impl Future<Output = Result<ItemPage, TrackerError>> + Send;

    /// Sets the status of an item. A second time changes nothing.
    fn set_status(
        &self,
        id: &ItemId,
        status: ItemStatus,
        note: Option<&Note>,
    ) -> impl Future<Output = Result<(), TrackerError>> + Send;

    /// Writes a comment on an item. A second time writes a second one.
    fn comment(
        &self,
        id: &ItemId,
        comment: &Comment,
    ) -> impl Future<Output = Result<(), TrackerError>> + Send;
}

impl<T: Tracker> Tracker for std::sync::Arc<T> {
    async fn item(&self, id: &ItemId) -> Result<Item, TrackerError> {
        (**self).item(id).await
    }
    async fn items(&self, filter: &ItemFilter, from: Option<&PageMark>) -> Result<ItemPage, TrackerError> {
        (**self).items(filter, from).await
    }
    async fn set_status(
        &self,
        id: &ItemId,
        status: ItemStatus,
        note: Option<&Note>,
    ) -> Result<(), TrackerError> {
        (**self).set_status(id, status, note).await
    }
    async fn comment(&self, id: &ItemId, comment: &Comment) -> Result<(), TrackerError> {
        (**self).comment(id, comment).await
    }
}

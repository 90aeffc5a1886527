//! Port to the items of the embedded tracker: what its server keeps. To the rest of Banksman a tracker is the outside world, so
//! this text never reaches the store. Every write is one transaction, acknowledged (S22).

use super::ItemStatus;
use crate::{tainted::Tainted, text::ItemId};
use jiff::Timestamp;
use std::future::Future;

/// An item to be made.
pub struct NewItem {
    /// Its id; `None`: the next free `T-<number>`.
    pub id: Option<ItemId>,
    /// The product it belongs to; empty: none.
    pub product: String,
    /// What kind of item it is, in the words of whoever makes it.
    pub kind: String,
    /// Its title.
    pub title: Tainted,
    /// Its description.
    pub description: Tainted,
    /// Its labels, in their order.
    pub labels: Vec<String>,
    /// How urgent, in the words of whoever makes it.
    pub priority: Option<String>,
    /// Now.
    pub at: Timestamp,
}

/// An item as it is kept.
pub struct ItemRecord {
    /// Its id.
    pub id: ItemId,
    /// The product it belongs to; empty: none.
    pub product: String,
    /// What kind of item it is.
    pub kind: String,
    /// Its title.
    pub title: Tainted,
    /// Its description.
    pub description: Tainted,
    /// Where it is.
    pub status: ItemStatus,
    /// What was said when its status was set last.
    pub note: Option<Tainted>,
    /// Its labels, in their order.
    pub labels: Vec<String>,
    /// How urgent.
    pub priority: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Which items to read; whatever is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemSelect {
    /// Of this product.
    pub product: Option<String>,
    /// With this status.
    pub status: Option<ItemStatus>,
    /// With this label.
    pub label: Option<String>,
    /// After the row with this number.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

/// A change of an item's status.
pub struct Change {
    /// To this.
    pub status: ItemStatus,
    /// What is said with it.
    pub note: Option<Tainted>,
    /// Now.
    pub at: Timestamp,
}

/// What the book refuses, or why it could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemBookError {
    /// There is no such item.
    #[error("there is no such item")]
    Missing,
    /// An item with that id is there.
    #[error("an item with this id exists")]
    Exists,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database failed; the chain is in the log.
    #[error("the tracker's database failed: {0}")]
    Failed(String),
}

/// The items of the embedded tracker.
pub trait ItemBook: Send + Sync {
    /// Makes an item.
    fn make(&self, item: NewItem) -> impl Future<Output = Result<ItemId, ItemBookError>> + Send;

    /// One item.
    fn item(&self, id: &ItemId) -> impl Future<Output = Result<ItemRecord, ItemBookError>> + Send;

    /// Items in the order in which they were made, and the number of the last one's row where more follow.
    fn items(
        &self,
        which: &ItemSelect,
    ) -> impl Future<Output = Result<(Vec<ItemRecord>, Option<u64>), ItemBookError>> + Send;

    /// Sets the status of an item; the item as it is now comes back.
    fn change(
        &self,
        id: &ItemId,
        change: Change,
    ) -> impl Future<Output = Result<ItemRecord, ItemBookError>> + Send;

    /// Writes a comment; its number comes back.
    fn comment(
        &self,
        id: &ItemId,
        body: Tainted,
        at: Timestamp,
    ) -> impl Future<Output = Result<u64, ItemBookError>> + Send;

    /// The comments on an item, oldest first.
    fn comments(
        &self,
        id: &ItemId,
    ) -> impl Future<Output = Result<Vec<(Timestamp, Tainted)>, ItemBookError>> + Send;
}

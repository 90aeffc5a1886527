//! The tracker that the configuration names, whichever it is.

use crate::{
    connection::Connection,
    github::GitHub,
    items::Items,
    linear::Linear,
    settings::{BadSettings, Kind, TrackerSettings},
};
use banksman_core::{
    port::tracker::{Comment, Item, ItemFilter, ItemPage, ItemStatus, Note, PageMark, Tracker, TrackerError},
    text::ItemId,
};

/// The configured tracker. Cheap to clone.
#[derive(Clone)]
pub struct AnyTracker(Adapter);

#[derive(Clone)]
enum Adapter {
    Items(Items),
    GitHub(GitHub),
    Linear(Linear),
}

impl AnyTracker {
    /// Makes ready; nothing is sent.
    pub fn open(settings: &TrackerSettings) -> Result<Self, BadSettings> {
        let connection = Connection::open(settings)?;
        Ok(Self(match &settings.kind {
            Kind::Items => {
                Adapter::Items(Items::new(connection, settings.paths.clone(), settings.product.clone())?)
            }
            Kind::GitHub { repo } => Adapter::GitHub(GitHub::new(connection, repo.clone())),
            Kind::Linear { team } => Adapter::Linear(Linear::new(connection, team.clone())),
        }))
    }
}

impl Tracker for AnyTracker {
    async fn item(&self, id: &ItemId) -> Result<Item, TrackerError> {
        match &self.0 {
            Adapter::Items(tracker) => tracker.item(id).await,
            Adapter::GitHub(tracker) => tracker.item(id).await,
            Adapter::Linear(tracker) => tracker.item(id).await,
        }
    }

    async fn items(&self, filter: &ItemFilter, from: Option<&PageMark>) -> Result<ItemPage, TrackerError> {
        match &self.0 {
            Adapter::Items(tracker) => tracker.items(filter, from).await,
            Adapter::GitHub(tracker) => tracker.items(filter, from).await,
            Adapter::Linear(tracker) => tracker.items(filter, from).await,
        }
    }

    async fn set_status(
        &self,
        id: &ItemId,
        status: ItemStatus,
        note: Option<&Note>,
    ) -> Result<(), TrackerError> {
        match &self.0 {
            Adapter::Items(tracker) => tracker.set_status(id, status, note).await,
            Adapter::GitHub(tracker) => tracker.set_status(id, status, note).await,
            Adapter::Linear(tracker) => tracker.set_status(id, status, note).await,
        }
    }

    async fn comment(&self, id: &ItemId, comment: &Comment) -> Result<(), TrackerError> {
        match &self.0 {
            Adapter::Items(tracker) => tracker.comment(id, comment).await,
            Adapter::GitHub(tracker) => tracker.comment(id, comment).await,
            Adapter::Linear(tracker) => tracker.comment(id, comment).await,
        }
    }
}

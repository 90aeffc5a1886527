//! The client of the items API, as the embedded tracker serves it and others with paths of their own.

mod path;
mod wire;

pub(crate) use path::encoded;

use crate::{
    connection::{Connection, Method, Request},
    settings::{BadSettings, Paths},
};
use banksman_core::{
    port::tracker::{
        Comment, Item, ItemFilter, ItemPage, ItemStatus, Misunderstanding, Note, PageMark, Tracker,
        TrackerError,
    },
    text::ItemId,
};
use serde::Serialize;

/// A tracker that serves the items API.
#[derive(Clone)]
pub(crate) struct Items {
    connection: Connection,
    paths: Paths,
    product: Option<String>,
}

#[derive(Serialize)]
struct Change<'a> {
    status: ItemStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct Said<'a> {
    body: &'a str,
}

impl Items {
    pub(crate) fn new(
        connection: Connection,
        paths: Paths,
        product: Option<String>,
    ) -> Result<Self, BadSettings> {
        path::check(&paths)?;
        Ok(Self { connection, paths, product: product.filter(|product| !product.is_empty()) })
    }

    /// Whether an item is of the configured product; without one every item is.
    fn is_ours(&self, item: &wire::ItemWire) -> bool {
        self.product.as_ref().is_none_or(|product| item.product.as_deref() == Some(product.as_str()))
    }

    /// The path of a page: what the template makes of the filter, or where the tracker itself says that it is.
    fn page(&self, filter: &ItemFilter, from: Option<&PageMark>) -> Result<String, TrackerError> {
        let mark = from.map_or("", |mark| mark.0.as_str());
        if mark.starts_with('/') && !mark.starts_with("//") && mark.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(mark.to_owned());
        }
        if mark.contains("://") {
            // A whole URL could lead the token to another host.
            return Err(TrackerError::Invalid(Misunderstanding::Answer("`next` is no mark and no path")));
        }
        let mut path = path::fill(
            &self.paths.items,
            &[
                ("{product}", self.product.as_deref().unwrap_or_default()),
                ("{status}", ItemStatus::Open.as_str()),
                ("{label}", &filter.label),
                ("{next}", mark),
            ],
        );
        if !mark.is_empty() && !self.paths.items.contains("{next}") {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str("next=");
            path.push_str(&encoded(mark));
        }
        Ok(path)
    }
}

impl Tracker for Items {
    async fn item(&self, id: &ItemId) -> Result<Item, TrackerError> {
        let path = path::fill(&self.paths.item, &[("{id}", id.as_str())]);
        let answer = self.connection.call(Request::get(path)).await.map_err(|e| e.about(id))?;
        let item: wire::ItemWire = answer.read("it is no item").map_err(|e| e.about(id))?;
        if !self.is_ours(&item) {
            return Err(TrackerError::WrongProduct(id.clone()));
        }
        Ok(item.into_item(id.clone()))
    }

    async fn items(&self, filter: &ItemFilter, from: Option<&PageMark>) -> Result<ItemPage, TrackerError> {
        let request = Request::get(self.page(filter, from)?);
        let answer = self.connection.call(request).await.map_err(|e| e.about_none())?;
        let page: wire::PageWire = answer.read("it is no list of items").map_err(|e| e.about_none())?;
        let next = page.next.filter(|next| !next.is_empty()).map(PageMark);
        if next.is_some() && next.as_ref() == from {
            return Err(TrackerError::Invalid(Misunderstanding::Answer("`next` leads to itself")));
        }
        let mut items = Vec::new();
        for item in page.items {
            // Not every tracker knows every filter.
            if !self.is_ours(&item) || !item.has_label(&filter.label) {
                continue;
            }
            let id = item.id()?;
            let item = item.into_item(id);
            if item.status.is_none_or(|status| status == ItemStatus::Open) {
                items.push(item);
            }
        }
        Ok(ItemPage { items, next })
    }

    async fn set_status(
        &self,
        id: &ItemId,
        status: ItemStatus,
        note: Option<&Note>,
    ) -> Result<(), TrackerError> {
        let path = path::fill(&self.paths.item, &[("{id}", id.as_str())]);
        let change = Change { status, note: note.map(Note::as_str) };
        let request = Request::with(Method::Patch, path, &change).map_err(|e| e.about(id))?;
        self.connection.call(request).await.map(drop).map_err(|e| e.about(id))
    }

    async fn comment(&self, id: &ItemId, comment: &Comment) -> Result<(), TrackerError> {
        let path = path::fill(&self.paths.comments, &[("{id}", id.as_str())]);
        let said = Said { body: comment.as_str() };
        let request = Request::with(Method::Post, path, &said).map_err(|e| e.about(id))?;
        self.connection.call(request).await.map(drop).map_err(|e| e.about(id))
    }
}

//! GitHub issues as a tracker (T15): a label selects; the state, two labels and a comment are echoed. Items are issue numbers.

mod wire;

use crate::{
    answer::CallError,
    connection::{Connection, Method, Request},
    items::encoded,
};
use banksman_core::{
    port::tracker::{
        Comment, Item, ItemFilter, ItemPage, ItemStatus, Misunderstanding, Note, PageMark, Tracker,
        TrackerError,
    },
    text::{ItemId, RepoName},
};
use serde::Serialize;

/// Label of an issue that is worked on.
pub(crate) const IN_PROGRESS: &str = "in-progress";
/// Label of an issue that waits for a person.
pub(crate) const BLOCKED: &str = "blocked";
/// Issues on a page.
const PAGE: usize = 100;

/// The issues of one repository.
#[derive(Clone)]
pub(crate) struct GitHub {
    connection: Connection,
    repo: RepoName,
}

#[derive(Serialize)]
struct StateChange {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Labels {
    labels: [&'static str; 1],
}

#[derive(Serialize)]
struct Said<'a> {
    body: &'a str,
}

impl GitHub {
    pub(crate) fn new(connection: Connection, repo: RepoName) -> Self {
        Self { connection, repo }
    }

    fn issues(&self) -> String {
        format!("/repos/{}/issues", self.repo)
    }

    /// The path of an issue; whatever is no number is no item here.
    fn issue(&self, id: &ItemId) -> Result<String, TrackerError> {
        let number: u64 = id.as_str().parse().map_err(|_| TrackerError::Missing(id.clone()))?;
        Ok(format!("{}/{number}", self.issues()))
    }

    async fn send(
        &self,
        id: &ItemId,
        method: Method,
        path: String,
        body: &impl Serialize,
    ) -> Result<(), TrackerError> {
        let request = Request::with(method, path, body).map_err(|e| e.about(id))?;
        self.connection.call(request).await.map(drop).map_err(|e| e.about(id))
    }

    async fn set_state(&self, id: &ItemId, change: StateChange) -> Result<(), TrackerError> {
        self.send(id, Method::Patch, self.issue(id)?, &change).await
    }

    async fn add_label(&self, id: &ItemId, label: &'static str) -> Result<(), TrackerError> {
        let path = format!("{}/labels", self.issue(id)?);
        self.send(id, Method::Post, path, &Labels { labels: [label] }).await
    }

    /// Removes a label; one that is not there is fine.
    async fn remove_label(&self, id: &ItemId, label: &'static str) -> Result<(), TrackerError> {
        let path = format!("{}/labels/{label}", self.issue(id)?);
        match self.connection.call(Request::delete(path)).await {
            Ok(_) | Err(CallError::NotFound) => Ok(()),
            Err(error) => Err(error.about(id)),
        }
    }
}

impl Tracker for GitHub {
    async fn item(&self, id: &ItemId) -> Result<Item, TrackerError> {
        let request = Request::get(self.issue(id)?);
        let answer = self.connection.call(request).await.map_err(|e| e.about(id))?;
        let issue: wire::IssueWire = answer.read("it is no issue").map_err(|e| e.about(id))?;
        if issue.is_pull() {
            return Err(TrackerError::Missing(id.clone()));
        }
        Ok(issue.into_item(id.clone()))
    }

    async fn items(&self, filter: &ItemFilter, from: Option<&PageMark>) -> Result<ItemPage, TrackerError> {
        if filter.label.contains(',') {
            let why = "GitHub cannot look for a label with a comma in it";
            return Err(TrackerError::Invalid(Misunderstanding::Request(why)));
        }
        let page: u32 = from.and_then(|mark| mark.0.parse().ok()).unwrap_or(1);
        let path = format!(
            "{}?state=open&labels={}&sort=created&direction=asc&per_page={PAGE}&page={page}",
            self.issues(),
            encoded(&filter.label)
        );
        let answer = self.connection.call(Request::get(path)).await.map_err(|e| e.about_none())?;
        let issues: Vec<wire::IssueWire> =
            answer.read("it is no list of issues").map_err(|e| e.about_none())?;
        let next = (issues.len() >= PAGE).then(|| PageMark((page + 1).to_string()));
        let mut items = Vec::new();
        for issue in issues {
            if !issue.is_pull() {
                let id = ItemId::new(&issue.number.to_string());
                let id = id.map_err(|_| CallError::Answer("an issue has no number").about_none())?;
                let item = issue.into_item(id);
                // Whoever works at one of these, or waits for something, says so with a label.
                if item.status.is_none_or(|status| status == ItemStatus::Open) {
                    items.push(item);
                }
            }
        }
        Ok(ItemPage { items, next })
    }

    /// Several calls, each of which changes nothing the second time; so the whole can be repeated after any of them. The note goes
    /// nowhere: GitHub has no place for one, and the comment says the same.
    async fn set_status(
        &self,
        id: &ItemId,
        status: ItemStatus,
        _note: Option<&Note>,
    ) -> Result<(), TrackerError> {
        let open = StateChange { state: "open", state_reason: None };
        match status {
            ItemStatus::Open => {
                self.set_state(id, open).await?;
                self.remove_label(id, IN_PROGRESS).await?;
                self.remove_label(id, BLOCKED).await
            }
            ItemStatus::InProgress => {
                self.set_state(id, open).await?;
                self.add_label(id, IN_PROGRESS).await?;
                self.remove_label(id, BLOCKED).await
            }
            ItemStatus::Blocked => {
                self.set_state(id, open).await?;
                self.add_label(id, BLOCKED).await?;
                self.remove_label(id, IN_PROGRESS).await
            }
            ItemStatus::Done => {
                let done = StateChange { state: "closed", state_reason: Some("completed") };
                self.set_state(id, done).await?;
                self.remove_label(id, IN_PROGRESS).await?;
                self.remove_label(id, BLOCKED).await
            }
        }
    }

    async fn comment(&self, id: &ItemId, comment: &Comment) -> Result<(), TrackerError> {
        let path = format!("{}/comments", self.issue(id)?);
        self.send(id, Method::Post, path, &Said { body: comment.as_str() }).await
    }
}

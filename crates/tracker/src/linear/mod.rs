//! Linear as a tracker (T15): a label selects; the workflow state and a comment are echoed. Items are identifiers such as `ENG-12`.
//! Each GraphQL document has a file of its own.

mod wire;

use crate::{
    answer::CallError,
    connection::{Connection, Errors, Method, Request},
};
use banksman_core::{
    port::tracker::{
        Comment, Fault, Item, ItemFilter, ItemPage, ItemStatus, Note, PageMark, Tracker, TrackerError,
    },
    text::ItemId,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use wire::{CommentDone, IssueWire, OneIssue, Reply, SomeIssues, StateSet};

const ITEM: &str = include_str!("item.graphql");
const ITEMS: &str = include_str!("items.graphql");
const SET_STATE: &str = include_str!("set_state.graphql");
const COMMENT: &str = include_str!("comment.graphql");

/// Types of workflow states in which nobody has begun.
const NOT_BEGUN: [&str; 3] = ["triage", "backlog", "unstarted"];

/// The issues that a token of Linear sees.
#[derive(Clone)]
pub(crate) struct Linear {
    connection: Connection,
    team: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    query: &'a str,
    variables: Value,
}

impl Linear {
    pub(crate) fn new(connection: Connection, team: Option<String>) -> Self {
        Self { connection, team: team.filter(|team| !team.is_empty()) }
    }

    async fn ask<T: DeserializeOwned>(&self, query: &str, variables: Value) -> Result<T, CallError> {
        let mut request = Request::with(Method::Post, String::new(), &Document { query, variables })?;
        request.errors = Errors::Read;
        let answer = self.connection.call(request).await?;
        answer.read::<Reply<T>>("it is no GraphQL answer")?.data()
    }

    async fn issue(&self, id: &ItemId) -> Result<IssueWire, TrackerError> {
        let found: OneIssue =
            self.ask(ITEM, json!({ "id": id.as_str() })).await.map_err(|error| match error {
                // The id is all that was put in.
                CallError::Rejected(400) => TrackerError::Missing(id.clone()),
                other => other.about(id),
            })?;
        match &self.team {
            Some(team) if *team != found.issue.team.key => Err(TrackerError::WrongProduct(id.clone())),
            _ => Ok(found.issue),
        }
    }
}

impl Tracker for Linear {
    async fn item(&self, id: &ItemId) -> Result<Item, TrackerError> {
        Ok(self.issue(id).await?.into_item(id.clone()))
    }

    async fn items(&self, filter: &ItemFilter, from: Option<&PageMark>) -> Result<ItemPage, TrackerError> {
        let mut wanted = json!({
            "labels": { "name": { "eq": filter.label } },
            "state": { "type": { "in": NOT_BEGUN } },
        });
        if let Some(team) = &self.team {
            wanted["team"] = json!({ "key": { "eq": team } });
        }
        let variables = json!({ "filter": wanted, "after": from.map(|mark| &mark.0) });
        let found: SomeIssues = self.ask(ITEMS, variables).await.map_err(CallError::about_none)?;
        let mut items = Vec::new();
        for issue in found.issues.nodes {
            let id = issue.id().map_err(CallError::about_none)?;
            items.push(issue.into_item(id));
        }
        let page = found.issues.page_info;
        let next = page.end_cursor.filter(|_| page.has_next_page).map(PageMark);
        Ok(ItemPage { items, next })
    }

    /// Reads the states of the issue's team first. An issue in a fitting state stays in it, so that a team's finer states are kept. The
    /// note goes nowhere: Linear has no place for one, and the comment says the same.
    async fn set_status(
        &self,
        id: &ItemId,
        status: ItemStatus,
        _note: Option<&Note>,
    ) -> Result<(), TrackerError> {
        let issue = self.issue(id).await?;
        let Some(state) = issue.state_for(status) else { return Ok(()) };
        let variables = json!({ "id": issue.id, "state": state });
        let set: StateSet = self.ask(SET_STATE, variables).await.map_err(|e| e.about(id))?;
        set.issue_update.done().map_err(|e| e.about(id))
    }

    async fn comment(&self, id: &ItemId, comment: &Comment) -> Result<(), TrackerError> {
        // Without the issue nothing was said: what is unclear about the read is clear about the comment.
        let issue = self.issue(id).await.map_err(|error| match error {
            TrackerError::Unavailable(Fault::Unclear) => TrackerError::Unavailable(Fault::Unreachable),
            error => error,
        })?;
        let variables = json!({ "issue": issue.id, "body": comment.as_str() });
        let made: CommentDone = self.ask(COMMENT, variables).await.map_err(|e| e.about(id))?;
        made.comment_create.done().map_err(|e| e.about(id))
    }
}

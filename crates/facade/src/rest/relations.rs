//! Sub-issues and dependencies. As on GitHub the other issue is named by its id, not by its number.

use super::{There, input, issues::Context};
use crate::{
    Facade,
    page::{Page, with_link},
    problem::Problem,
};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use banksman_core::{
    id::Number,
    port::book::{IssueRecord, Link, Presence, Select},
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/issues/{number}/sub_issues", get(children).post(adopt))
        .route("/repos/{owner}/{repo}/issues/{number}/sub_issue", delete(disown))
        .route("/repos/{owner}/{repo}/issues/{number}/parent", get(parent))
        .route("/repos/{owner}/{repo}/issues/{number}/dependencies/blocked_by", get(blockers).post(block))
        .route("/repos/{owner}/{repo}/issues/{number}/dependencies/blocked_by/{id}", delete(unblock))
        .route("/repos/{owner}/{repo}/issues/{number}/dependencies/blocking", get(blocking))
}

/// The issue that a request is about.
async fn own(there: &There) -> Result<IssueRecord, Problem> {
    let number = Number(there.number("number")?);
    one(there, number).await
}

async fn one(there: &There, number: Number) -> Result<IssueRecord, Problem> {
    let at = there.caller.at(&there.spot);
    let found = there.caller.front.issues(&at, Select::Numbers(vec![number])).await?.pop();
    found.ok_or_else(Problem::not_found)
}

async fn list(there: &There, uri: &Uri, wanted: impl Fn(&IssueRecord) -> bool) -> Result<Response, Problem> {
    let at = there.caller.at(&there.spot);
    let mut all = there.caller.front.issues(&at, Select::All).await?;
    all.retain(wanted);
    let page = Page::of(uri, &there.caller.links.api);
    let link = page.link(all.len());
    let context = Context::read(there).await?;
    let mut shown = Vec::new();
    for issue in page.cut(all) {
        shown.push(context.show(there, &issue).await?);
    }
    Ok(with_link(Json(shown).into_response(), link))
}

async fn show(there: &There, number: Number) -> Result<Json<Value>, Problem> {
    let issue = one(there, number).await?;
    Ok(Json(Context::read(there).await?.show(there, &issue).await?))
}

#[derive(Deserialize)]
struct Other {
    sub_issue_id: Option<u64>,
    issue_id: Option<u64>,
}

/// The other issue.
fn other(there: &There, bytes: &[u8]) -> Result<Number, Problem> {
    let given: Other = input::body(bytes)?;
    let id = given.sub_issue_id.or(given.issue_id);
    let id = id.ok_or_else(|| Problem::invalid("Issue", "sub_issue_id", "missing_field"))?;
    there.spot.narrow(id).map(Number).ok_or_else(Problem::not_found)
}

async fn children(there: There, uri: Uri) -> Result<Response, Problem> {
    let parent = own(&there).await?.number;
    list(&there, &uri, |issue| issue.parent == Some(parent)).await
}

async fn adopt(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let (parent, child) = (own(&there).await?.number, other(&there, &bytes)?);
    let link = Link::Child { parent, child };
    there.caller.front.link(&there.caller.at(&there.spot), link, Presence::Present).await?;
    Ok((StatusCode::CREATED, show(&there, parent).await?).into_response())
}

async fn disown(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let (parent, child) = (own(&there).await?.number, other(&there, &bytes)?);
    let link = Link::Child { parent, child };
    there.caller.front.link(&there.caller.at(&there.spot), link, Presence::Absent).await?;
    show(&there, parent).await
}

async fn parent(there: There) -> Result<Json<Value>, Problem> {
    let parent = own(&there).await?.parent.ok_or_else(Problem::not_found)?;
    show(&there, parent).await
}

async fn blockers(there: There, uri: Uri) -> Result<Response, Problem> {
    let blockers = own(&there).await?.blocked_by;
    list(&there, &uri, |issue| blockers.contains(&issue.number)).await
}

async fn block(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let (blocked, blocker) = (own(&there).await?.number, other(&there, &bytes)?);
    let link = Link::Blocks { blocker, blocked };
    there.caller.front.link(&there.caller.at(&there.spot), link, Presence::Present).await?;
    Ok((StatusCode::CREATED, show(&there, blocker).await?).into_response())
}

async fn unblock(there: There) -> Result<Json<Value>, Problem> {
    let blocked = own(&there).await?.number;
    let blocker = there.spot.narrow(there.number("id")?).map(Number).ok_or_else(Problem::not_found)?;
    let link = Link::Blocks { blocker, blocked };
    there.caller.front.link(&there.caller.at(&there.spot), link, Presence::Absent).await?;
    show(&there, blocker).await
}

async fn blocking(there: There, uri: Uri) -> Result<Response, Problem> {
    let blocker = own(&there).await?.number;
    list(&there, &uri, |issue| issue.blocked_by.contains(&blocker)).await
}

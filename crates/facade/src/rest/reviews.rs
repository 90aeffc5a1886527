//! Reviews and their comments.

use super::{There, input};
use crate::{Facade, deeds, page::Page, problem::Problem, shape};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use banksman_core::{
    id::Number,
    port::book::{NewThread, Opinion},
    tainted::Tainted,
    text::Sha,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/pulls/{number}/reviews", get(list).post(write))
        .route("/repos/{owner}/{repo}/pulls/{number}/reviews/{id}", get(one))
        .route("/repos/{owner}/{repo}/pulls/{number}/reviews/{id}/comments", get(comments_of))
        .route("/repos/{owner}/{repo}/pulls/{number}/comments", get(comments).post(open_thread))
        .route("/repos/{owner}/{repo}/pulls/{number}/comments/{id}/replies", post(reply))
}

async fn list(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let number = Number(there.number("number")?);
    let talk = caller.front.conversation(&caller.at(spot), number).await?;
    let show = |review| shape::pulls::review(caller, spot, number, &review);
    Ok(Page::of(&uri, &caller.links.api).answer(talk.reviews, show))
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let (number, id) = (Number(there.number("number")?), there.number("id")?);
    let talk = caller.front.conversation(&caller.at(spot), number).await?;
    let found = talk.reviews.iter().find(|review| review.id.0 == id).ok_or_else(Problem::not_found)?;
    Ok(Json(shape::pulls::review(caller, spot, number, found)))
}

#[derive(Deserialize)]
struct NewReview {
    commit_id: Option<String>,
    body: Option<String>,
    event: Option<String>,
    #[serde(default)]
    comments: Vec<NewComment>,
}

#[derive(Deserialize)]
struct NewComment {
    path: String,
    body: String,
    line: Option<u32>,
    position: Option<u32>,
}

async fn write(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let number = Number(there.number("number")?);
    let new: NewReview = input::body(&bytes)?;
    let opinion = match new.event.as_deref() {
        Some("APPROVE") => Opinion::Approved,
        Some("REQUEST_CHANGES") => Opinion::ChangesRequested,
        Some("COMMENT") => Opinion::Commented,
        Some(_) => return Err(Problem::invalid("PullRequestReview", "event", "invalid")),
        None => return Err(Problem::unprocessable("Pending reviews are not offered here: give an event")),
    };
    let body = new.body.unwrap_or_default();
    if opinion != Opinion::Approved && body.is_empty() && new.comments.is_empty() {
        return Err(Problem::invalid("PullRequestReview", "body", "missing_field"));
    }
    let head = new.commit_id.map(|sha| Sha::new(&sha)).transpose();
    let head = head.map_err(|_| Problem::invalid("PullRequestReview", "commit_id", "invalid"))?;
    let thread = |new: NewComment| {
        let line = new.line.or(new.position).unwrap_or(1);
        NewThread { place: Some((Tainted::new(new.path), line)), body: Tainted::new(new.body) }
    };
    let threads = new.comments.into_iter().map(thread).collect();
    deeds::write_review(caller, spot, number, head, opinion, Tainted::new(body), threads).await?;
    let talk = caller.front.conversation(&caller.at(spot), number).await?;
    let own = talk.reviews.iter().rfind(|review| review.reviewer.id == caller.account.id);
    Ok(Json(shape::pulls::review(caller, spot, number, own.ok_or_else(Problem::not_found)?)))
}

/// Comments in review threads that are wanted.
async fn said(there: &There, review: Option<u64>) -> Result<Vec<Value>, Problem> {
    let There { caller, spot, .. } = there;
    let number = Number(there.number("number")?);
    let pull = deeds::pull(caller, spot, number).await?;
    let talk = caller.front.conversation(&caller.at(spot), number).await?;
    let threads = talk.threads.iter().filter(|t| review.is_none_or(|id| t.review.is_some_and(|r| r.0 == id)));
    let show = |thread| {
        let thread: &banksman_core::port::book::ThreadRecord = thread;
        let comments = thread.comments.iter();
        comments
            .map(|c| shape::pulls::review_comment(caller, spot, number, &pull.signals.head, thread, c))
            .collect()
    };
    let shown: Vec<Vec<Value>> = threads.map(show).collect();
    Ok(shown.into_iter().flatten().collect())
}

async fn comments(there: There, uri: Uri) -> Result<Response, Problem> {
    let all = said(&there, None).await?;
    Ok(Page::of(&uri, &there.caller.links.api).answer(all, |shown| shown))
}

async fn comments_of(there: There, uri: Uri) -> Result<Response, Problem> {
    let all = said(&there, Some(there.number("id")?)).await?;
    Ok(Page::of(&uri, &there.caller.links.api).answer(all, |shown| shown))
}

#[derive(Deserialize)]
struct NewThreadGiven {
    body: Option<String>,
    path: Option<String>,
    commit_id: Option<String>,
    line: Option<u32>,
    position: Option<u32>,
    in_reply_to: Option<u64>,
}

async fn open_thread(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let number = Number(there.number("number")?);
    let new: NewThreadGiven = input::body(&bytes)?;
    let missing = |field| Problem::invalid("PullRequestReviewComment", field, "missing_field");
    let body = new.body.filter(|body| !body.trim().is_empty()).ok_or_else(|| missing("body"))?;
    if let Some(id) = new.in_reply_to {
        return reply_to(&there, number, id, body).await;
    }
    let path = new.path.ok_or_else(|| missing("path"))?;
    let head = new.commit_id.map(|sha| Sha::new(&sha)).transpose();
    let head = head.map_err(|_| Problem::invalid("PullRequestReviewComment", "commit_id", "invalid"))?;
    let line = new.line.or(new.position).unwrap_or(1);
    let thread = NewThread { place: Some((Tainted::new(path), line)), body: Tainted::new(body) };
    let words = Tainted::new(String::new());
    deeds::write_review(caller, spot, number, head, Opinion::Commented, words, vec![thread]).await?;
    last_said(&there).await
}

/// The newest comment in a review thread, as an answer to whoever wrote it.
async fn last_said(there: &There) -> Result<Response, Problem> {
    let last = said(there, None).await?.into_iter().max_by_key(|said| said["id"].as_u64());
    Ok((StatusCode::CREATED, Json(last)).into_response())
}

#[derive(Deserialize)]
struct Reply {
    body: String,
}

async fn reply(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let (number, id) = (Number(there.number("number")?), there.number("id")?);
    let reply: Reply = input::body(&bytes)?;
    reply_to(&there, number, id, reply.body).await
}

async fn reply_to(there: &There, number: Number, id: u64, body: String) -> Result<Response, Problem> {
    let There { caller, spot, .. } = there;
    let at = caller.at(spot);
    let talk = caller.front.conversation(&at, number).await?;
    let thread = talk.threads.iter().find(|thread| thread.comments.iter().any(|said| said.id.0 == id));
    let thread = thread.ok_or_else(Problem::not_found)?.id;
    caller.front.reply(&at, thread, Tainted::new(body)).await?;
    last_said(there).await
}

//! Comments on issues and pull requests.

use super::{There, input};
use crate::{Facade, page::Page, problem::Problem, shape};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use banksman_core::{
    id::{CommentId, Number},
    tainted::Tainted,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/issues/{number}/comments", get(list).post(write))
        .route("/repos/{owner}/{repo}/issues/comments/{id}", get(one).patch(rewrite).delete(remove))
}

#[derive(Deserialize)]
struct Words {
    body: Option<String>,
}

impl Words {
    fn read(bytes: &[u8]) -> Result<Tainted, Problem> {
        let words: Self = input::body(bytes)?;
        match words.body.filter(|body| !body.trim().is_empty()) {
            Some(body) => Ok(Tainted::new(body)),
            None => Err(Problem::invalid("IssueComment", "body", "missing_field")),
        }
    }
}

async fn list(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let on = Number(there.number("number")?);
    let mut comments = caller.front.comments(&caller.at(spot), on).await?;
    if let Some(since) = input::query(&uri).get("since").and_then(|since| since.parse::<Timestamp>().ok()) {
        comments.retain(|comment| comment.at >= since);
    }
    let show = |comment| shape::issues::comment(caller, spot, on, &comment);
    Ok(Page::of(&uri, &caller.links.api).answer(comments, show))
}

async fn write(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let body = Words::read(&bytes)?;
    let at = caller.at(spot);
    let id = caller.front.comment(&at, Number(there.number("number")?), body).await?;
    let (on, comment) = caller.front.comment_by_id(&at, id).await?;
    let place = format!("{}/issues/comments/{id}", caller.links.repo_api(spot));
    let shown = Json(shape::issues::comment(caller, spot, on, &comment));
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], shown).into_response())
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let id = CommentId(there.number("id")?);
    let (on, comment) = caller.front.comment_by_id(&caller.at(spot), id).await?;
    Ok(Json(shape::issues::comment(caller, spot, on, &comment)))
}

async fn rewrite(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let id = CommentId(there.number("id")?);
    let body = Words::read(&bytes)?;
    there.caller.front.rewrite_comment(&there.caller.at(&there.spot), id, body).await?;
    one(there).await
}

async fn remove(there: There) -> Result<StatusCode, Problem> {
    let id = CommentId(there.number("id")?);
    there.caller.front.remove_comment(&there.caller.at(&there.spot), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

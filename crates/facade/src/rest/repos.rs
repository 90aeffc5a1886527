//! Repositories.

use super::There;
use crate::{Facade, page::Page, problem::Problem, shape};
use axum::{Json, Router, http::Uri, response::Response, routing::get};
use banksman_core::port::book::Select;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}", get(one))
        .route("/repos/{owner}/{repo}/assignees", get(assignees))
        .route("/repos/{owner}/{repo}/collaborators/{login}/permission", get(permission))
        .route("/repos/{owner}/{repo}/topics", get(topics))
        .route("/repos/{owner}/{repo}/languages", get(languages))
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let at = caller.at(spot);
    let open = caller.front.issues(&at, Select::Open).await?.len()
        + caller.front.pulls(&at, Select::Open).await?.len();
    let branches = caller.front.branches(&at).await?;
    let head = branches.into_iter().find(|(name, _)| *name == spot.rules.default_branch);
    let pushed = match head {
        Some((_, sha)) => shape::time(caller.front.commit(&at, sha).await?.committer.at),
        None => shape::time(jiff::Timestamp::UNIX_EPOCH),
    };
    Ok(Json(shape::repos::full(caller, spot, open, &pushed)))
}

async fn assignees(there: There, uri: Uri) -> Response {
    let caller = &there.caller;
    let all = vec![caller.account.clone()];
    Page::of(&uri, &caller.links.api).answer(all, |account| shape::people::user(caller, &account))
}

async fn permission(there: There) -> Json<Value> {
    let caller = &there.caller;
    let mut user = shape::people::user(caller, &caller.account);
    if let Some(user) = user.as_object_mut() {
        user.insert("role_name".to_owned(), "admin".into());
    }
    Json(json!({ "permission": "admin", "role_name": "admin", "user": user }))
}

async fn topics(_there: There) -> Json<Value> {
    Json(json!({ "names": [] }))
}

async fn languages(_there: There) -> Json<Value> {
    Json(json!({}))
}

//! Who asks, what is left of the limits, and the few documents about the server itself.

use super::input;
use crate::{
    Facade,
    caller::Caller,
    page::Page,
    problem::Problem,
    shape::{people, repos},
};
use axum::{
    Extension, Json, Router,
    extract::{Path, State},
    http::Uri,
    response::Response,
    routing::get,
};
use banksman_core::{id::ActorId, port::book::Account, text::Login};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/", get(root))
        .route("/meta", get(meta))
        .route("/rate_limit", get(rate_limit))
        .route("/user", get(myself))
        .route("/user/repos", get(my_repos))
        .route("/user/orgs", get(nothing))
        .route("/users/{login}", get(user))
        .route("/users/{login}/repos", get(repos_of))
}

async fn root(Extension(caller): Extension<Arc<Caller>>) -> Json<Value> {
    let api = &caller.links.api;
    Json(json!({
        "current_user_url": format!("{api}/user"),
        "rate_limit_url": format!("{api}/rate_limit"),
        "repository_url": format!("{api}/repos/{{owner}}/{{repo}}"),
        "issue_search_url": format!("{api}/search/issues?q={{query}}"),
        "user_url": format!("{api}/users/{{user}}"),
    }))
}

async fn meta() -> Json<Value> {
    Json(json!({ "verifiable_password_authentication": false }))
}

async fn rate_limit(State(facade): State<Arc<Facade>>) -> Json<Value> {
    let shown = facade.answers.limits((facade.now)()).map(|(name, limit)| {
        let shown = json!({
            "limit": limit.limit, "used": limit.used, "remaining": limit.remaining(), "reset": limit.reset,
        });
        (name.to_owned(), shown)
    });
    let core = shown[0].1.clone();
    let resources: serde_json::Map<String, Value> = shown.into_iter().collect();
    Json(json!({ "resources": resources, "rate": core }))
}

async fn myself(Extension(caller): Extension<Arc<Caller>>) -> Json<Value> {
    Json(people::profile(&caller, &caller.account))
}

async fn user(
    Extension(caller): Extension<Arc<Caller>>,
    Path(login): Path<String>,
) -> Result<Json<Value>, Problem> {
    if login.eq_ignore_ascii_case("local") {
        let login = Login::new("local").map_err(|_| Problem::not_found())?;
        return Ok(Json(people::profile(&caller, &Account { id: ActorId(0), login })));
    }
    let account = caller.known(&login).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(people::profile(&caller, &account)))
}

async fn my_repos(Extension(caller): Extension<Arc<Caller>>, uri: Uri) -> Result<Response, Problem> {
    let spots = caller.spots().await?;
    Ok(Page::of(&uri, &caller.links.api).answer(spots, |spot| repos::repo(&caller, &spot)))
}

async fn repos_of(
    Extension(caller): Extension<Arc<Caller>>,
    Path(login): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut spots = caller.spots().await?;
    if login.eq_ignore_ascii_case("local") {
        for spot in &mut spots {
            spot.owner = "local".to_owned();
        }
    } else if !login.eq_ignore_ascii_case(caller.owner.login.as_str()) {
        return Err(Problem::not_found());
    }
    Ok(Page::of(&uri, &caller.links.api).answer(spots, |spot| repos::repo(&caller, &spot)))
}

async fn nothing(uri: Uri) -> Json<Value> {
    let _ = input::query(&uri);
    Json(json!([]))
}

//! `GET /search/issues` and `/search/repositories`.

use super::input;
use crate::{
    Facade,
    caller::Caller,
    page::{Page, with_link},
    problem::Problem,
    search::{Found, Search},
    shape,
};
use axum::{
    Extension, Json, Router,
    http::Uri,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new().route("/search/issues", get(issues)).route("/search/repositories", get(repositories))
}

async fn issues(Extension(caller): Extension<Arc<Caller>>, uri: Uri) -> Result<Response, Problem> {
    let query = input::query(&uri);
    let Some(text) = query.get("q").filter(|q| !q.trim().is_empty()) else {
        return Err(Problem::invalid("Search", "q", "missing"));
    };
    let mut search = Search::read(text, caller.account.login.as_str());
    let order = query.get("order").map_or("desc", String::as_str);
    if let Some(sort) = query.get("sort") {
        search.sorted(&format!("{sort}-{order}"));
    }
    let found = search.run(&caller).await?;
    let page = Page::of(&uri, &caller.links.api);
    let (total, link) = (found.len(), page.link(found.len()));
    let mut items = Vec::new();
    for found in page.cut(found) {
        items.push(show(&caller, found).await?);
    }
    let answer = json!({ "total_count": total, "incomplete_results": false, "items": items, "search_type": "lexical" });
    Ok(with_link(Json(answer).into_response(), link))
}

async fn show(caller: &Caller, found: Found) -> Result<Value, Problem> {
    let (spot, item) = match found {
        Found::Issue(spot, issue) => {
            let at = caller.at(&spot);
            let known = caller.front.labels(&at).await?;
            let body = shape::plain(&caller.front.text(&at, issue.number).await?.body);
            let comments = caller.front.comments(&at, issue.number).await?.len();
            let shown = shape::issues::issue(caller, &spot, &issue, body, &known, comments, (0, 0, 0));
            (spot, shown)
        }
        Found::Pull(spot, pull) => {
            let (at, number) = (caller.at(&spot), pull.signals.number);
            let known = caller.front.labels(&at).await?;
            let body = shape::plain(&caller.front.text(&at, number).await?.body);
            let comments = caller.front.comments(&at, number).await?.len();
            let shown = shape::issues::pull_as_issue(caller, &spot, &pull, body, &known, comments);
            (spot, shown)
        }
    };
    Ok(shape::issues::found(caller, &spot, item))
}

async fn repositories(Extension(caller): Extension<Arc<Caller>>, uri: Uri) -> Result<Response, Problem> {
    let query = input::query(&uri);
    let words = query.get("q").map(String::as_str).unwrap_or_default();
    let word = words.split_whitespace().find(|word| !word.contains(':')).unwrap_or_default().to_lowercase();
    let mut found = caller.spots().await?;
    found.retain(|spot| spot.name().to_lowercase().contains(&word));
    let page = Page::of(&uri, &caller.links.api);
    let (total, link) = (found.len(), page.link(found.len()));
    let show = |spot| {
        let repo = shape::repos::repo(&caller, &spot);
        shape::joined([repo, json!({ "score": 1.0, "master_branch": spot.rules.default_branch.as_str() })])
    };
    let items: Vec<Value> = page.cut(found).into_iter().map(show).collect();
    let answer = json!({ "total_count": total, "incomplete_results": false, "items": items });
    Ok(with_link(Json(answer).into_response(), link))
}

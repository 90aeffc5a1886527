//! Git's smart HTTP for clone, fetch and push, by git's own `http-backend` as a child per request. It runs on the repository
//! that the home names, without the host's or the user's configuration and without hooks. What a push asks for is read before
//! git sees it: the default branch is moved by merges alone.

mod backend;
mod commands;

use crate::{Facade, caller::Caller, problem::Problem};
use axum::{
    Extension, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use backend::Ask;
use commands::Verdict;
use std::sync::Arc;

/// What git calls the two directions.
const FETCH: &str = "git-upload-pack";
const PUSH: &str = "git-receive-pack";

/// Whether a path is one of git's.
pub(crate) fn is_for_git(path: &str) -> bool {
    [FETCH, PUSH, "info/refs"].iter().any(|end| path.strip_suffix(end).is_some_and(|p| p.ends_with('/')))
        && !path.starts_with("/repos/")
        && !path.starts_with("/api/")
}

/// The routes. `gh` and people write the name with and without `.git`.
pub(crate) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/{owner}/{name}/info/refs", get(advertise))
        .route("/{owner}/{name}/git-upload-pack", post(fetch))
        .route("/{owner}/{name}/git-receive-pack", post(push))
        // A push is as large as what is pushed.
        .layer(DefaultBodyLimit::disable())
}

async fn advertise(
    Extension(caller): Extension<Arc<Caller>>,
    Path((owner, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let service = request
        .uri()
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("service=")));
    let service = match service {
        Some(FETCH) => FETCH,
        Some(PUSH) => PUSH,
        // The dumb protocol is not spoken.
        _ => return Err(Problem::forbidden("Only git's smart protocol is spoken here")),
    };
    let place = place(&caller, &owner, &name).await?;
    let ask = Ask {
        place,
        method: Method::GET,
        path: "/info/refs",
        query: format!("service={service}"),
        headers: request.headers().clone(),
    };
    backend::run(ask, Body::empty()).await
}

async fn fetch(
    Extension(caller): Extension<Arc<Caller>>,
    Path((owner, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let place = place(&caller, &owner, &name).await?;
    let (parts, body) = request.into_parts();
    let ask = Ask {
        place,
        method: Method::POST,
        path: "/git-upload-pack",
        query: String::new(),
        headers: parts.headers,
    };
    backend::run(ask, body).await
}

async fn push(
    State(facade): State<Arc<Facade>>,
    Extension(caller): Extension<Arc<Caller>>,
    Path((owner, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let spot = caller.spot(&owner, name.trim_end_matches(".git")).await?;
    let place = caller.front.git_dir(spot.repo())?;
    let (parts, body) = request.into_parts();
    if is_packed(&parts.headers) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A push has to come as it is"));
    }
    let (verdict, body) = commands::judge(body, &spot.rules.default_branch).await?;
    if let Verdict::Refused(report) = verdict {
        let kind = [
            (header::CONTENT_TYPE, "application/x-git-receive-pack-result"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        return Ok((kind, report).into_response());
    }
    let ask = Ask {
        place,
        method: Method::POST,
        path: "/git-receive-pack",
        query: String::new(),
        headers: parts.headers,
    };
    let front = Arc::clone(&facade.front);
    let repo = spot.repo().clone();
    backend::run_then(ask, body, async move {
        // Whoever waits for the push is told by the files, too, a little later.
        if let Err(error) = front.pushed(&repo).await {
            tracing::warn!(%error, "a push is looked at later");
        }
    })
    .await
}

fn is_packed(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity")
}

async fn place(caller: &Caller, owner: &str, name: &str) -> Result<std::path::PathBuf, Problem> {
    let spot = caller.spot(owner, name.trim_end_matches(".git")).await?;
    Ok(caller.front.git_dir(spot.repo())?)
}

//! Pull requests.

use super::{There, input};
use crate::{
    Facade, deeds,
    page::{Page, with_link},
    problem::Problem,
    shape::{self, pulls::Words},
};
use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use banksman_core::{
    id::Number,
    port::book::{Presence, Readiness, Select},
    signals::PullState,
    tainted::Tainted,
    text::{BranchName, Sha},
};
use banksman_forge::local::PullSummary;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{cmp::Reverse, sync::Arc};

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/pulls", get(list).post(open))
        .route("/repos/{owner}/{repo}/pulls/{number}", get(one).patch(change))
        .route("/repos/{owner}/{repo}/pulls/{number}/merge", put(merge).get(is_merged))
        .route("/repos/{owner}/{repo}/pulls/{number}/update-branch", put(update))
        .route("/repos/{owner}/{repo}/pulls/{number}/files", get(files))
        .route("/repos/{owner}/{repo}/pulls/{number}/commits", get(commits))
        .route("/repos/{owner}/{repo}/pulls/{number}/requested_reviewers", get(requested))
}

/// The words of a pull request, and where its base branch is.
async fn words(there: &There, pull: &PullSummary) -> Result<Words, Problem> {
    let at = there.caller.at(&there.spot);
    let body = shape::plain(&there.caller.front.text(&at, pull.signals.number).await?.body);
    let base = match &pull.base_head {
        Some(base) => Some(base.clone()),
        None => {
            let branches = there.caller.front.branches(&at).await?;
            branches.into_iter().find(|(name, _)| *name == pull.signals.base).map(|(_, sha)| sha)
        }
    };
    Ok(Words { body, base })
}

async fn list(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let query = input::query(&uri);
    let wanted = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let which = match wanted("state").unwrap_or("open") {
        "open" => Select::Open,
        "closed" | "all" => Select::All,
        _ => return Err(Problem::invalid("PullRequest", "state", "invalid")),
    };
    let at = caller.at(spot);
    let mut all = caller.front.pulls(&at, which).await?;
    if wanted("state") == Some("closed") {
        all.retain(|pull| pull.signals.state != PullState::Open);
    }
    if let Some(head) = wanted("head") {
        // A branch of somebody else's fork is nobody's here.
        let branch = match head.split_once(':') {
            Some((owner, branch)) if owner.eq_ignore_ascii_case(&spot.owner) || owner == "local" => {
                Some(branch)
            }
            Some(_) => None,
            None => Some(head),
        };
        all.retain(|pull| Some(pull.signals.head_branch.as_str()) == branch);
    }
    if let Some(base) = wanted("base") {
        all.retain(|pull| pull.signals.base.as_str() == base);
    }
    let key = |pull: &PullSummary| match wanted("sort") {
        Some("updated") => (pull.signals.updated_at, pull.signals.number),
        _ => (pull.signals.created_at, pull.signals.number),
    };
    match (wanted("direction"), wanted("sort")) {
        (Some("asc"), _) | (None, Some("updated" | "popularity" | "long-running")) => all.sort_by_key(key),
        _ => all.sort_by_key(|pull| Reverse(key(pull))),
    }
    let page = Page::of(&uri, &caller.links.api);
    let link = page.link(all.len());
    let known = caller.front.labels(&at).await?;
    let mut shown = Vec::new();
    for pull in page.cut(all) {
        let words = words(&there, &pull).await?;
        shown.push(shape::pulls::pull(caller, spot, &pull, words, &known));
    }
    Ok(with_link(Json(shown).into_response(), link))
}

/// The pull request that a request is about.
async fn own(there: &There) -> Result<PullSummary, Problem> {
    deeds::pull(&there.caller, &there.spot, Number(there.number("number")?)).await
}

async fn shown(there: &There) -> Result<Value, Problem> {
    let There { caller, spot, .. } = there;
    let pull = own(there).await?;
    let (at, number) = (caller.at(spot), pull.signals.number);
    let known = caller.front.labels(&at).await?;
    let comments = caller.front.comments(&at, number).await?.len();
    let talk = caller.front.conversation(&at, number).await?;
    let said = talk.threads.iter().map(|thread| thread.comments.len()).sum();
    let commits = caller.front.commits(&at, number).await?.len();
    let words = words(there, &pull).await?;
    Ok(shape::pulls::full(caller, spot, &pull, words, &known, (comments, said, commits)))
}

async fn one(there: There, headers: HeaderMap) -> Result<Response, Problem> {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let kind = ["diff", "patch"].into_iter().find(|kind| accept.contains(&format!(".{kind}")));
    let Some(kind) = kind else { return Ok(Json(shown(&there).await?).into_response()) };
    let number = own(&there).await?.signals.number;
    let patch = there.caller.front.diff(&there.caller.at(&there.spot), number).await?;
    let kind = format!("application/vnd.github.v3.{kind}; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], shape::plain(&patch)).into_response())
}

#[derive(Deserialize)]
struct NewPull {
    title: Option<String>,
    body: Option<String>,
    head: Option<String>,
    base: Option<String>,
    #[serde(default)]
    draft: bool,
}

async fn open(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let new: NewPull = input::body(&bytes)?;
    let must = |text: Option<String>, field| {
        text.ok_or_else(|| Problem::invalid("PullRequest", field, "missing_field"))
    };
    let (head, base) = (must(new.head, "head")?, must(new.base, "base")?);
    let (title, body) = (must(new.title, "title")?, new.body.unwrap_or_default());
    let readiness = if new.draft { Readiness::Draft } else { Readiness::Ready };
    let wish = deeds::Wish { title: &title, body: &body, head: &head, base: &base, readiness };
    let number = deeds::open_pull(caller, spot, wish).await?;
    let place = format!("{}/pulls/{number}", caller.links.repo_api(spot));
    let mut there = there;
    there.path.insert("number".to_owned(), number.to_string());
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(shown(&there).await?)).into_response())
}

#[derive(Deserialize)]
struct Change {
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
    base: Option<String>,
}

async fn change(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let change: Change = input::body(&bytes)?;
    let (at, number) = (caller.at(spot), own(&there).await?.signals.number);
    if change.title.is_some() || change.body.is_some() {
        let text = |text: Option<String>| text.map(Tainted::new);
        caller.front.edit(&at, number, text(change.title), text(change.body)).await?;
    }
    if let Some(base) = change.base {
        let base = BranchName::new(&base).map_err(|_| Problem::invalid("PullRequest", "base", "invalid"))?;
        caller.front.rebase(&at, number, base).await?;
    }
    match change.state.as_deref() {
        Some("open") => deeds::set_open(caller, spot, number, Presence::Present).await?,
        Some("closed") => deeds::set_open(caller, spot, number, Presence::Absent).await?,
        Some(_) => return Err(Problem::invalid("PullRequest", "state", "invalid")),
        None => {}
    }
    Ok(Json(shown(&there).await?))
}

#[derive(Deserialize)]
struct Merging {
    sha: Option<String>,
    merge_method: Option<String>,
    expected_head_sha: Option<String>,
}

async fn merge(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let merging: Merging = input::body(&bytes)?;
    let number = own(&there).await?.signals.number;
    let method = deeds::method(merging.merge_method.as_deref())?;
    let sha = deeds::merge(&there.caller, &there.spot, number, merging.sha.as_deref(), method).await?;
    Ok(Json(json!({ "sha": sha.as_str(), "merged": true, "message": "Pull Request successfully merged" })))
}

async fn is_merged(there: There) -> Result<StatusCode, Problem> {
    match own(&there).await?.signals.state {
        PullState::Merged { .. } => Ok(StatusCode::NO_CONTENT),
        PullState::Open | PullState::Closed { .. } => Err(Problem::not_found()),
    }
}

async fn update(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let merging: Merging = input::body(&bytes)?;
    let number = own(&there).await?.signals.number;
    deeds::update_branch(caller, spot, number, merging.expected_head_sha.as_deref()).await?;
    let url = format!("{}/pulls/{number}", caller.links.repo_api(spot));
    let body = json!({ "message": "Updating pull request branch.", "url": url });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

async fn files(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let pull = own(&there).await?;
    let (at, number) = (caller.at(spot), pull.signals.number);
    let head: &Sha = &pull.signals.head;
    let all = caller.front.files(&at, number).await?;
    let page = Page::of(&uri, &caller.links.api);
    let link = page.link(all.len());
    let mut shown = Vec::new();
    for file in page.cut(all) {
        let path = Tainted::new(shape::plain(&file.path));
        let patch = shape::plain(&caller.front.file_patch(&at, number, path).await?);
        // From the first hunk on, as on GitHub; a file that is not text has none.
        let patch = patch.find("\n@@").map(|at| patch[at + 1..].trim_end().to_owned());
        shown.push(shape::pulls::file(caller, spot, head, &file, patch));
    }
    Ok(with_link(Json(shown).into_response(), link))
}

async fn commits(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let number = own(&there).await?.signals.number;
    let all = caller.front.commits(&caller.at(spot), number).await?;
    let show = |commit| shape::commits::commit(caller, spot, &commit);
    Ok(Page::of(&uri, &caller.links.api).answer(all, show))
}

async fn requested(there: There) -> Result<Json<Value>, Problem> {
    own(&there).await?;
    Ok(Json(json!({ "users": [], "teams": [] })))
}

//! Checks and statuses of commits.

use super::{There, input};
use crate::{
    Facade,
    page::{Page, with_link},
    problem::Problem,
    shape,
};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use banksman_core::{
    id::Number,
    port::{
        Refusal,
        book::{Select, StatusRecord, StatusWord},
    },
    tainted::Tainted,
    text::{BranchName, CheckName, Sha},
};
use banksman_forge::local::{LocalError, PullSummary};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/commits/{reference}/check-runs", get(of_commit))
        .route("/repos/{owner}/{repo}/commits/{reference}/status", get(status))
        .route("/repos/{owner}/{repo}/commits/{reference}/statuses", get(statuses))
        .route("/repos/{owner}/{repo}/statuses/{reference}", post(say))
        .route("/repos/{owner}/{repo}/check-runs/{id}", get(one))
}

/// The commit that a name stands for: its id, or a branch.
pub(super) async fn resolve(there: &There, name: &str) -> Result<Sha, Problem> {
    if let Ok(sha) = Sha::new(name) {
        return Ok(sha);
    }
    let name = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("heads/")).unwrap_or(name);
    let missing = || Problem::unprocessable("No commit found for that name");
    let branch = BranchName::new(name).map_err(|_| missing())?;
    let branches = there.caller.front.branches(&there.caller.at(&there.spot)).await?;
    branches.into_iter().find(|(name, _)| *name == branch).map(|(_, sha)| sha).ok_or_else(missing)
}

/// The runs of a pull request's head.
async fn runs(there: &There, pull: &PullSummary) -> Result<Vec<Value>, Problem> {
    let There { caller, spot, .. } = there;
    let logs = caller.front.checks(&caller.at(spot), pull.signals.number).await?;
    let checks = pull.signals.checks.iter().enumerate();
    Ok(checks.map(|(at, check)| shape::checks::run(caller, spot, &pull.signals, at, check, &logs)).collect())
}

async fn of_commit(there: There, uri: Uri) -> Result<Response, Problem> {
    let sha = resolve(&there, there.text("reference")).await?;
    let at = there.caller.at(&there.spot);
    let pulls = there.caller.front.pulls(&at, Select::All).await?;
    let all = match pulls.iter().rfind(|pull| pull.signals.head == sha) {
        Some(pull) => runs(&there, pull).await?,
        None => Vec::new(),
    };
    let page = Page::of(&uri, &there.caller.links.api);
    let (total, link) = (all.len(), page.link(all.len()));
    let answer = json!({ "total_count": total, "check_runs": page.cut(all) });
    Ok(with_link(Json(answer).into_response(), link))
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let id = there.number("id")?;
    let number = there.spot.narrow(id >> 6).map(Number).ok_or_else(Problem::not_found)?;
    let pull = crate::deeds::pull(&there.caller, &there.spot, number).await?;
    let run = runs(&there, &pull).await?.into_iter().find(|run| run["id"] == id);
    Ok(Json(run.ok_or_else(Problem::not_found)?))
}

/// The statuses that count: the last one about each matter.
async fn counting(there: &There, sha: &Sha) -> Result<Vec<StatusRecord>, Problem> {
    let mut all = there.caller.front.statuses(&there.caller.at(&there.spot), sha.clone()).await?;
    let mut seen = BTreeSet::new();
    all.retain(|status| seen.insert(status.context.clone()));
    Ok(all)
}

async fn status(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let sha = resolve(&there, there.text("reference")).await?;
    let counting = counting(&there, &sha).await?;
    let any = |words: &[StatusWord]| counting.iter().any(|status| words.contains(&status.state));
    let state = if any(&[StatusWord::Error, StatusWord::Failure]) {
        "failure"
    } else if counting.is_empty() || any(&[StatusWord::Pending]) {
        "pending"
    } else {
        "success"
    };
    let api = caller.links.repo_api(spot);
    let shown: Vec<Value> =
        counting.iter().map(|s| shape::checks::simple_status(caller, spot, &sha, s)).collect();
    Ok(Json(json!({
        "state": state,
        "total_count": shown.len(),
        "statuses": shown,
        "sha": sha.as_str(),
        "repository": shape::repos::repo(caller, spot),
        "commit_url": format!("{api}/commits/{sha}"),
        "url": format!("{api}/commits/{sha}/status"),
    })))
}

async fn statuses(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let sha = resolve(&there, there.text("reference")).await?;
    let all = caller.front.statuses(&caller.at(spot), sha.clone()).await?;
    Ok(Page::of(&uri, &caller.links.api)
        .answer(all, |status| shape::checks::status(caller, spot, &sha, &status)))
}

#[derive(Deserialize)]
struct NewStatus {
    state: Option<String>,
    context: Option<String>,
    description: Option<String>,
    target_url: Option<String>,
}

async fn say(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let new: NewStatus = input::body(&bytes)?;
    let state = match new.state.as_deref() {
        Some("error") => StatusWord::Error,
        Some("failure") => StatusWord::Failure,
        Some("pending") => StatusWord::Pending,
        Some("success") => StatusWord::Success,
        _ => return Err(Problem::invalid("Status", "state", "invalid")),
    };
    let context = CheckName::new(new.context.as_deref().unwrap_or("default"));
    let context = context.map_err(|_| Problem::invalid("Status", "context", "invalid"))?;
    let text = |text: Option<String>| Tainted::new(text.unwrap_or_default());
    let (description, target) = (text(new.description), text(new.target_url));
    let missing = || Problem::unprocessable("No commit found for SHA");
    let sha = Sha::new(there.text("reference")).map_err(|_| missing())?;
    let at = caller.at(spot);
    let id = match caller.front.add_status(&at, sha.clone(), context, state, description, target).await {
        Err(LocalError::Refused(Refusal::NotFound)) => return Err(missing()),
        done => done?,
    };
    let all = caller.front.statuses(&at, sha.clone()).await?;
    let made = all.iter().find(|status| status.id == id).ok_or_else(Problem::not_found)?;
    Ok((StatusCode::CREATED, Json(shape::checks::status(caller, spot, &sha, made))).into_response())
}

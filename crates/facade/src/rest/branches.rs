//! Branches, references and commits.

use super::{There, checks::resolve, input};
use crate::{Facade, page::Page, problem::Problem, shape};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use banksman_core::{
    port::Refusal,
    text::{BranchName, Sha},
};
use banksman_forge::local::{Leap, LocalError};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Most commits of a history that are read for a page.
const MOST: u32 = 1_000;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/branches", get(list))
        .route("/repos/{owner}/{repo}/branches/{*branch}", get(one))
        .route("/repos/{owner}/{repo}/git/ref/{*reference}", get(reference))
        .route("/repos/{owner}/{repo}/git/matching-refs/{*prefix}", get(matching))
        .route("/repos/{owner}/{repo}/git/refs", post(make))
        // Not in GitHub's description, but used by everybody.
        .route("/repos/{owner}/{repo}/git/refs/{*reference}", get(reference).patch(set).delete(remove))
        .route("/repos/{owner}/{repo}/commits", get(history))
        .route("/repos/{owner}/{repo}/commits/{reference}", get(commit))
}

/// The branch of the path, with its head.
async fn own(there: &There) -> Result<(BranchName, Sha), Problem> {
    // One word of the path where clients encode the slashes, several where they do not.
    let name = match there.text("reference").strip_prefix("heads/") {
        Some(name) => name,
        None => there.text("branch"),
    };
    let name = BranchName::new(name).map_err(|_| Problem::not_found())?;
    let branches = there.caller.front.branches(&there.caller.at(&there.spot)).await?;
    branches.into_iter().find(|(branch, _)| *branch == name).ok_or_else(Problem::not_found)
}

async fn list(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let mut all = caller.front.branches(&caller.at(spot)).await?;
    if let Some(protected) = input::query(&uri).get("protected") {
        all.retain(|(name, _)| (*name == spot.rules.default_branch) == (protected == "true"));
    }
    let show = |(name, sha)| shape::commits::branch(caller, spot, &name, &sha);
    Ok(Page::of(&uri, &caller.links.api).answer(all, show))
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let missing = |_| Problem::not_found().saying("Branch not found");
    let (name, sha) = own(&there).await.map_err(missing)?;
    let view = caller.front.commit(&caller.at(spot), sha).await?;
    Ok(Json(shape::commits::full_branch(caller, spot, &name, &view)))
}

async fn reference(there: There) -> Result<Json<Value>, Problem> {
    let (name, sha) = own(&there).await?;
    Ok(Json(shape::commits::reference(&there.caller, &there.spot, &name, &sha)))
}

async fn matching(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let mut all = caller.front.branches(&caller.at(spot)).await?;
    let prefix = there.text("prefix");
    all.retain(|(name, _)| format!("heads/{name}").starts_with(prefix));
    let show = |(name, sha)| shape::commits::reference(caller, spot, &name, &sha);
    Ok(Page::of(&uri, &caller.links.api).answer(all, show))
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "ref")]
    name: Option<String>,
    sha: Option<String>,
    #[serde(default)]
    force: bool,
}

impl Given {
    fn commit(&self) -> Result<Sha, Problem> {
        let sha = self.sha.as_deref().unwrap_or_default();
        Sha::new(sha).map_err(|_| {
            Problem::unprocessable(
                "The sha parameter must be exactly 40 characters and contain only [0-9a-f].",
            )
        })
    }
}

async fn make(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let given: Given = input::body(&bytes)?;
    let name = given.name.as_deref().unwrap_or_default();
    let Some(Ok(branch)) = name.strip_prefix("refs/heads/").map(BranchName::new) else {
        return Err(Problem::unprocessable("Reference name must start with 'refs/heads/'."));
    };
    let sha = given.commit()?;
    match caller.front.create_branch(&caller.at(spot), branch.clone(), sha.clone()).await {
        Err(LocalError::Refused(Refusal::NotAllowed)) => {
            return Err(Problem::unprocessable("Reference already exists"));
        }
        Err(LocalError::Refused(Refusal::Nothing)) => {
            return Err(Problem::unprocessable("Object does not exist"));
        }
        done => done?,
    }
    let place = format!("{}/git/refs/heads/{branch}", caller.links.repo_api(spot));
    let shown = Json(shape::commits::reference(caller, spot, &branch, &sha));
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], shown).into_response())
}

async fn set(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let given: Given = input::body(&bytes)?;
    let missing = |_| Problem::unprocessable("Reference does not exist");
    let (branch, _) = own(&there).await.map_err(missing)?;
    let leap = if given.force { Leap::Anywhere } else { Leap::Forward };
    match caller.front.move_branch(&caller.at(spot), branch, given.commit()?, leap).await {
        Err(LocalError::Refused(Refusal::HeadMoved)) => {
            return Err(Problem::unprocessable("Update is not a fast forward"));
        }
        Err(LocalError::Refused(Refusal::NotAllowed)) => {
            return Err(Problem::unprocessable("The default branch is moved by merges alone"));
        }
        done => done?,
    }
    reference(there).await
}

async fn remove(there: There) -> Result<StatusCode, Problem> {
    let missing = |_| Problem::unprocessable("Reference does not exist");
    let (branch, sha) = own(&there).await.map_err(missing)?;
    match there.caller.front.delete_branch(&there.caller.at(&there.spot), branch, sha).await {
        Err(LocalError::Refused(Refusal::NotAllowed)) => {
            Err(Problem::unprocessable("The branch is protected, or checked out somewhere"))
        }
        done => {
            done?;
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

async fn history(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let query = input::query(&uri);
    let from = query.get("sha").map_or(spot.rules.default_branch.as_str(), String::as_str);
    let head = resolve(&there, from).await?;
    let all = caller.front.history(&caller.at(spot), head, MOST).await?;
    let show = |commit| shape::commits::commit(caller, spot, &commit);
    Ok(Page::of(&uri, &caller.links.api).answer(all, show))
}

async fn commit(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let sha = resolve(&there, there.text("reference")).await?;
    let view = caller.front.commit(&caller.at(spot), sha).await?;
    Ok(Json(shape::commits::commit(caller, spot, &view)))
}

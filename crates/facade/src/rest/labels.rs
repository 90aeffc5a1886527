//! Labels: those of a repository, and those of an issue or pull request.

use super::{There, input, issues::LabelGiven};
use crate::{Facade, deeds, page::Page, problem::Problem, shape};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use banksman_core::{
    id::Number,
    port::book::{Presence, Select},
    text::Label,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/labels", get(list).post(make))
        .route("/repos/{owner}/{repo}/labels/{name}", get(one).patch(change).delete(drop_one))
        .route("/repos/{owner}/{repo}/issues/{number}/labels", get(of).post(add).put(replace).delete(clear))
        .route("/repos/{owner}/{repo}/issues/{number}/labels/{name}", delete(remove))
}

async fn list(there: There, uri: Uri) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let known = caller.front.labels(&caller.at(spot)).await?;
    Ok(Page::of(&uri, &caller.links.api).answer(known, |label| shape::issues::label(caller, spot, &label)))
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let known = caller.front.labels(&caller.at(spot)).await?;
    let wanted = there.text("name");
    let found = known.iter().find(|label| label.name.as_str().eq_ignore_ascii_case(wanted));
    Ok(Json(shape::issues::label(caller, spot, found.ok_or_else(Problem::not_found)?)))
}

#[derive(Deserialize)]
struct Given {
    name: Option<String>,
    new_name: Option<String>,
    color: Option<String>,
    description: Option<String>,
}

async fn make(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let given: Given = input::body(&bytes)?;
    let Some(name) = given.name else { return Err(Problem::invalid("Label", "name", "missing_field")) };
    let (color, description) = (given.color.as_deref(), given.description.as_deref());
    let label = deeds::make_label(caller, spot, &name, color, description).await?;
    let shown = shape::issues::label(caller, spot, &label);
    let place = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(shown)).into_response())
}

async fn change(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let given: Given = input::body(&bytes)?;
    let new = given.new_name.as_deref().or(given.name.as_deref());
    let (color, description) = (given.color.as_deref(), given.description.as_deref());
    let label = deeds::change_label(caller, spot, there.text("name"), new, color, description).await?;
    Ok(Json(shape::issues::label(caller, spot, &label)))
}

async fn drop_one(there: There) -> Result<StatusCode, Problem> {
    let name = Label::new(there.text("name")).map_err(|_| Problem::not_found())?;
    there.caller.front.drop_label(&there.caller.at(&there.spot), name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Labels in a request: a list, or an object that has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum LabelsGiven {
    List(Vec<LabelGiven>),
    Object {
        #[serde(default)]
        labels: Vec<LabelGiven>,
    },
}

async fn given(there: &There, bytes: &[u8]) -> Result<Vec<Label>, Problem> {
    let list = match input::body(bytes)? {
        LabelsGiven::List(list) | LabelsGiven::Object { labels: list } => list,
    };
    let names: Vec<&str> = list.iter().map(LabelGiven::name).collect();
    deeds::label_names(&there.caller, &there.spot, &names).await
}

/// The labels of the thing that a request is about.
async fn carried(there: &There) -> Result<Vec<Label>, Problem> {
    let There { caller, spot, .. } = there;
    let number = Number(there.number("number")?);
    match caller.front.issues(&caller.at(spot), Select::Numbers(vec![number])).await?.pop() {
        Some(issue) => Ok(issue.labels),
        None => Ok(deeds::pull(caller, spot, number).await?.labels),
    }
}

async fn shown(there: &There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = there;
    let known = caller.front.labels(&caller.at(spot)).await?;
    Ok(Json(shape::issues::labels(caller, spot, &carried(there).await?, &known).into()))
}

async fn of(there: There) -> Result<Json<Value>, Problem> {
    shown(&there).await
}

async fn add(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let number = Number(there.number("number")?);
    for label in given(&there, &bytes).await? {
        caller.front.set_label(&caller.at(spot), number, label, Presence::Present).await?;
    }
    shown(&there).await
}

async fn replace(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let wanted = given(&there, &bytes).await?;
    deeds::replace_labels(&there.caller, &there.spot, Number(there.number("number")?), &wanted).await?;
    shown(&there).await
}

async fn clear(there: There) -> Result<StatusCode, Problem> {
    deeds::replace_labels(&there.caller, &there.spot, Number(there.number("number")?), &[]).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(there: There) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let name = there.text("name");
    let carried = carried(&there).await?;
    let Some(label) = carried.into_iter().find(|label| label.as_str().eq_ignore_ascii_case(name)) else {
        return Err(Problem::not_found().saying("Label does not exist"));
    };
    let number = Number(there.number("number")?);
    caller.front.set_label(&caller.at(spot), number, label, Presence::Absent).await?;
    shown(&there).await
}

//! `POST /graphql`: reads the request, runs it, and answers in GitHub's shape: an error's kind stands beside its message.

use super::{cost, query, unions};
use crate::{Facade, caller::Caller, problem::Problem};
use async_graphql::{Request, Variables, parser::parse_query};
use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Most bytes of a query with its variables.
const MOST: usize = 8 << 20;

/// The routes.
pub(crate) fn routes() -> Router<Arc<Facade>> {
    let ask = || post(ask).layer(DefaultBodyLimit::max(MOST));
    Router::new().route("/graphql", ask()).route("/api/graphql", ask())
}

/// A request as it comes.
#[derive(Deserialize)]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default, rename = "operationName")]
    operation: Option<String>,
}

async fn ask(
    State(facade): State<Arc<Facade>>,
    Extension(caller): Extension<Arc<Caller>>,
    body: Bytes,
) -> Response {
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return Problem::bad_request("Problems parsing JSON").into_response();
    };
    let variables = asked.variables.map(Variables::from_json).unwrap_or_default();
    let mut request = Request::new(&asked.query).variables(variables);
    if let Some(operation) = asked.operation {
        request = request.operation_name(operation);
    }
    // What cannot be read costs nothing and is refused below.
    let cost = match parse_query(&asked.query) {
        Ok(mut document) => {
            let estimate = cost::estimate(&document, &request.variables);
            if estimate.nodes > cost::MOST_NODES {
                let message = "This query requests more nodes than the maximum limit of 500,000.";
                let error = json!({ "type": "MAX_NODE_LIMIT_EXCEEDED", "message": message });
                return Json(json!({ "data": null, "errors": [error] })).into_response();
            }
            unions::write_out(&mut document, &facade.schema.unions);
            request.set_parsed_query(document);
            query::spend(&facade, estimate.points(), estimate.nodes)
        }
        Err(_) => query::spend(&facade, 0, 0),
    };
    let answer = facade.schema.schema.execute(request.data(caller).data(cost)).await;
    let mut answer = serde_json::to_value(&answer).unwrap_or_default();
    shape(&mut answer);
    Json(answer).into_response()
}

/// Brings errors into GitHub's shape. A query that was not run at all has no data.
fn shape(answer: &mut Value) {
    let Some(errors) = answer.get_mut("errors").and_then(Value::as_array_mut) else { return };
    let mut ran = false;
    for error in errors.iter_mut().filter_map(Value::as_object_mut) {
        ran |= error.contains_key("path");
        let kind =
            error.remove("extensions").and_then(|mut extensions| extensions.get_mut("type").map(Value::take));
        if let Some(kind) = kind {
            error.insert("type".to_owned(), kind);
        }
    }
    if !ran
        && answer.get("data").is_some_and(Value::is_null)
        && let Some(answer) = answer.as_object_mut()
    {
        answer.remove("data");
    }
}

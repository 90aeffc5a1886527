//! The REST side: one file per subject, each with its routes. Handlers read the request, let the forge do what is asked, and
//! answer with a shape.

mod branches;
mod checks;
mod comments;
mod input;
mod issues;
mod labels;
mod meta;
mod pulls;
mod relations;
mod repos;
mod reviews;
mod search;

use crate::{Facade, caller::Caller, caller::Spot, problem::Problem};
use axum::{Extension, Router, extract::FromRequestParts, http::request::Parts};
use std::{collections::BTreeMap, sync::Arc};

/// All routes, relative to the root of the API.
pub(crate) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .merge(meta::routes())
        .merge(search::routes())
        .merge(repos::routes())
        .merge(issues::routes())
        .merge(comments::routes())
        .merge(labels::routes())
        .merge(relations::routes())
        .merge(pulls::routes())
        .merge(reviews::routes())
        .merge(checks::routes())
        .merge(branches::routes())
}

/// Whatever nobody answers.
pub(crate) async fn not_found() -> Problem {
    Problem::not_found()
}

/// The caller and the repository of a request, and the rest of its path.
struct There {
    caller: Arc<Caller>,
    spot: Arc<Spot>,
    path: BTreeMap<String, String>,
}

impl There {
    /// A number in the path.
    fn number(&self, name: &str) -> Result<u64, Problem> {
        self.path.get(name).and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)
    }

    /// Text in the path.
    fn text(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl FromRequestParts<Arc<Facade>> for There {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, facade: &Arc<Facade>) -> Result<Self, Problem> {
        let Ok(Extension(caller)) = Extension::<Arc<Caller>>::from_request_parts(parts, facade).await else {
            return Err(Problem::bad_credentials());
        };
        let path = axum::extract::Path::<BTreeMap<String, String>>::from_request_parts(parts, facade).await;
        let Ok(axum::extract::Path(path)) = path else { return Err(Problem::not_found()) };
        let part = |name: &str| path.get(name).map(String::as_str).unwrap_or_default();
        let spot = Arc::new(caller.spot(part("owner"), part("repo")).await?);
        Ok(Self { caller, spot, path })
    }
}

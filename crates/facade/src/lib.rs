//! The GitHub-compatible face of the embedded forge: REST and GraphQL at the paths that `gh` and octokit use, git's smart HTTP
//! for clone, fetch and push. It holds no state and decides nothing: every request is a person's (or Banksman's own) work at
//! the forge's desk, asked for in GitHub's words and answered in them.
//!
//! Text of the forge passes through here on its way to whoever asked for it, as it does through `banksman forge`: it is in
//! answers and nowhere else, neither in logs nor in decisions.

mod access;
mod answer;
mod caller;
mod deeds;
mod front;
mod git;
mod graphql;
mod node;
mod page;
mod problem;
mod rest;
mod search;
mod shape;

pub use access::{Access, Token, Tokens};
pub use front::{At, Front, Holds, Later};
pub use graphql::{SchemaError, sdl};

use axum::Router;
use banksman_core::text::Login;
use banksman_forge::local::Now;
use std::sync::Arc;

/// What every request works with.
struct Facade {
    front: Arc<dyn Front>,
    access: Access,
    owner: Login,
    now: Now,
    schema: graphql::Executable,
    answers: answer::Answers,
}

/// The routes of the facade, at the root and under `/api/v3` and `/api/graphql`. `owner` is the login of the person whose home
/// this is: local repositories are theirs under that name, too. To be served on loopback or on a Unix socket; see [`Access`]
/// for who may ask.
pub fn router(front: Arc<dyn Front>, access: Access, owner: Login, now: Now) -> Result<Router, SchemaError> {
    let schema = graphql::schema()?;
    let facade = Arc::new(Facade { front, access, owner, now, schema, answers: answer::Answers::default() });
    let api = rest::routes();
    let all = Router::new()
        .nest("/api/v3", rest::routes())
        .merge(api)
        .merge(graphql::routes())
        .merge(git::routes())
        .fallback(rest::not_found);
    Ok(answer::dress(all, &facade).with_state(facade))
}

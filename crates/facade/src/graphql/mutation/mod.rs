//! Mutations: what a caller does. Each finds what its ids stand for, does its deed and answers with what came of it.

mod issues;
mod pulls;
mod refs;

use super::{
    query,
    thing::{Args, Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::Node,
    problem::Problem,
};
use banksman_core::id::Number;
use std::sync::Arc;

/// What a mutation answers with, by field.
type Payload = Vec<(&'static str, Out)>;

/// Does a mutation.
pub(super) async fn field(caller: &Arc<Caller>, name: &str, args: &Args) -> Result<Out, Problem> {
    let input = args.inner("input");
    let done = match issues::field(caller, name, &input).await? {
        Some(payload) => Some(payload),
        None => match pulls::field(caller, name, &input).await? {
            Some(payload) => Some(payload),
            None => refs::field(caller, name, &input).await?,
        },
    };
    let Some(mut payload) = done else { return Ok(Out::Unknown) };
    payload.push(("clientMutationId", input.text("clientMutationId").map_or(Out::Null, Out::from)));
    Ok(Out::One(Thing::bundle("Payload", payload)))
}

/// A repository by its id.
async fn repository(caller: &Caller, id: &str) -> Result<Arc<Spot>, Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Repository) => Ok(spot),
        _ => Err(wrong_kind()),
    }
}

/// An issue by its id.
async fn issue(caller: &Caller, id: &str) -> Result<(Arc<Spot>, Number), Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Issue(number)) => Ok((spot, number)),
        _ => Err(wrong_kind()),
    }
}

/// A pull request by its id.
async fn pull(caller: &Caller, id: &str) -> Result<(Arc<Spot>, Number), Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Pull(number)) => Ok((spot, number)),
        _ => Err(wrong_kind()),
    }
}

/// An issue or a pull request by its id.
async fn either(caller: &Caller, id: &str) -> Result<(Arc<Spot>, Number), Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Issue(number) | Node::Pull(number)) => Ok((spot, number)),
        _ => Err(wrong_kind()),
    }
}

/// The thing of that number as it is now.
async fn now(caller: &Arc<Caller>, spot: &Arc<Spot>, number: Number) -> Result<Out, Problem> {
    Ok(Out::maybe(super::repository::either(caller, spot, number).await?))
}

/// The id stands for something else.
fn wrong_kind() -> Problem {
    Problem::not_found().saying("Could not resolve to a node of that kind with that global id")
}

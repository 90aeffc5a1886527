//! GitHub in the simulated world: the genuine client of `forge/github` talks to the towns over a wire of its own, with GitHub's limits, its
//! errors, and a stranger's words in every slot that strangers can write to. What a step does is judged where it arrives, as on the port.

mod account;
mod cost;
mod objects;
mod port;
mod queries;
mod rest;
mod wire;
mod writes;

pub(crate) use account::Account;
pub use cost::{Cost, an_hour, one_look};
pub(crate) use port::{Client, TownForge};

use banksman_core::text::RepoName;
use serde_json::{Value, json};

/// An answer before it goes onto the wire.
#[derive(Debug, Clone, PartialEq)]
struct Reply {
    status: u16,
    body: Value,
}

impl Reply {
    fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    fn made(body: Value) -> Self {
        Self { status: 201, body }
    }

    /// A refusal, in the words of a stranger.
    fn no(status: u16) -> Self {
        let body = json!({
            "message": crate::canary::text("message"),
            "documentation_url": format!("https://docs.github.com/rest?{}", crate::canary::text("address")),
            "errors": [{ "field": crate::canary::text("field"), "code": "invalid" }],
        });
        Self { status, body }
    }

    /// A refusal of GraphQL: status 200, a code, and words.
    fn error(code: &str) -> Self {
        Self::ok(json!({
            "data": Value::Null,
            "errors": [{ "type": code, "message": crate::canary::text("error"), "path": [crate::canary::LABEL] }],
        }))
    }
}

/// The id of a node: what it is, where, and which.
fn node(kind: char, repo: &RepoName, which: impl std::fmt::Display) -> String {
    format!("{kind}:{repo}:{which}")
}

/// The parts of such an id.
fn parts_of(node: &str) -> Option<(char, RepoName, &str)> {
    let (kind, rest) = node.split_once(':')?;
    let (repo, which) = rest.rsplit_once(':')?;
    Some((kind.chars().next()?, RepoName::new(repo).ok()?, which))
}

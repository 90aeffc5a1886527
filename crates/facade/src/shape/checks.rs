//! Checks: runs of one app, Banksman's own.

use super::{joined, people::user, plain, time};
use crate::{
    caller::{Caller, Spot},
    node::Node,
};
use banksman_core::{
    id::Number,
    port::book::{CheckLog, StatusRecord},
    signals::{Check, CheckState, Signals},
    text::Sha,
};
use serde_json::{Value, json};

/// Id of the app that makes the checks.
pub(crate) const APP: u64 = 1;

/// The id of a check run: of the pull request whose head it is about, and its place there.
pub(crate) fn check_id(spot: &Spot, pull: Number, at: usize) -> u64 {
    (spot.wide(pull.0) << 6) | (at as u64 & 0x3f)
}

/// The app.
fn app(caller: &Caller) -> Value {
    json!({
        "id": APP,
        "slug": "banksman",
        "node_id": "A_1",
        "client_id": "banksman",
        "owner": super::people::named(caller, banksman_core::port::book::BANKSMAN, "banksman"),
        "name": "Banksman",
        "description": null,
        "external_url": format!("{}/apps/banksman", caller.links.html),
        "html_url": format!("{}/apps/banksman", caller.links.html),
        "created_at": "1970-01-01T00:00:00Z",
        "updated_at": "1970-01-01T00:00:00Z",
        "permissions": { "checks": "write" },
        "events": [],
    })
}

/// One check run.
pub(crate) fn run(
    caller: &Caller,
    spot: &Spot,
    signals: &Signals,
    at: usize,
    check: &Check,
    logs: &[CheckLog],
) -> Value {
    let id = check_id(spot, signals.number, at);
    let log = logs.iter().find(|log| log.name == check.name && check.state != CheckState::Pending);
    let (status, conclusion) = match check.state {
        CheckState::Pending => ("queued", None),
        CheckState::Passing => ("completed", Some("success")),
        CheckState::Failing => ("completed", Some("failure")),
    };
    let ended = log.map(|log| time(log.at));
    let url = format!("{}/check-runs/{id}", caller.links.repo_api(spot));
    let html = format!("{}/pull/{}/checks?check_run_id={id}", caller.links.repo(spot), signals.number);
    json!({
        "id": id,
        "node_id": Node::CheckRun(signals.number, at as u64).id(&spot.full_name()),
        "external_id": "",
        "head_sha": signals.head.as_str(),
        "name": check.name.as_str(),
        "html_url": html,
        "details_url": html,
        "status": status,
        "conclusion": conclusion,
        "started_at": ended,
        "completed_at": ended,
        "output": {
            "title": check.name.as_str(),
            "summary": null,
            "text": log.map(|log| plain(&log.log)),
            "annotations_count": 0,
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": spot.wide(signals.number.0) },
        "app": app(caller),
        "pull_requests": [],
        "url": url,
    })
}

/// A commit status without who says it.
pub(crate) fn simple_status(caller: &Caller, spot: &Spot, sha: &Sha, status: &StatusRecord) -> Value {
    let target = plain(&status.target);
    json!({
        "id": status.id,
        "node_id": format!("SC_{}", status.id),
        "url": format!("{}/statuses/{sha}", caller.links.repo_api(spot)),
        "avatar_url": format!("{}.png", caller.links.user(status.creator.login.as_str())),
        "state": status.state,
        "description": plain(&status.description),
        "target_url": if target.is_empty() { Value::Null } else { target.into() },
        "context": status.context.as_str(),
        "created_at": time(status.at),
        "updated_at": time(status.at),
    })
}

/// A commit status.
pub(crate) fn status(caller: &Caller, spot: &Spot, sha: &Sha, status: &StatusRecord) -> Value {
    joined([simple_status(caller, spot, sha, status), json!({ "creator": user(caller, &status.creator) })])
}

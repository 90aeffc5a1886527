//! Issues, labels and comments.

use super::{
    joined,
    people::{association, user},
    plain,
    repos::repo,
    time,
};
use crate::{
    caller::{Caller, Spot},
    graphql::escape,
    node::Node,
};
use banksman_core::{
    id::Number,
    port::book::{Account, CommentRecord, IssueRecord, LabelRecord},
    signals::PullState,
    text::Label,
};
use banksman_forge::local::PullSummary;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A label.
pub(crate) fn label(caller: &Caller, spot: &Spot, label: &LabelRecord) -> Value {
    let name = label.name.as_str();
    json!({
        "id": label.id,
        "node_id": Node::Label(label.id).id(&spot.full_name()),
        "url": format!("{}/labels/{}", caller.links.repo_api(spot), escape(name)),
        "name": name,
        "color": label.color.as_str(),
        "default": false,
        "description": plain(&label.description),
    })
}

/// The labels of these names.
pub(crate) fn labels(caller: &Caller, spot: &Spot, names: &[Label], known: &[LabelRecord]) -> Vec<Value> {
    let carried =
        |label: &&LabelRecord| names.iter().any(|n| n.as_str().eq_ignore_ascii_case(label.name.as_str()));
    known.iter().filter(carried).map(|known| label(caller, spot, known)).collect()
}

/// Nobody's reactions.
pub(crate) fn reactions(url: &str) -> Value {
    json!({
        "url": format!("{url}/reactions"),
        "total_count": 0,
        "+1": 0, "-1": 0, "laugh": 0, "confused": 0, "heart": 0, "hooray": 0, "eyes": 0, "rocket": 0,
    })
}

/// What issues and pull requests have in common.
pub(crate) struct Common<'c> {
    pub(crate) number: Number,
    pub(crate) author: &'c Account,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) labels: Vec<Value>,
    pub(crate) comments: usize,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
}

/// An issue, or a pull request in a list of issues.
fn item(caller: &Caller, spot: &Spot, common: Common<'_>) -> Value {
    let Common { number, author, title, body, labels, comments, created_at, updated_at, closed_at } = common;
    let api = caller.links.repo_api(spot);
    let url = format!("{api}/issues/{number}");
    json!({
        "id": spot.wide(number.0),
        "url": url,
        "repository_url": api,
        "labels_url": format!("{url}/labels{{/name}}"),
        "comments_url": format!("{url}/comments"),
        "events_url": format!("{url}/events"),
        "timeline_url": format!("{url}/timeline"),
        "number": number.0,
        "title": title,
        "user": user(caller, author),
        "labels": labels,
        "state": if closed_at.is_none() { "open" } else { "closed" },
        "locked": false,
        "active_lock_reason": null,
        "assignee": null,
        "assignees": [],
        "milestone": null,
        "comments": comments,
        "created_at": time(created_at),
        "updated_at": time(updated_at),
        "closed_at": closed_at.map(time),
        "author_association": association(caller, author),
        "body": body,
        "closed_by": null,
        "performed_via_github_app": null,
        "reactions": reactions(&url),
        "score": 1.0,
    })
}

/// An issue. `family` is how many sub-issues it has, how many of them are closed, and how many issues wait for it.
pub(crate) fn issue(
    caller: &Caller,
    spot: &Spot,
    record: &IssueRecord,
    body: String,
    known: &[LabelRecord],
    comments: usize,
    family: (usize, usize, usize),
) -> Value {
    let (children, done, blocking) = family;
    let number = record.number;
    let common = Common {
        number,
        author: &record.author,
        title: plain(&record.title),
        body,
        labels: labels(caller, spot, &record.labels, known),
        comments,
        created_at: record.created_at,
        updated_at: record.updated_at,
        closed_at: record.closed_at,
    };
    let waits = record.blocked_by.len();
    let mut more = json!({
        "node_id": Node::Issue(number).id(&spot.full_name()),
        "html_url": format!("{}/issues/{number}", caller.links.repo(spot)),
        "state_reason": if record.open { Value::Null } else { "completed".into() },
        "sub_issues_summary": {
            "total": children,
            "completed": done,
            "percent_completed": (done * 100).checked_div(children).unwrap_or(0),
        },
        "issue_dependencies_summary": {
            "blocked_by": waits,
            "total_blocked_by": waits,
            "blocking": blocking,
            "total_blocking": blocking,
        },
    });
    if let (Some(parent), Some(more)) = (record.parent, more.as_object_mut()) {
        let url = format!("{}/issues/{parent}", caller.links.repo_api(spot));
        more.insert("parent_issue_url".to_owned(), url.into());
    }
    joined([item(caller, spot, common), more])
}

/// A pull request in a list of issues.
pub(crate) fn pull_as_issue(
    caller: &Caller,
    spot: &Spot,
    pull: &PullSummary,
    body: String,
    known: &[LabelRecord],
    comments: usize,
) -> Value {
    let signals = &pull.signals;
    let number = signals.number;
    let author = Account { id: signals.author, login: signals.author_login.clone() };
    let (merged_at, closed_at) = match &signals.state {
        PullState::Open => (None, None),
        PullState::Merged { at, .. } => (Some(*at), Some(*at)),
        PullState::Closed { at } => (None, Some(*at)),
    };
    let common = Common {
        number,
        author: &author,
        title: plain(&pull.title),
        body,
        labels: labels(caller, spot, &pull.labels, known),
        comments,
        created_at: signals.created_at,
        updated_at: signals.updated_at,
        closed_at,
    };
    let html = format!("{}/pull/{number}", caller.links.repo(spot));
    let url = format!("{}/pulls/{number}", caller.links.repo_api(spot));
    let more = json!({
        "node_id": Node::Pull(number).id(&spot.full_name()),
        "html_url": html,
        "draft": signals.is_draft,
        "pull_request": {
            "url": url,
            "html_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "merged_at": merged_at.map(time),
        },
    });
    joined([item(caller, spot, common), more])
}

/// A found issue with where it was found.
pub(crate) fn found(caller: &Caller, spot: &Spot, item: Value) -> Value {
    joined([item, json!({ "repository": repo(caller, spot), "text_matches": [] })])
}

/// A comment on an issue or pull request.
pub(crate) fn comment(caller: &Caller, spot: &Spot, on: Number, comment: &CommentRecord) -> Value {
    let api = caller.links.repo_api(spot);
    let url = format!("{api}/issues/comments/{}", comment.id);
    json!({
        "id": comment.id.0,
        "node_id": Node::Comment(comment.id).id(&spot.full_name()),
        "html_url": format!("{}/issues/{on}#issuecomment-{}", caller.links.repo(spot), comment.id),
        "issue_url": format!("{api}/issues/{on}"),
        "user": user(caller, &comment.author),
        "created_at": time(comment.at),
        "updated_at": time(comment.at),
        "author_association": association(caller, &comment.author),
        "body": plain(&comment.body),
        "performed_via_github_app": null,
        "reactions": reactions(&url),
        "url": url,
    })
}

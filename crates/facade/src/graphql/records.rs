//! Small things as GraphQL sees them: accounts, labels, comments. Their answers are put together at once.

use super::{
    issue::Issue,
    thing::{Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::{Node, user_id},
    problem::Problem,
};
use banksman_core::{
    id::Number,
    port::book::{Account, CommentRecord, LabelRecord},
    tainted::Tainted,
    text::Label,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Text of the forge on its way to whoever asked for it.
pub(super) fn plain(text: &Tainted) -> String {
    text.structure(str::to_owned)
}

/// A time as GitHub writes it: to the second.
pub(super) fn time(at: Timestamp) -> Value {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string().into()
}

/// The path part of an address.
pub(super) fn path(url: &str, html: &str) -> String {
    url.strip_prefix(html).unwrap_or(url).to_owned()
}

/// An account. An engine's is a bot, whose login GraphQL shows without the suffix.
pub(super) fn actor(caller: &Caller, account: &Account) -> Value {
    let login = account.login.as_str();
    let url = caller.links.user(login);
    let (kind, shown) = match login.strip_suffix("[bot]") {
        Some(name) => ("Bot", name),
        None => ("User", login),
    };
    json!({
        "__typename": kind,
        "id": user_id(account.id, login),
        "databaseId": account.id.0,
        "login": shown,
        "name": shown,
        "email": "",
        "resourcePath": path(&url, &caller.links.html),
        "avatarUrl": format!("{url}.png"),
        "url": url,
        "isViewer": account.id == caller.account.id,
        "repositories": [],
    })
}

/// An account as one that has repositories.
pub(super) fn user(caller: &Caller, account: &Account, repositories: Vec<Thing>) -> Thing {
    let mut fields: Vec<(&'static str, Out)> = vec![("repositories", Out::Many(repositories))];
    let record = actor(caller, account);
    for name in ["id", "databaseId", "login", "name", "email", "resourcePath", "avatarUrl", "url", "isViewer"]
    {
        fields.push((name, record.get(name).cloned().unwrap_or_default().into()));
    }
    Thing::bundle("User", fields)
}

/// The owner of a repository under the name that was asked for.
pub(super) fn owner(caller: &Caller, spot: &Spot) -> Value {
    let url = caller.links.user(&spot.owner);
    json!({
        "__typename": "User",
        "id": user_id(caller.owner_of(spot), &spot.owner),
        "databaseId": caller.owner_of(spot).0,
        "login": spot.owner,
        "name": spot.owner,
        "email": "",
        "resourcePath": path(&url, &caller.links.html),
        "avatarUrl": format!("{url}.png"),
        "url": url,
        "isViewer": caller.account.login.as_str() == spot.owner,
        "repositories": [],
    })
}

/// What an author is to the repository.
pub(super) fn association(caller: &Caller, author: &Account) -> &'static str {
    if author.id == caller.owner.id {
        "OWNER"
    } else if author.id == banksman_core::port::book::BANKSMAN || author.login.as_str().ends_with("[bot]") {
        "COLLABORATOR"
    } else {
        "CONTRIBUTOR"
    }
}

/// A label.
pub(super) fn label(caller: &Caller, spot: &Arc<Spot>, label: &LabelRecord) -> Thing {
    let url = format!("{}/labels/{}", caller.links.repo(spot), escape(label.name.as_str()));
    Thing::bundle(
        "Label",
        vec![
            ("id", Node::Label(label.id).id(&spot.full_name()).into()),
            ("name", label.name.as_str().into()),
            ("color", label.color.as_str().into()),
            ("description", plain(&label.description).into()),
            ("isDefault", false.into()),
            ("createdAt", Out::Null),
            ("resourcePath", path(&url, &caller.links.html).into()),
            ("url", url.into()),
            ("repository", Out::One(Thing::Repository(Arc::clone(spot)))),
        ],
    )
}

/// The labels of these names.
pub(super) async fn labels(
    caller: &Caller,
    spot: &Arc<Spot>,
    names: &[Label],
) -> Result<Vec<Thing>, Problem> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let known = caller.front.labels(&caller.at(spot)).await?;
    let carried =
        |label: &&LabelRecord| names.iter().any(|n| n.as_str().eq_ignore_ascii_case(label.name.as_str()));
    Ok(known.iter().filter(carried).map(|known| label(caller, spot, known)).collect())
}

/// A comment on an issue or pull request; `on` is what it is on.
pub(super) fn comment(
    caller: &Caller,
    spot: &Arc<Spot>,
    number: Number,
    on: &Thing,
    comment: &CommentRecord,
) -> Thing {
    let is_pull = matches!(on, Thing::Pull(_));
    let url = format!(
        "{}/{}/{number}#issuecomment-{}",
        caller.links.repo(spot),
        if is_pull { "pull" } else { "issues" },
        comment.id
    );
    let mut fields: Vec<(&'static str, Out)> = vec![
        ("id", Node::Comment(comment.id).id(&spot.full_name()).into()),
        ("databaseId", comment.id.0.into()),
        ("fullDatabaseId", comment.id.to_string().into()),
        ("resourcePath", path(&url, &caller.links.html).into()),
        ("url", url.into()),
        ("publishedAt", time(comment.at).into()),
        ("viewerCanUpdate", true.into()),
        ("viewerCanDelete", true.into()),
        (
            "issue",
            Out::One(match on {
                Thing::Pull(pull) => Issue::of_pull(pull),
                _ => on.clone(),
            }),
        ),
        ("pullRequest", if is_pull { Out::One(on.clone()) } else { Out::Null }),
    ];
    fields.extend(words(caller, comment));
    Thing::bundle("IssueComment", fields)
}

/// What every comment has, wherever it stands.
pub(super) fn words(caller: &Caller, comment: &CommentRecord) -> Vec<(&'static str, Out)> {
    let body = plain(&comment.body);
    vec![
        ("author", actor(caller, &comment.author).into()),
        ("authorAssociation", association(caller, &comment.author).into()),
        ("body", body.clone().into()),
        ("bodyText", body.into()),
        ("createdAt", time(comment.at).into()),
        ("updatedAt", time(comment.at).into()),
        ("includesCreatedEdit", false.into()),
        ("isMinimized", false.into()),
        ("minimizedReason", Out::Null),
        ("reactionGroups", reactions().into()),
        ("viewerDidAuthor", (comment.author.id == caller.account.id).into()),
    ]
}

/// Nobody reacts to anything here, and that is said the way GitHub does: a group for each reaction with nobody in it.
pub(super) fn reactions() -> Value {
    let group = |content: &str| {
        json!({
            "content": content,
            "users": { "totalCount": 0 },
            "reactors": { "totalCount": 0 },
            "viewerHasReacted": false,
        })
    };
    let all = ["THUMBS_UP", "THUMBS_DOWN", "LAUGH", "HOORAY", "CONFUSED", "HEART", "ROCKET", "EYES"];
    all.map(group).to_vec().into()
}

/// Text as a part of an address.
pub(crate) fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Text as HTML.
pub(super) fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

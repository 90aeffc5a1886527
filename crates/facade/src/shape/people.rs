//! Accounts.

use super::joined;
use crate::{caller::Caller, node::user_id};
use banksman_core::{id::ActorId, port::book::Account};
use serde_json::{Value, json};

/// An account.
pub(crate) fn user(caller: &Caller, account: &Account) -> Value {
    named(caller, account.id, account.login.as_str())
}

/// An account by id and name.
pub(crate) fn named(caller: &Caller, id: ActorId, login: &str) -> Value {
    let url = format!("{}/users/{login}", caller.links.api);
    let html = caller.links.user(login);
    json!({
        "login": login,
        "id": id.0,
        "node_id": user_id(id, login),
        "avatar_url": format!("{html}.png"),
        "gravatar_id": "",
        "html_url": html,
        "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"),
        "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"),
        "url": url,
        "type": if login.ends_with("[bot]") { "Bot" } else { "User" },
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// What an account says of itself.
pub(crate) fn profile(caller: &Caller, account: &Account) -> Value {
    let more = json!({
        "name": account.login.as_str(),
        "company": null,
        "blog": "",
        "location": null,
        "email": null,
        "notification_email": null,
        "hireable": null,
        "bio": null,
        "twitter_username": null,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "updated_at": "1970-01-01T00:00:00Z",
    });
    joined([user(caller, account), more])
}

/// What an author is to the repository.
pub(crate) fn association(caller: &Caller, author: &Account) -> &'static str {
    if author.id == caller.owner.id {
        "OWNER"
    } else if author.id == banksman_core::port::book::BANKSMAN || author.login.as_str().ends_with("[bot]") {
        "COLLABORATOR"
    } else {
        "CONTRIBUTOR"
    }
}

//! REST calls that read, by the name of the call.

use super::{
    Reply,
    objects::{issue_rest, pull_rest, time, user},
};
use crate::{
    canary,
    executor::{Micros, micros},
    forge::town::{ME, OWNER, Reviewer},
    universe::Universe,
};
use banksman_core::{
    id::Number,
    text::{RepoName, Sha},
    work::Verdict,
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Answers a read. `rest` is the path inside the repository, `query` what comes after the `?`.
pub(super) fn read(u: &mut Universe, operation: &str, repo: &RepoName, rest: &[&str], query: &str) -> Reply {
    let number = Number(rest.get(1).and_then(|part| part.parse().ok()).unwrap_or_default());
    let since = moment(query, "since").unwrap_or(Micros::MIN);
    let reviews: Vec<Sha> = u
        .github
        .reviews
        .iter()
        .filter(|(of, pull, _)| of == repo && *pull == number)
        .map(|(.., head)| head.clone())
        .collect();
    let found = u.in_town(repo, |town, _| match operation {
        "open_issues" | "issues_since" => {
            let wanted = |n: &Number| {
                let it = &town.issues[n];
                if operation == "open_issues" { it.open } else { it.closed.unwrap_or(it.created) >= since }
            };
            let issues = town.issues.keys().filter(|n| wanted(n)).filter_map(|n| issue_rest(town, *n));
            // Pull requests are issues, too.
            let pulls = town.pulls.keys().filter_map(|n| {
                let mut pull = pull_rest(town, *n)?;
                pull["pull_request"] = json!({});
                Some(pull)
            });
            paged(issues.chain(pulls).collect(), query)
        }
        "blocked_by" => {
            let blockers = town.issues.get(&number).map(|issue| issue.blocked_by.clone()).unwrap_or_default();
            paged(blockers.into_iter().filter_map(|n| issue_rest(town, n)).collect(), query)
        }
        "comments_since" => {
            let comments = town.comments.iter().filter(|comment| comment.on == number && comment.at >= since);
            let comments = comments.map(|comment| {
                let body = comment.say.as_ref().map_or_else(|| canary::text("comment"), ToString::to_string);
                json!({ "id": comment.id.0, "user": user(comment.author), "created_at": time(comment.at), "body": body })
            });
            paged(comments.collect(), query)
        }
        "pulls_between" => {
            let asked = |key: &str| part(query, key).map(decoded).unwrap_or_default();
            let (head, base) = (asked("head"), asked("base"));
            let head = head.split_once(':').map_or("", |(_, head)| head);
            let between = town.pulls.iter().rev();
            let between = between.filter(|(_, p)| p.head_branch.as_str() == head && p.base.as_str() == base);
            paged(between.filter_map(|(n, _)| pull_rest(town, *n)).collect(), query)
        }
        "statuses" => {
            let head = rest.get(1).and_then(|sha| Sha::new(sha).ok()).and_then(|sha| town.commit(&sha));
            let reviews = town.pulls.values().flat_map(|pull| &pull.reviews).filter(|r| Some(r.head) == head);
            let own = reviews.filter_map(|review| {
                let Reviewer::Engine(engine) = &review.reviewer else { return None };
                let state = if review.verdict == Verdict::Approve { "success" } else { "failure" };
                Some(json!({ "context": format!("banksman/review/{engine}"), "state": state, "creator": user(ME), "description": canary::text("status") }))
            });
            paged(own.collect(), query)
        }
        "reviews" => {
            let own = reviews.iter().map(|head| json!({ "user": user(ME), "commit_id": head.as_str(), "body": canary::text("review") }));
            paged(own.collect(), query)
        }
        _ => Value::Null,
    });
    match found {
        Some(Value::Null) | None => Reply::no(404),
        Some(found) => Reply::ok(found),
    }
}

/// An account by its login.
pub(super) fn account(path: &str) -> Reply {
    match path.rsplit('/').next() {
        Some("owner") => Reply::ok(user(OWNER)),
        Some("banksman") => Reply::ok(user(ME)),
        _ => Reply::no(404),
    }
}

fn part<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key).map(|(_, value)| value))
}

/// Percent-encoding undone; only ASCII is ever encoded here.
fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let byte = if c == '%' {
            let hex: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&hex, 16).unwrap_or(b'?')
        } else {
            u8::try_from(c).unwrap_or(b'?')
        };
        out.push(char::from(byte));
    }
    out
}

fn moment(query: &str, key: &str) -> Option<Micros> {
    let at: Timestamp = decoded(part(query, key)?).parse().ok()?;
    Some(micros(at))
}

/// The page that is asked for.
fn paged(all: Vec<Value>, query: &str) -> Value {
    let number = |key: &str, usual: usize| part(query, key).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (page, size): (usize, usize) = (number("page", 1), number("per_page", 30));
    Value::Array(all.into_iter().skip((page.max(1) - 1) * size).take(size).collect())
}

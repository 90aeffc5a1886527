//! GraphQL queries, by the name of their operation.

use super::{
    Reply, node,
    objects::{actor, issue, number_in, page, pull, threads},
    parts_of,
    writes::label_node,
};
use crate::{
    canary,
    executor::Micros,
    forge::{State, Town, town::ME},
    universe::Universe,
};
use banksman_core::{
    id::{Number, ThreadId},
    intent::AGENTIC,
    text::{BranchName, RepoName},
};
use serde_json::{Map, Value, json};

/// Answers a query.
pub(super) fn answer(u: &mut Universe, operation: &str, vars: &Value) -> Reply {
    match operation {
        "Mergeability" | "ThreadOrigins" | "ThreadState" => nodes(u, operation, vars),
        _ => {
            let text = |key: &str| vars[key].as_str().unwrap_or_default();
            let Ok(repo) = RepoName::new(&format!("{}/{}", text("owner"), text("name"))) else {
                return Reply::error("NOT_FOUND");
            };
            let now = u.now;
            let account = std::mem::take(&mut u.github);
            let found = u.in_town(&repo, |town, _| {
                let mut found = of_repository(town, &account, now, &repo, operation, vars);
                found["nameWithOwner"] = json!(repo.as_str());
                found["id"] = json!(node('R', &repo, 0));
                found
            });
            u.github = account;
            match found {
                Some(found) => Reply::ok(json!({ "data": { "viewer": actor(ME), "repository": found } })),
                None => Reply::error("NOT_FOUND"),
            }
        }
    }
}

fn of_repository(
    town: &mut Town,
    account: &super::Account,
    now: Micros,
    repo: &RepoName,
    operation: &str,
    vars: &Value,
) -> Value {
    let number = Number(vars["number"].as_u64().unwrap_or_default());
    let default = town.default_branch.clone();
    let head_of = |town: &Town, branch: &str| {
        let head = BranchName::new(branch).ok().and_then(|name| town.branches.get(&name).copied());
        head.map(|head| json!({ "name": branch, "target": { "oid": town.graph.sha(head).as_str() } }))
    };
    let wanted_ref =
        vars["ref"].as_str().and_then(|name| name.strip_prefix("refs/heads/")).unwrap_or_default();
    match operation {
        "RepositoryFacts" => facts(town),
        "Glance" => {
            let mut found = facts(town);
            let open: Vec<Number> =
                town.pulls.iter().filter(|(_, p)| p.state == State::Open).map(|(n, _)| *n).collect();
            found["pullRequests"] = paged(&open, vars, 25, |n| pull(town, account, now, repo, n));
            let open: Vec<Number> = town.issues.iter().filter(|(_, i)| i.open).map(|(n, _)| *n).collect();
            found["issues"] = paged(&open, vars, 40, |n| issue(town, repo, n));
            let epics = open.iter().filter(|n| town.has_label(**n, AGENTIC)).take(20);
            found["epics"] = page(epics.filter_map(|n| issue(town, repo, *n)).collect());
            let mut recent: Vec<Number> = town.issues.keys().copied().collect();
            recent
                .sort_by_key(|n| std::cmp::Reverse(town.issues[n].closed.unwrap_or(town.issues[n].created)));
            found["recent"] = page(recent.iter().take(20).filter_map(|n| issue(town, repo, *n)).collect());
            let epics = town.branches.keys().filter(|name| name.as_str().starts_with("epic/"));
            found["refs"] = page(epics.filter_map(|name| head_of(town, name.as_str())).collect());
            found
        }
        "BranchHead" => json!({ "ref": head_of(town, wanted_ref) }),
        "BranchToDelete" => {
            let head = BranchName::new(wanted_ref).ok().and_then(|name| town.branches.get(&name).copied());
            let ahead = head.map_or(0, |head| town.graph.count(head, town.branches[&default]));
            let mut of_default = head_of(town, default.as_str()).unwrap_or_default();
            of_default["compare"] = json!({ "aheadBy": ahead });
            let into =
                town.pulls.iter().filter(|(_, p)| p.state == State::Open && p.base.as_str() == wanted_ref);
            let into = into.map(|(number, _)| number_in(repo, *number)).collect();
            json!({ "defaultBranchRef": of_default, "ref": head_of(town, wanted_ref), "pullRequests": page(into) })
        }
        "OpenPulls" => {
            let open: Vec<Number> =
                town.pulls.iter().filter(|(_, p)| p.state == State::Open).map(|(n, _)| *n).collect();
            json!({ "pullRequests": paged(&open, vars, 25, |n| pull(town, account, now, repo, n)) })
        }
        "OpenIssues" | "References" => {
            let open: Vec<Number> = town.issues.iter().filter(|(_, i)| i.open).map(|(n, _)| *n).collect();
            json!({ "issues": paged(&open, vars, 100, |n| issue(town, repo, n)) })
        }
        "PullsByNumber" => numbered(vars, 'p', |n| pull(town, account, now, repo, n)),
        "IssuesByNumber" | "Titles" => numbered(vars, 'i', |n| issue(town, repo, n)),
        "PullStateOf" | "Lineage" | "PullChecks" | "PullThreads" | "PullReviews" | "BriefThreads"
        | "BriefChecks" => {
            json!({ "pullRequest": pull(town, account, now, repo, number) })
        }
        "EpicBody" | "AuditText" => json!({ "issue": issue(town, repo, number) }),
        "EpicEdits" => {
            let versions = account.versions.get(&(repo.clone(), number));
            let versions = versions.into_iter().flatten().rev().take(10).map(|body| json!({ "diff": body }));
            let mut found = issue(town, repo, number).unwrap_or_default();
            found["userContentEdits"] = page(versions.collect());
            json!({ "issue": found })
        }
        "BriefIssue" | "Subject" => {
            let label = vars["label"].as_str().unwrap_or_default();
            let known = account.labels.contains(&(repo.clone(), label.to_owned()))
                || town.issues.values().any(|i| i.labels.iter().any(|l| l.as_str() == label))
                || town.pulls.values().any(|p| p.labels.iter().any(|l| l.as_str() == label));
            let on = issue(town, repo, number).or_else(|| pull(town, account, now, repo, number));
            json!({
                "label": known.then(|| json!({ "id": label_node(repo, label) })),
                "issueOrPullRequest": on,
            })
        }
        _ => json!({}),
    }
}

/// What a repository is and offers.
fn facts(town: &Town) -> Value {
    let head = town.graph.sha(town.branches[&town.default_branch]);
    json!({
        "description": canary::text("description"),
        "isArchived": false, "isDisabled": false, "isLocked": false, "isPrivate": true,
        "hasIssuesEnabled": true, "viewerPermission": "WRITE",
        "autoMergeAllowed": town.customs.auto_merge,
        "squashMergeAllowed": true, "mergeCommitAllowed": true,
        // Branches of merged pull requests are GitHub's to remove.
        "deleteBranchOnMerge": true,
        "defaultBranchRef": { "name": town.default_branch.as_str(), "target": { "oid": head.as_str() } },
        "mergeQueue": Value::Null,
    })
}

/// A page of a list, with the mark of the next one.
fn paged(all: &[Number], vars: &Value, size: usize, mut one: impl FnMut(Number) -> Option<Value>) -> Value {
    let after = vars["after"].as_str().and_then(|mark| mark.parse().ok()).unwrap_or(0);
    let rest: Vec<Number> = all.iter().copied().filter(|number| number.0 > after).collect();
    let some = &rest[..size.min(rest.len())];
    let mark = some.last().map(|number| number.0.to_string());
    let nodes: Vec<Value> = some.iter().filter_map(|number| one(*number)).collect();
    json!({ "nodes": nodes, "pageInfo": { "hasNextPage": rest.len() > size, "endCursor": mark } })
}

/// Things by the numbers `n0`, `n1`, ...
fn numbered(vars: &Value, prefix: char, mut one: impl FnMut(Number) -> Option<Value>) -> Value {
    let mut found = Map::new();
    for place in 0..12 {
        if let Some(number) = vars[format!("n{place}")].as_u64() {
            found.insert(format!("{prefix}{place}"), one(Number(number)).unwrap_or(Value::Null));
        }
    }
    Value::Object(found)
}

/// Nodes by their ids.
fn nodes(u: &mut Universe, operation: &str, vars: &Value) -> Reply {
    let ids: Vec<&str> = match vars["ids"].as_array() {
        Some(ids) => ids.iter().filter_map(Value::as_str).collect(),
        None => vars["id"].as_str().into_iter().collect(),
    };
    let now = u.now;
    let account = std::mem::take(&mut u.github);
    let found: Vec<Value> = ids
        .into_iter()
        .map(|id| {
            let (kind, repo, which) = parts_of(id)?;
            let which: u64 = which.parse().ok()?;
            u.in_town(&repo, |town, _| match kind {
                'P' => pull(town, &account, now, &repo, Number(which)),
                'T' => {
                    let has =
                        |p: &crate::forge::town::Pull| p.threads.iter().any(|t| t.id == ThreadId(which));
                    let of = town.pulls.iter().find(|(_, p)| has(p)).map(|(number, _)| *number)?;
                    threads(town, &account, &repo, of).into_iter().find(|thread| thread["id"] == *id)
                }
                _ => None,
            })?
        })
        .map(|found| found.unwrap_or(Value::Null))
        .collect();
    u.github = account;
    Reply::ok(match operation {
        "ThreadState" => json!({ "data": { "node": found.into_iter().next() } }),
        _ => json!({ "data": { "nodes": found } }),
    })
}

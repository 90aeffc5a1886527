//! Issues and pull requests as GitHub shows them: all that could be asked for and more, with a stranger's words in every slot, and structure
//! that strangers can forge beside the genuine one (S9, S10).

use super::{account::Account, node};
use crate::{
    canary,
    executor::{Micros, SECOND, stamp},
    forge::{
        Customs, State, Town,
        town::{LOOKALIKE, ME, OWNER, Reviewer},
    },
};
use banksman_core::{
    id::{ActorId, Number},
    signals::CheckState,
    text::{Label, RepoName},
    work::Verdict,
};
use serde_json::{Value, json};

/// GitHub Actions.
const PINNED: u64 = 15_368;
/// Somebody who reviews what the owner wrote.
const COLLEAGUE: ActorId = ActorId(20);
/// An app that nobody pinned.
const FOREIGN: u64 = 666;

/// A moment as GitHub writes it: whole seconds.
pub(super) fn time(at: Micros) -> Value {
    json!(stamp(at - at.rem_euclid(SECOND)).to_string())
}

pub(super) fn login(id: ActorId) -> &'static str {
    match id {
        ME => "banksman",
        OWNER => "owner",
        LOOKALIKE => canary::LOGIN,
        _ => "stranger",
    }
}

/// An account in GraphQL.
pub(super) fn actor(id: ActorId) -> Value {
    json!({ "databaseId": id.0, "login": login(id), "name": canary::text("name") })
}

/// An account over REST.
pub(super) fn user(id: ActorId) -> Value {
    json!({ "id": id.0, "login": login(id), "bio": canary::text("bio") })
}

pub(super) fn page(nodes: Vec<Value>) -> Value {
    json!({ "nodes": nodes, "pageInfo": { "hasNextPage": false, "endCursor": Value::Null } })
}

pub(super) fn labels(labels: &[Label]) -> Value {
    page(labels.iter().map(|label| json!({ "name": label.as_str() })).collect())
}

/// A number of this repository.
pub(super) fn number_in(repo: &RepoName, number: Number) -> Value {
    json!({ "number": number.0, "repository": { "nameWithOwner": repo.as_str() } })
}

/// An issue in GraphQL.
pub(super) fn issue(town: &Town, repo: &RepoName, number: Number) -> Option<Value> {
    let it = town.issues.get(&number)?;
    let comments = town.comments.iter().filter(|comment| comment.on == number).map(|comment| {
        let body = comment.say.as_ref().map_or_else(|| canary::text("comment"), ToString::to_string);
        json!({ "fullDatabaseId": comment.id.0.to_string(), "author": actor(comment.author), "body": body })
    });
    Some(json!({
        "id": node('I', repo, number),
        "fullDatabaseId": number.0.to_string(),
        "number": number.0,
        "state": if it.open { "OPEN" } else { "CLOSED" },
        "title": it.title,
        "body": it.body,
        "author": actor(it.author),
        "createdAt": time(it.created),
        "closedAt": it.closed.map(time),
        "updatedAt": time(it.closed.unwrap_or(it.created)),
        "parent": it.parent.map(|parent| number_in(repo, parent)),
        "labels": labels(&it.labels),
        "comments": page(comments.collect()),
        "timelineItems": page(Vec::new()),
    }))
}

/// An issue over REST.
pub(super) fn issue_rest(town: &Town, number: Number) -> Option<Value> {
    let it = town.issues.get(&number)?;
    let open = |n: &&Number| town.issues.get(n).is_some_and(|i| i.open);
    Some(json!({
        "id": number.0,
        "number": number.0,
        "title": it.title,
        "body": it.body,
        "state": if it.open { "open" } else { "closed" },
        "user": user(it.author),
        "created_at": time(it.created),
        "closed_at": it.closed.map(time),
        "labels": it.labels.iter().map(|l| json!({ "name": l.as_str(), "description": canary::text("label") })).collect::<Vec<_>>(),
        "issue_dependencies_summary": { "blocked_by": it.blocked_by.iter().filter(open).count() },
    }))
}

/// Checks and statuses of a pull request's head: those that count, and those that strangers put beside them.
fn contexts(town: &Town, number: Number, head_at: Micros) -> Vec<Value> {
    let Some(pull) = town.pulls.get(&number) else { return Vec::new() };
    let run = |name: &str, state: CheckState, app: u64| {
        let (status, conclusion) = match state {
            CheckState::Pending => ("IN_PROGRESS", Value::Null),
            CheckState::Passing => ("COMPLETED", json!("SUCCESS")),
            CheckState::Failing => ("COMPLETED", json!("FAILURE")),
        };
        json!({
            "__typename": "CheckRun",
            "name": name,
            "status": status,
            "conclusion": conclusion,
            "title": canary::text("check"),
            "summary": canary::text("summary"),
            "text": canary::text("output"),
            "annotations": page(vec![json!({ "path": canary::text("path"), "message": canary::text("note"), "location": { "start": { "line": 1 } } })]),
            "checkSuite": { "createdAt": time(head_at), "app": { "databaseId": app, "name": canary::text("app") } },
        })
    };
    let status = |context: &str, state: &str, by: ActorId| {
        json!({
            "__typename": "StatusContext",
            "context": context,
            "state": state,
            "description": canary::text("status"),
            "createdAt": time(head_at),
            "creator": actor(by),
        })
    };
    let mut all = Vec::new();
    for (n, state) in town.checks.get(&pull.head).into_iter().flatten().enumerate() {
        all.push(run(CHECKS[n % 3], *state, PINNED));
    }
    for review in pull.reviews.iter().filter(|review| review.head == pull.head) {
        if let Reviewer::Engine(engine) = &review.reviewer {
            let state = if review.verdict == Verdict::Approve { "SUCCESS" } else { "FAILURE" };
            all.push(status(&format!("banksman/review/{engine}"), state, ME));
        }
    }
    if number.0.is_multiple_of(2) {
        // Green, by somebody else; and a verdict of our reviewer, by a login that looks like ours.
        all.extend(CHECKS.map(|name| run(name, CheckState::Passing, FOREIGN)));
        all.extend(CHECKS.map(|name| status(name, "SUCCESS", LOOKALIKE)));
        all.push(status("banksman/review/critic", "FAILURE", LOOKALIKE));
        all.push(run(&canary::text("check name"), CheckState::Passing, FOREIGN));
    }
    all
}

/// Names of checks, as the towns have them.
const CHECKS: [&str; 3] = ["build", "test", "lint"];

/// Reviews by people: the last opinion of each.
fn opinions(town: &Town, customs: &Customs, number: Number) -> Vec<Value> {
    let Some(pull) = town.pulls.get(&number) else { return Vec::new() };
    let (mut all, mut seen) = (Vec::new(), Vec::new());
    for review in pull.reviews.iter().rev() {
        let Reviewer::Person(person) = &review.reviewer else { continue };
        if seen.contains(person) {
            continue;
        }
        seen.push(*person);
        let state = match review.verdict {
            _ if customs.dismiss_all && review.head != pull.head => "DISMISSED",
            Verdict::Approve => "APPROVED",
            Verdict::Changes => "CHANGES_REQUESTED",
        };
        let oid = town.graph.sha(review.head).as_str();
        // Nobody reviews his own work on GitHub: a colleague does.
        let person = &if *person == pull.author { COLLEAGUE } else { *person };
        all.push(json!({ "state": state, "commit": { "oid": oid }, "author": actor(*person), "body": canary::text("review") }));
    }
    all
}

/// Review threads.
pub(super) fn threads(town: &Town, account: &Account, repo: &RepoName, number: Number) -> Vec<Value> {
    let pull = town.pulls.get(&number);
    let threads = pull.into_iter().flat_map(|pull| &pull.threads);
    let one = |thread: &crate::forge::town::ThreadRow| {
        let ours = account.resolved.contains(&(repo.clone(), thread.id));
        let by = thread.resolved.then(|| actor(if ours { ME } else { OWNER }));
        let comment = json!({
            "fullDatabaseId": thread.id.0.to_string(),
            "createdAt": time(thread.created),
            "author": actor(OWNER),
            "body": canary::text("thread"),
        });
        json!({
            "id": node('T', repo, thread.id),
            "isResolved": thread.resolved,
            "resolvedBy": by,
            "path": canary::text("path"),
            "line": 7,
            "comments": page(vec![comment]),
            "pullRequest": { "updatedAt": pull.map(|pull| time(pull.updated)) },
        })
    };
    threads.map(one).collect()
}

/// A pull request in GraphQL. Looking at it is what makes a lazy town compute its mergeability.
pub(super) fn pull(
    town: &mut Town,
    account: &Account,
    now: Micros,
    repo: &RepoName,
    number: Number,
) -> Option<Value> {
    let truth = town.signals(now, number)?;
    let it = town.pulls.get(&number)?;
    let customs = town.customs.clone();
    let (state, merged, closed, commit) = match &it.state {
        State::Open => ("OPEN", None, None, None),
        State::Merged { at, commit } => ("MERGED", Some(*at), Some(*at), Some(*commit)),
        State::Closed { at } => ("CLOSED", None, Some(*at), None),
    };
    let base_is_there = town.base_head(it).is_some();
    let rule = (customs.protected || customs.auto_merge || customs.approvals > 0).then(|| {
        let names: Vec<&str> = CHECKS.into_iter().take(customs.checks as usize).collect();
        json!({ "requiredApprovingReviewCount": customs.approvals, "requiredStatusCheckContexts": names })
    });
    let decision = (customs.approvals > 0).then(|| {
        let enough = truth.reviews.approved >= customs.approvals && truth.reviews.changes_requested == 0;
        if enough { "APPROVED" } else { "REVIEW_REQUIRED" }
    });
    let contexts = contexts(town, number, it.head_at);
    let commit_of_head = json!({ "oid": truth.head.as_str(), "committedDate": time(it.head_at) });
    let rollup =
        (!contexts.is_empty()).then(|| json!({ "commit": commit_of_head, "contexts": page(contexts) }));
    Some(json!({
        "id": node('P', repo, number),
        "number": number.0,
        "state": state,
        "title": canary::text("title"),
        "body": canary::text("body"),
        "isDraft": it.draft,
        "mergeStateStatus": truth.merge_state,
        "mergeable": truth.mergeable,
        "headRefOid": truth.head.as_str(),
        "headRefName": it.head_branch.as_str(),
        "isCrossRepository": false,
        "headRepositoryOwner": { "login": canary::LOGIN },
        "baseRefName": it.base.as_str(),
        "baseRef": base_is_there.then(|| json!({ "name": it.base.as_str(), "refUpdateRule": rule })),
        "author": actor(it.author),
        "additions": truth.additions,
        "deletions": truth.deletions,
        "changedFiles": truth.changed_files,
        "createdAt": time(it.created),
        "updatedAt": time(it.updated),
        "closedAt": closed.map(time),
        "mergedAt": merged.map(time),
        "mergeCommit": commit.map(|commit| json!({ "oid": town.graph.sha(commit).as_str() })),
        "reviewDecision": decision,
        "viewerCanEnableAutoMerge": customs.auto_merge && state == "OPEN",
        "autoMergeRequest": it.armed.then(|| json!({ "enabledAt": time(it.updated) })),
        "isInMergeQueue": false,
        "isMergeQueueEnabled": false,
        "mergeQueueEntry": Value::Null,
        "statusCheckRollup": rollup,
        "reviewThreads": page(threads(town, account, repo, number)),
        "latestOpinionatedReviews": page(opinions(town, &customs, number)),
        "closingIssuesReferences": page(it.closes.iter().map(|issue| number_in(repo, *issue)).collect()),
        "labels": labels(&it.labels),
        "commits": page(lineage(town, number)),
        "comments": page(Vec::new()),
    }))
}

/// A pull request over REST.
pub(super) fn pull_rest(town: &Town, number: Number) -> Option<Value> {
    let it = town.pulls.get(&number)?;
    Some(json!({
        "number": number.0,
        "title": canary::text("title"),
        "state": if it.state == State::Open { "open" } else { "closed" },
        "user": user(it.author),
        "created_at": time(it.created),
    }))
}

/// The commits of a pull request as far as they matter: updates from the base, and the head.
fn lineage(town: &Town, number: Number) -> Vec<Value> {
    let Some(pull) = town.pulls.get(&number) else { return Vec::new() };
    let commit = |oid: &str, at: Micros, by: ActorId, parents: Vec<&str>| {
        let parents = parents.into_iter().map(|oid| json!({ "oid": oid })).collect();
        json!({ "commit": {
            "oid": oid,
            "committedDate": time(at),
            "message": canary::text("message"),
            "author": { "name": canary::text("author"), "user": { "databaseId": by.0 } },
            "parents": page(parents),
        }})
    };
    let sha = |c| town.graph.sha(c).as_str();
    let updates = town.updates.iter().filter(|(of, ..)| *of == number);
    let mut all: Vec<Value> = updates
        .clone()
        .map(|(_, old, new, at)| commit(sha(*new), *at, ME, vec![sha(*old), sha(*new)]))
        .collect();
    if !updates.clone().any(|(_, _, new, _)| *new == pull.head) {
        all.push(commit(sha(pull.head), pull.head_at, OWNER, Vec::new()));
    }
    all
}

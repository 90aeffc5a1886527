//! Repositories as GraphQL sees them.

use super::{
    branch::{Branch, protection, refs},
    commit::Commit,
    issue::{self, Issue},
    pull::{self, Pull, state},
    records::{actor, label, owner, path, time},
    thing::{Args, Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::Node,
    problem::Problem,
};
use banksman_core::{
    id::Number,
    port::book::Select,
    text::{BranchName, Sha},
};
use jiff::Timestamp;
use std::sync::Arc;

/// Answers a field of a repository.
pub(super) async fn field(
    caller: &Arc<Caller>,
    spot: &Arc<Spot>,
    name: &str,
    args: &Args,
) -> Result<Out, Problem> {
    let at = caller.at(spot);
    let url = || caller.links.repo(spot);
    let number = || args.number("number").map(Number).unwrap_or(Number(0));
    Ok(match name {
        "id" => Node::Repository.id(&spot.full_name()).into(),
        "databaseId" => spot.number.into(),
        "name" => spot.name().into(),
        "nameWithOwner" => spot.full_name().into(),
        "owner" => owner(caller, spot).into(),
        "url" => url().into(),
        "openGraphImageUrl" => format!("{}.png", url()).into(),
        "sshUrl" => format!("{}.git", url()).into(),
        "resourcePath" => path(&url(), &caller.links.html).into(),
        // Nobody wrote down when it began.
        "createdAt" => time(Timestamp::UNIX_EPOCH).into(),
        "updatedAt" | "pushedAt" => time(pushed_at(caller, spot).await?).into(),
        "isBlankIssuesEnabled" | "hasIssuesEnabled" | "isPrivate" => true.into(),
        "visibility" => "PRIVATE".into(),
        "mergeCommitAllowed" | "squashMergeAllowed" | "autoMergeAllowed" | "allowUpdateBranch" => true.into(),
        "viewerCanAdminister" => true.into(),
        "viewerDefaultMergeMethod" => "MERGE".into(),
        "viewerPermission" => "ADMIN".into(),
        "viewerSubscription" => "SUBSCRIBED".into(),
        "branchProtectionRules" => Out::Many(vec![protection(spot)]),
        "assignableUsers" | "mentionableUsers" => {
            Out::Many(vec![Thing::record(actor(caller, &caller.account))])
        }
        "defaultBranchRef" => Out::maybe(Branch::find(caller, spot, &spot.rules.default_branch).await?),
        "ref" => {
            let wanted = args.must("qualifiedName");
            let wanted = BranchName::new(wanted.strip_prefix("refs/heads/").unwrap_or(wanted));
            match wanted {
                Ok(wanted) => Out::maybe(Branch::find(caller, spot, &wanted).await?),
                Err(_) => Out::Null,
            }
        }
        "refs" => Out::Many(refs(caller, spot, args).await?),
        "object" => {
            let wanted = args.text("oid").or_else(|| args.text("expression")).unwrap_or_default();
            let sha = match Sha::new(wanted) {
                Ok(sha) => Some(sha),
                Err(_) => match BranchName::new(wanted) {
                    Ok(branch) => {
                        caller.front.branches(&at).await?.into_iter().find(|(n, _)| *n == branch).map(|b| b.1)
                    }
                    Err(_) => None,
                },
            };
            match sha {
                Some(sha) if caller.front.commit(&at, sha.clone()).await.is_ok() => {
                    Out::One(Commit::thing(spot, sha))
                }
                Some(_) | None => Out::Null,
            }
        }
        "label" => {
            let known = caller.front.labels(&at).await?;
            let wanted = args.must("name");
            let found = known.iter().find(|label| label.name.as_str().eq_ignore_ascii_case(wanted));
            Out::maybe(found.map(|found| label(caller, spot, found)))
        }
        "labels" => {
            let query = args.text("query").unwrap_or_default().to_ascii_lowercase();
            let mut known = caller.front.labels(&at).await?;
            known.retain(|label| label.name.as_str().to_ascii_lowercase().contains(&query));
            let order = args.inner("orderBy");
            if order.text("field") == Some("CREATED_AT") {
                known.sort_by_key(|label| label.id);
            }
            if order.text("direction") == Some("DESC") {
                known.reverse();
            }
            Out::Many(known.iter().map(|known| label(caller, spot, known)).collect())
        }
        "issue" => match issue::one(caller, spot, number()).await? {
            Some(issue) => Out::One(issue),
            None => {
                return Err(Problem::not_found().saying("Could not resolve to an Issue with that number."));
            }
        },
        "pullRequest" => match pull::one(caller, spot, number()).await? {
            Some(pull) => Out::One(Thing::Pull(pull)),
            None => {
                return Err(
                    Problem::not_found().saying("Could not resolve to a PullRequest with that number.")
                );
            }
        },
        "issueOrPullRequest" => match either(caller, spot, number()).await? {
            Some(found) => Out::One(found),
            None => {
                let what = "Could not resolve to an issue or pull request with that number.";
                return Err(Problem::not_found().saying(what));
            }
        },
        "issues" => Out::Many(issues(caller, spot, args).await?.into_iter().map(Thing::Issue).collect()),
        "pullRequests" => Out::Many(pulls(caller, spot, args).await?.into_iter().map(Thing::Pull).collect()),
        _ => Out::Unknown,
    })
}

/// An issue or pull request of that number.
pub(super) async fn either(
    caller: &Caller,
    spot: &Arc<Spot>,
    number: Number,
) -> Result<Option<Thing>, Problem> {
    match issue::one(caller, spot, number).await? {
        Some(issue) => Ok(Some(issue)),
        None => Ok(pull::one(caller, spot, number).await?.map(Thing::Pull)),
    }
}

/// When the default branch last moved.
async fn pushed_at(caller: &Caller, spot: &Spot) -> Result<Timestamp, Problem> {
    let at = caller.at(spot);
    let branches = caller.front.branches(&at).await?;
    let head = branches.into_iter().find(|(name, _)| *name == spot.rules.default_branch);
    match head {
        Some((_, sha)) => Ok(caller.front.commit(&at, sha).await?.committer.at),
        None => Ok(Timestamp::UNIX_EPOCH),
    }
}

async fn issues(caller: &Caller, spot: &Arc<Spot>, args: &Args) -> Result<Vec<Arc<Issue>>, Problem> {
    let filter = args.inner("filterBy");
    let states = args.texts("states").or_else(|| filter.texts("states"));
    let which = match states.as_deref() {
        Some(["OPEN"]) => Select::Open,
        _ => Select::All,
    };
    let mut all = issue::issues(caller, spot, which).await?;
    let wanted = |issue: &Issue| if issue.record.open { "OPEN" } else { "CLOSED" };
    if let Some(states) = states {
        all.retain(|issue| states.contains(&wanted(issue)));
    }
    for names in [args.texts("labels"), filter.texts("labels")].into_iter().flatten() {
        all.retain(|i| {
            i.record.labels.iter().any(|l| names.iter().any(|n| l.as_str().eq_ignore_ascii_case(n)))
        });
    }
    if let Some(author) = filter.text("createdBy") {
        all.retain(|issue| issue.record.author.login.as_str().eq_ignore_ascii_case(author));
    }
    // Nobody is assigned to, or mentioned on, anything here.
    if ["assignee", "mentioned", "milestone", "milestoneNumber"].iter().any(|name| filter.has(name)) {
        all.clear();
    }
    if let Some(since) = filter.text("since").and_then(|since| since.parse::<Timestamp>().ok()) {
        all.retain(|issue| issue.record.updated_at >= since);
    }
    order(&mut all, args, |issue| (issue.record.created_at, issue.record.updated_at));
    Ok(all)
}

/// Pull requests of a repository that are wanted, in the order that is wanted.
pub(super) async fn pulls(caller: &Caller, spot: &Arc<Spot>, args: &Args) -> Result<Vec<Arc<Pull>>, Problem> {
    let states = args.texts("states");
    let which = match states.as_deref() {
        Some(["OPEN"]) => Select::Open,
        _ => Select::All,
    };
    let mut all = pull::pulls(caller, spot, which).await?;
    if let Some(states) = states {
        all.retain(|pull| states.contains(&state(&pull.summary.signals.state)));
    }
    if let Some(head) = args.text("headRefName") {
        all.retain(|pull| pull.summary.signals.head_branch.as_str() == head);
    }
    if let Some(base) = args.text("baseRefName") {
        all.retain(|pull| pull.summary.signals.base.as_str() == base);
    }
    if let Some(names) = args.texts("labels") {
        all.retain(|p| {
            p.summary.labels.iter().any(|l| names.iter().any(|n| l.as_str().eq_ignore_ascii_case(n)))
        });
    }
    order(&mut all, args, |pull| (pull.summary.signals.created_at, pull.summary.signals.updated_at));
    Ok(all)
}

/// Brings a list, which comes ascending by number, into the order that is asked for.
fn order<T>(all: &mut [T], args: &Args, times: impl Fn(&T) -> (Timestamp, Timestamp)) {
    let order = args.inner("orderBy");
    if order.text("field") == Some("UPDATED_AT") {
        all.sort_by_key(|item| times(item).1);
    }
    if order.text("direction") == Some("DESC") {
        all.reverse();
    }
}

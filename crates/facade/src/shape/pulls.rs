//! Pull requests, their reviews and files.

use super::{
    issues, joined,
    people::{association, user},
    plain,
    repos::{owner, repo},
    time,
};
use crate::{
    caller::{Caller, Spot},
    graphql::opinion,
    node::Node,
};
use banksman_core::{
    id::Number,
    intent::MergeMethod,
    port::book::{Account, CommentRecord, LabelRecord, ReviewRecord, ThreadRecord},
    signals::{Mergeable, PullState},
    text::{BranchName, Sha},
};
use banksman_forge::local::{FileChange, FileFate, PullSummary};
use serde_json::{Value, json};

/// One side of a pull request.
fn side(caller: &Caller, spot: &Spot, branch: &BranchName, sha: Option<&Sha>) -> Value {
    json!({
        "label": format!("{}:{branch}", spot.owner),
        "ref": branch.as_str(),
        "sha": sha.map_or_else(|| "0".repeat(40), ToString::to_string),
        "user": owner(caller, spot),
        "repo": repo(caller, spot),
    })
}

/// Which words an answer about a pull request has besides its facts.
pub(crate) struct Words {
    /// Its body.
    pub(crate) body: String,
    /// Where its base branch is, or was when it ended.
    pub(crate) base: Option<Sha>,
}

/// A pull request in a list.
pub(crate) fn pull(
    caller: &Caller,
    spot: &Spot,
    pull: &PullSummary,
    words: Words,
    known: &[LabelRecord],
) -> Value {
    let signals = &pull.signals;
    let number = signals.number;
    let (api, html) = (caller.links.repo_api(spot), format!("{}/pull/{number}", caller.links.repo(spot)));
    let (url, issue) = (format!("{api}/pulls/{number}"), format!("{api}/issues/{number}"));
    let author = Account { id: signals.author, login: signals.author_login.clone() };
    let (merged_at, closed_at, commit) = match &signals.state {
        PullState::Open => (None, None, None),
        PullState::Merged { at, commit } => (Some(*at), Some(*at), Some(commit.as_str())),
        PullState::Closed { at } => (None, Some(*at), None),
    };
    let auto_merge = pull.arming.as_ref().map(|arming| {
        json!({
            "enabled_by": user(caller, &arming.by),
            "merge_method": match arming.method {
                MergeMethod::Squash => "squash",
                MergeMethod::Merge => "merge",
            },
            "commit_title": "",
            "commit_message": "",
        })
    });
    let href = |address: String| json!({ "href": address });
    let links = json!({
        "self": href(url.clone()),
        "html": href(html.clone()),
        "issue": href(issue.clone()),
        "comments": href(format!("{issue}/comments")),
        "review_comments": href(format!("{url}/comments")),
        "review_comment": href(format!("{api}/pulls/comments{{/number}}")),
        "commits": href(format!("{url}/commits")),
        "statuses": href(format!("{api}/statuses/{}", signals.head)),
    });
    let base = words.base.as_ref().or(pull.base_head.as_ref());
    let first = json!({
        "id": spot.wide(number.0),
        "node_id": Node::Pull(number).id(&spot.full_name()),
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": format!("{api}/statuses/{}", signals.head),
        "url": url,
        "html_url": html,
        "number": number.0,
        "state": if closed_at.is_none() { "open" } else { "closed" },
        "locked": false,
        "active_lock_reason": null,
        "title": plain(&pull.title),
        "user": user(caller, &author),
        "body": words.body,
        "labels": issues::labels(caller, spot, &pull.labels, known),
        "milestone": null,
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
    });
    let second = json!({
        "created_at": time(signals.created_at),
        "updated_at": time(signals.updated_at),
        "closed_at": closed_at.map(time),
        "merged_at": merged_at.map(time),
        "merge_commit_sha": commit,
        "head": side(caller, spot, &signals.head_branch, Some(&signals.head)),
        "base": side(caller, spot, &signals.base, base),
        "_links": links,
        "author_association": association(caller, &author),
        "auto_merge": auto_merge,
        "draft": signals.is_draft,
    });
    joined([first, second])
}

/// A pull request as one asks for it alone. `counts`: comments, comments in reviews, commits.
pub(crate) fn full(
    caller: &Caller,
    spot: &Spot,
    summary: &PullSummary,
    words: Words,
    known: &[LabelRecord],
    counts: (usize, usize, usize),
) -> Value {
    let signals = &summary.signals;
    let (comments, review_comments, commits) = counts;
    let state = serde_json::to_value(signals.merge_state).ok();
    let more = json!({
        "merged": matches!(signals.state, PullState::Merged { .. }),
        "mergeable": match signals.mergeable {
            Mergeable::Mergeable => Some(true),
            Mergeable::Conflicting => Some(false),
            Mergeable::Unknown => None,
        },
        "rebaseable": false,
        "mergeable_state": state.and_then(|s| s.as_str().map(str::to_ascii_lowercase)).unwrap_or_default(),
        "merged_by": null,
        "comments": comments,
        "review_comments": review_comments,
        "maintainer_can_modify": true,
        "commits": commits,
        "additions": signals.additions,
        "deletions": signals.deletions,
        "changed_files": signals.changed_files,
    });
    joined([pull(caller, spot, summary, words, known), more])
}

/// A review.
pub(crate) fn review(caller: &Caller, spot: &Spot, number: Number, review: &ReviewRecord) -> Value {
    let html = format!("{}/pull/{number}#pullrequestreview-{}", caller.links.repo(spot), review.id);
    let pull = format!("{}/pulls/{number}", caller.links.repo_api(spot));
    json!({
        "id": review.id.0,
        "node_id": Node::Review(number, review.id).id(&spot.full_name()),
        "user": user(caller, &review.reviewer),
        "body": plain(&review.body),
        "state": opinion(review.opinion),
        "html_url": html,
        "pull_request_url": pull,
        "author_association": association(caller, &review.reviewer),
        "_links": { "html": { "href": html }, "pull_request": { "href": pull } },
        "submitted_at": time(review.at),
        "commit_id": review.head.as_str(),
    })
}

/// A comment in a review thread.
pub(crate) fn review_comment(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    head: &Sha,
    thread: &ThreadRecord,
    said: &CommentRecord,
) -> Value {
    let api = caller.links.repo_api(spot);
    let url = format!("{api}/pulls/comments/{}", said.id);
    let html = format!("{}/pull/{number}#discussion_r{}", caller.links.repo(spot), said.id);
    let pull = format!("{api}/pulls/{number}");
    let (path, line) = match &thread.place {
        Some((path, line)) => (plain(path), Some(*line)),
        None => (String::new(), None),
    };
    let mut comment = json!({
        "id": said.id.0,
        "node_id": Node::ThreadComment(number, thread.id, said.id).id(&spot.full_name()),
        "pull_request_review_id": thread.review.map(|review| review.0),
        "diff_hunk": "",
        "path": path,
        "commit_id": head.as_str(),
        "original_commit_id": head.as_str(),
        "user": user(caller, &said.author),
        "body": plain(&said.body),
        "created_at": time(said.at),
        "updated_at": time(said.at),
        "author_association": association(caller, &said.author),
        "subject_type": if line.is_some() { "line" } else { "file" },
        "line": line,
        "original_line": line,
        "start_line": null,
        "side": "RIGHT",
        "_links": { "self": { "href": url }, "html": { "href": html }, "pull_request": { "href": pull } },
        "reactions": issues::reactions(&url),
        "url": url,
        "html_url": html,
        "pull_request_url": pull,
    });
    if let Some(comment) = comment.as_object_mut() {
        if line.is_none() {
            comment.remove("line");
            comment.remove("original_line");
        }
        if let Some(first) = thread.comments.first().filter(|first| first.id != said.id) {
            comment.insert("in_reply_to_id".to_owned(), first.id.0.into());
        }
    }
    comment
}

/// A file of a change with its patch.
pub(crate) fn file(
    caller: &Caller,
    spot: &Spot,
    head: &Sha,
    file: &FileChange,
    patch: Option<String>,
) -> Value {
    let path = plain(&file.path);
    let (api, html) = (caller.links.repo_api(spot), caller.links.repo(spot));
    let mut shown = json!({
        "sha": file.blob.as_str(),
        "filename": path,
        "status": match file.fate {
            FileFate::Added => "added",
            FileFate::Modified => "modified",
            FileFate::Removed => "removed",
        },
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": format!("{html}/blob/{head}/{path}"),
        "raw_url": format!("{html}/raw/{head}/{path}"),
        "contents_url": format!("{api}/contents/{path}?ref={head}"),
    });
    if let (Some(patch), Some(shown)) = (patch, shown.as_object_mut()) {
        shown.insert("patch".to_owned(), patch.into());
    }
    shown
}

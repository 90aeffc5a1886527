//! Repositories.

use super::{joined, people::named};
use crate::{
    caller::{Caller, Spot},
    node::Node,
};
use serde_json::{Value, json};

/// Addresses below a repository, by the name of their field.
const BELOW: [(&str, &str); 38] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
    ("svn_url", ""),
];

/// What every repository here has.
const MARKS: [(&str, bool); 15] = [
    ("private", true),
    ("fork", false),
    ("has_issues", true),
    ("has_projects", false),
    ("has_wiki", false),
    ("has_pages", false),
    ("has_downloads", false),
    ("has_discussions", false),
    ("archived", false),
    ("disabled", false),
    ("is_template", false),
    ("allow_forking", false),
    ("web_commit_signoff_required", false),
    ("has_pull_requests", true),
    ("use_squash_pr_title_as_default", true),
];

/// The account that a repository is shown under.
pub(crate) fn owner(caller: &Caller, spot: &Spot) -> Value {
    named(caller, caller.owner_of(spot), &spot.owner)
}

/// A repository.
pub(crate) fn repo(caller: &Caller, spot: &Spot) -> Value {
    let (api, html) = (caller.links.repo_api(spot), caller.links.repo(spot));
    let below = BELOW.iter().map(|(field, path)| ((*field).to_owned(), Value::from(format!("{api}{path}"))));
    let marks = MARKS.iter().map(|(field, is)| ((*field).to_owned(), Value::from(*is)));
    let own = json!({
        "id": spot.number,
        "node_id": Node::Repository.id(&spot.full_name()),
        "name": spot.name(),
        "full_name": spot.full_name(),
        "owner": owner(caller, spot),
        "description": null,
        "html_url": html,
        "git_url": format!("{html}.git"),
        "ssh_url": format!("{html}.git"),
        "clone_url": format!("{html}.git"),
        "mirror_url": null,
        "homepage": null,
        "language": null,
        "license": null,
        "forks_count": 0,
        "forks": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "size": 0,
        "open_issues_count": 0,
        "open_issues": 0,
        "default_branch": spot.rules.default_branch.as_str(),
        "topics": [],
        "visibility": "private",
        "pushed_at": "1970-01-01T00:00:00Z",
        "created_at": "1970-01-01T00:00:00Z",
        "updated_at": "1970-01-01T00:00:00Z",
        "permissions": { "admin": true, "maintain": true, "push": true, "triage": true, "pull": true },
    });
    joined([Value::Object(below.collect()), Value::Object(marks.collect()), own])
}

/// A repository as one asks for it alone. `open` counts issues and pull requests.
pub(crate) fn full(caller: &Caller, spot: &Spot, open: usize, pushed_at: &str) -> Value {
    let more = json!({
        "open_issues_count": open,
        "open_issues": open,
        "pushed_at": pushed_at,
        "updated_at": pushed_at,
        "allow_squash_merge": true,
        "allow_merge_commit": true,
        "allow_rebase_merge": false,
        "allow_auto_merge": true,
        "allow_update_branch": true,
        "delete_branch_on_merge": false,
        "squash_merge_commit_title": "PR_TITLE",
        "squash_merge_commit_message": "BLANK",
        "merge_commit_title": "PR_TITLE",
        "merge_commit_message": "BLANK",
        "network_count": 0,
        "subscribers_count": 0,
        "temp_clone_token": "",
        "custom_properties": {},
    });
    joined([repo(caller, spot), more])
}

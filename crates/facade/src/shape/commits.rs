//! Commits, branches and references.

use super::{plain, time};
use crate::{
    caller::{Caller, Spot},
    node::Node,
};
use banksman_core::text::{BranchName, Sha};
use banksman_forge::local::{CommitView, Signature};
use serde_json::{Value, json};

fn signature(signature: &Signature) -> Value {
    json!({ "name": plain(&signature.name), "email": plain(&signature.email), "date": time(signature.at) })
}

/// A commit. Names in commits prove nothing, so that no account stands beside them.
pub(crate) fn commit(caller: &Caller, spot: &Spot, view: &CommitView) -> Value {
    let (api, html) = (caller.links.repo_api(spot), caller.links.repo(spot));
    let sha = &view.sha;
    let parents = view.parents.iter().map(|parent| {
        json!({
            "sha": parent.as_str(),
            "url": format!("{api}/commits/{parent}"),
            "html_url": format!("{html}/commit/{parent}"),
        })
    });
    json!({
        "sha": sha.as_str(),
        "node_id": Node::Commit(sha.clone()).id(&spot.full_name()),
        "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{html}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"),
        "commit": {
            "url": format!("{api}/git/commits/{sha}"),
            "author": signature(&view.author),
            "committer": signature(&view.committer),
            "message": plain(&view.message),
            "comment_count": 0,
            "tree": { "sha": view.tree.as_str(), "url": format!("{api}/git/trees/{}", view.tree) },
            "verification": {
                "verified": false, "reason": "unsigned", "payload": null, "signature": null, "verified_at": null,
            },
        },
        "author": null,
        "committer": null,
        "parents": parents.collect::<Vec<_>>(),
    })
}

/// A reference.
pub(crate) fn reference(caller: &Caller, spot: &Spot, branch: &BranchName, sha: &Sha) -> Value {
    let api = caller.links.repo_api(spot);
    json!({
        "ref": format!("refs/heads/{branch}"),
        "node_id": Node::Ref(branch.clone()).id(&spot.full_name()),
        "url": format!("{api}/git/refs/heads/{branch}"),
        "object": { "type": "commit", "sha": sha.as_str(), "url": format!("{api}/git/commits/{sha}") },
    })
}

/// What protects a branch, in short.
fn protection(caller: &Caller, spot: &Spot, branch: &BranchName) -> (bool, Value) {
    let protected = *branch == spot.rules.default_branch;
    let checks: Vec<&str> = match protected {
        true => spot.rules.checks.iter().map(|(name, _)| name.as_str()).collect(),
        false => Vec::new(),
    };
    let url = format!("{}/branches/{branch}/protection", caller.links.repo_api(spot));
    let level = if checks.is_empty() { "off" } else { "everyone" };
    let contexts: Vec<Value> = checks.iter().map(|name| json!({ "context": name, "app_id": 1 })).collect();
    let detail = json!({
        "url": url,
        "enabled": protected,
        "required_status_checks": {
            "url": format!("{url}/required_status_checks"),
            "enforcement_level": level,
            "contexts": checks,
            "checks": contexts,
            "contexts_url": format!("{url}/required_status_checks/contexts"),
        },
    });
    (protected, detail)
}

/// A branch in a list.
pub(crate) fn branch(caller: &Caller, spot: &Spot, name: &BranchName, sha: &Sha) -> Value {
    let (protected, protection) = protection(caller, spot, name);
    let api = caller.links.repo_api(spot);
    json!({
        "name": name.as_str(),
        "commit": { "sha": sha.as_str(), "url": format!("{api}/commits/{sha}") },
        "protected": protected,
        "protection_url": protection["url"].clone(),
        "protection": protection,
    })
}

/// A branch as one asks for it alone.
pub(crate) fn full_branch(caller: &Caller, spot: &Spot, name: &BranchName, view: &CommitView) -> Value {
    let (protected, protection) = protection(caller, spot, name);
    let links = json!({
        "self": format!("{}/branches/{name}", caller.links.repo_api(spot)),
        "html": format!("{}/tree/{name}", caller.links.repo(spot)),
    });
    json!({
        "name": name.as_str(),
        "commit": commit(caller, spot, view),
        "_links": links,
        "protected": protected,
        "protection_url": protection["url"].clone(),
        "protection": protection,
    })
}

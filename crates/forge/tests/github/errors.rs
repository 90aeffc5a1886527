//! What goes wrong, in closed words: limits are pauses, rights are named, nothing of a message is passed on.

use crate::script::{Answer, N, Wire, at, facts, open_pulls, pull, refused, repo, sha, within};
use banksman_core::{
    intent::{MergeMethod, Step},
    port::{Forge, ForgeError, PullQuery, Refusal, Scope},
    say::Sentence,
};
use banksman_forge::github::GithubSettings;
use serde_json::json;

fn comment() -> Step {
    Step::Comment { on: N, say: Sentence::FixReviews }
}

#[tokio::test]
async fn a_token_without_scopes_is_told_which_one_is_missing() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let body = json!({"data": null, "errors": [{"type": "INSUFFICIENT_SCOPES", "message": "canary"}]});
    wire.ok("Glance", body);
    let error = forge.repo(&repo()).await.unwrap_err();
    assert_eq!(error, ForgeError::Refused(Refusal::NoScope(Scope::Repo)));
    assert!(error.to_string().contains("`repo`"));
}

#[tokio::test]
async fn a_private_repository_that_the_token_may_not_see_names_the_scope() {
    for (scopes, expected) in
        [("public_repo, gist", Refusal::NoScope(Scope::Repo)), ("repo", Refusal::NotFound)]
    {
        let (wire, forge) = Wire::new(GithubSettings::default());
        let mut unknown = facts();
        unknown["data"]["repository"] = json!(null);
        unknown["errors"] = json!([{"type": "NOT_FOUND", "path": ["repository"], "message": "canary"}]);
        let headers = vec![("x-oauth-scopes", scopes.to_owned())];
        wire.then("Glance", Answer::Json(200, headers, unknown));
        assert_eq!(forge.repo(&repo()).await, Err(ForgeError::Refused(expected)));
    }
    // A public one can be looked at without any scope, but nothing can be done there.
    let (wire, forge) = Wire::new(GithubSettings::default());
    wire.then("Glance", Answer::Json(200, vec![("x-oauth-scopes", String::new())], facts()));
    assert_eq!(forge.repo(&repo()).await, Err(ForgeError::Refused(Refusal::NoScope(Scope::Repo))));
}

#[tokio::test]
async fn an_unknown_repository_is_not_found() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let mut unknown = facts();
    unknown["data"]["repository"] = json!(null);
    unknown["errors"] = json!([{"type": "NOT_FOUND", "path": ["repository"], "message": "canary"}]);
    wire.ok("Glance", unknown);
    assert_eq!(forge.repo(&repo()).await, Err(ForgeError::Refused(Refusal::NotFound)));
}

#[tokio::test]
async fn an_invalid_token_and_single_sign_on_are_told_apart() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    wire.status("Glance", 401, json!({"message": "Bad credentials"}));
    assert_eq!(forge.repo(&repo()).await, Err(ForgeError::Refused(Refusal::BadCredential)));
    let sso = json!({"data": null, "errors": [{"type": "FORBIDDEN", "extensions": {"saml_failure": true}}]});
    wire.ok("Glance", sso);
    assert_eq!(forge.repo(&repo()).await, Err(ForgeError::Refused(Refusal::SsoRequired)));
}

#[tokio::test]
async fn a_limit_in_an_answer_of_status_200_is_a_pause() {
    let (wire, forge) = Wire::open().await;
    let used_up = json!({"data": {"rateLimit": {"cost": 0, "remaining": 0, "limit": 5000, "resetAt": at(600)}},
        "errors": [{"type": "RATE_LIMITED"}]});
    wire.ok("OpenPulls", used_up);
    let Err(ForgeError::Later(until)) = forge.pulls(&repo(), &PullQuery::Open).await else { panic!() };
    assert_eq!(until, at(600));
    // Until then nothing is even sent.
    let before = wire.asked().len();
    let again = forge.pulls(&repo(), &PullQuery::Open).await;
    assert!(matches!(again, Err(ForgeError::Later(_))));
    assert_eq!(wire.asked().len(), before);
}

#[tokio::test]
async fn a_secondary_limit_stops_a_write_that_surely_did_not_happen() {
    let (wire, forge) = Wire::open().await;
    wire.then(
        "comment",
        Answer::Json(403, vec![("retry-after", "30".to_owned())], json!({"message": "canary"})),
    );
    let Err(ForgeError::Later(until)) = forge.perform(&repo(), &comment(), None).await else { panic!() };
    assert!(until >= wire.now());
}

#[tokio::test]
async fn writes_are_never_repeated() {
    for answer in [
        Answer::Lost,
        Answer::Bytes(502, b"<html>".to_vec()),
        Answer::Bytes(201, b"{\"id\": 1, \"crea".to_vec()),
    ] {
        let (wire, forge) = Wire::open().await;
        wire.then("comment", answer);
        assert!(matches!(forge.perform(&repo(), &comment(), None).await, Err(ForgeError::Unclear(_))));
        wire.done();
    }
    let (wire, forge) = Wire::open().await;
    wire.then("comment", Answer::NotSent);
    assert!(
        matches!(forge.perform(&repo(), &comment(), None).await, Err(ForgeError::Later(_))),
        "surely not done"
    );
}

#[tokio::test]
async fn reads_are_repeated_once() {
    let (wire, forge) = Wire::open().await;
    wire.then("OpenPulls", Answer::Bytes(200, b"{\"data\":{\"reposi".to_vec()))
        .ok("OpenPulls", open_pulls(vec![pull(7)]));
    assert_eq!(forge.pulls(&repo(), &PullQuery::Open).await.unwrap().len(), 1);
    wire.then("OpenPulls", Answer::Bytes(502, Vec::new())).then("OpenPulls", Answer::Lost);
    assert!(matches!(forge.pulls(&repo(), &PullQuery::Open).await, Err(ForgeError::Unclear(_))));
    wire.done();
}

#[tokio::test]
async fn a_change_in_a_repository_that_was_archived_meanwhile_says_so() {
    let (wire, forge) = Wire::open().await;
    let mut archived = facts();
    archived["data"]["repository"]["isArchived"] = json!(true);
    wire.status("comment", 403, json!({"message": "canary"})).ok("RepositoryFacts", archived);
    let end = forge.perform(&repo(), &comment(), None).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::Archived)));
}

#[tokio::test]
async fn a_permission_of_a_fine_grained_token_is_named() {
    let (wire, forge) = Wire::open().await;
    let headers = vec![("x-accepted-github-permissions", "issues=write".to_owned())];
    wire.then("comment", Answer::Json(403, headers, json!({"message": "canary"})));
    let end = forge.perform(&repo(), &comment(), None).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::NoScope(Scope::Issues))));
    let body = json!({"data": {"repository": null}, "errors": [
        {"type": "FORBIDDEN", "path": ["repository", "pullRequests", "nodes", 0, "statusCheckRollup"]}]});
    wire.ok("OpenPulls", body);
    let end = forge.pulls(&repo(), &PullQuery::Open).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::NoScope(Scope::Checks))));
}

#[tokio::test]
async fn a_redirect_of_a_read_is_followed_inside_the_api() {
    let (wire, forge) = Wire::open().await;
    wire.ok("OpenIssues", within(json!({"nameWithOwner": "acme/shop", "issues": {"nodes": [], "pageInfo": {"hasNextPage": false}}})));
    let to = vec![("location", "https://evil.example/repositories/12/issues?state=open&page=1".to_owned())];
    wire.then("open_issues", Answer::Json(301, to, json!({}))).ok("open_issues", json!([]));
    forge.issues(&repo(), &banksman_core::port::IssueQuery::Open).await.unwrap();
    assert_eq!(wire.last().path, "/repositories/12/issues?state=open&page=1");
}

#[tokio::test]
async fn mutations_are_refused_by_their_codes() {
    let head = sha('a');
    let merge = Step::EnableAutoMerge { pull: N, head };
    for (code, moved, expected) in [
        ("UNPROCESSABLE", 'b', Refusal::HeadMoved),
        ("UNPROCESSABLE", 'a', Refusal::NotAllowed),
        ("NOT_FOUND", 'a', Refusal::NotAllowed),
    ] {
        let (wire, forge) = Wire::open().await;
        wire.ok("PullStateOf", crate::script::state('a', json!({})));
        wire.ok("EnableAutoMerge", refused(code));
        wire.ok("PullStateOf", crate::script::state(moved, json!({})));
        assert_eq!(forge.perform(&repo(), &merge, None).await, Err(ForgeError::Refused(expected)), "{code}");
    }
    let (wire, forge) = Wire::open().await;
    wire.ok("PullStateOf", crate::script::state('a', json!({})));
    wire.ok("EnableAutoMerge", json!({"data": null, "errors": [{"message": "Something went wrong"}]}));
    assert!(matches!(forge.perform(&repo(), &merge, None).await, Err(ForgeError::Unclear(_))));
}

#[tokio::test]
async fn a_merge_that_is_refused_says_why() {
    let step = Step::Merge { pull: N, head: sha('a'), method: MergeMethod::Squash };
    for (status, after, expected) in [
        (409, crate::script::state('b', json!({})), Refusal::HeadMoved),
        (405, crate::script::state('a', json!({"mergeable": "CONFLICTING"})), Refusal::Conflict),
        (405, crate::script::state('a', json!({"state": "MERGED"})), Refusal::Ended),
        (422, crate::script::state('a', json!({})), Refusal::NotAllowed),
    ] {
        let (wire, forge) = Wire::open().await;
        wire.ok("PullStateOf", crate::script::state('a', json!({})));
        wire.status("merge", status, json!({"message": "canary"})).ok("PullStateOf", after);
        assert_eq!(forge.perform(&repo(), &step, None).await, Err(ForgeError::Refused(expected)));
        wire.done();
    }
}

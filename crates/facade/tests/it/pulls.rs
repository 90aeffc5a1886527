//! Pull requests over REST and GraphQL: opening, reviews, checks, merging by hand and by itself.

use crate::world::World;
use banksman_forge::local::Freshness;
use serde_json::{Value, json};

const PULLS: &str = "/repos/me/shop/pulls";

async fn id(world: &World, number: u64) -> Value {
    world.get(&format!("{PULLS}/{number}")).await["node_id"].clone()
}

#[tokio::test]
async fn a_pull_request_is_opened_once_and_names_what_it_closes() {
    let world = World::new().await;
    world.issue("One").await;
    world.push("topic", "new", "text\n");
    let wish = json!({ "title": "Add it", "head": "me:topic", "base": "main", "body": "Closes #1" });
    let made = world.did("POST", PULLS, wish.clone()).await;
    assert_eq!(
        (&made["number"], &made["commits"], &made["changed_files"]),
        (&json!(2), &json!(1), &json!(1))
    );
    let again = world.ask("POST", PULLS, Some(wish)).await;
    assert_eq!((again.status.as_u16(), &again.json()["errors"][0]["code"]), (422, &json!("custom")));
    let query = "{ repository(owner: \"me\", name: \"shop\") { pullRequest(number: 2) {
        closingIssuesReferences(first: 5) { nodes { number } } } } }";
    let data = world.query(query, json!({})).await;
    let closing = &data["repository"]["pullRequest"]["closingIssuesReferences"]["nodes"];
    assert_eq!(closing, &json!([{ "number": 1 }]));
    let none = world.ask("POST", PULLS, Some(json!({ "title": "x", "head": "main", "base": "main" }))).await;
    assert_eq!(none.status, 422);
}

#[tokio::test]
async fn a_merge_names_the_head_and_waits_for_green() {
    let world = World::new().await;
    let number = world.pull("topic").await;
    let merge = format!("{PULLS}/{number}/merge");
    let early = world.ask("PUT", &merge, Some(json!({}))).await;
    assert_eq!(early.status, 405);
    world.check().await;
    let head = world.head("topic").unwrap();
    world.push("topic", "more", "text\n");
    let stale = world.ask("PUT", &merge, Some(json!({ "sha": head.as_str() }))).await;
    assert_eq!(stale.status, 409, "{}", stale.json());
    world.check().await;
    let head = world.head("topic").unwrap();
    let merged = world.did("PUT", &merge, json!({ "sha": head.as_str(), "merge_method": "squash" })).await;
    assert_eq!(merged["sha"], world.head("main").unwrap().as_str());
    assert_eq!(world.ask("GET", &merge, None).await.status, 204);
    assert_eq!(world.get(&format!("{PULLS}/{number}")).await["merged"], true);
    assert_eq!(world.ask("PUT", &merge, Some(json!({}))).await.status, 405);
}

#[tokio::test]
async fn an_armed_pull_request_is_merged_when_its_checks_turn_green() {
    let world = World::new().await;
    let number = world.pull("topic").await;
    let id = id(&world, number).await;
    let arm = "mutation($id: ID!) { enablePullRequestAutoMerge(input: { pullRequestId: $id, mergeMethod: SQUASH }) {
        pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } } } }";
    let armed = world.query(arm, json!({ "id": id })).await;
    let order = &armed["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"];
    assert_eq!(order, &json!({ "mergeMethod": "SQUASH", "enabledBy": { "login": "me" } }));
    assert_eq!(world.get(&format!("{PULLS}/{number}")).await["auto_merge"]["merge_method"], "squash");
    world.check().await;
    let pull = world.get(&format!("{PULLS}/{number}")).await;
    assert_eq!((&pull["merged"], &pull["auto_merge"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn an_order_can_be_taken_back_and_is_refused_when_nothing_is_in_the_way() {
    let world = World::new().await;
    let number = world.pull("topic").await;
    let id = id(&world, number).await;
    let arm = "mutation($id: ID!) { enablePullRequestAutoMerge(input: { pullRequestId: $id }) { clientMutationId } }";
    let disarm = "mutation($id: ID!) { disablePullRequestAutoMerge(input: { pullRequestId: $id }) { clientMutationId } }";
    world.query(arm, json!({ "id": id })).await;
    world.query(disarm, json!({ "id": id })).await;
    world.check().await;
    assert_eq!(world.get(&format!("{PULLS}/{number}")).await["mergeable_state"], "clean");
    let refused = world.query_any(arm, json!({ "id": id })).await;
    assert_eq!(refused["errors"][0]["type"], "UNPROCESSABLE");
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("clean status"));
}

#[tokio::test]
async fn reviews_count_and_threads_are_resolved_by_their_id() {
    let world = World::with(|rules| rules.required_approvals = 1).await;
    let number = world.pull("topic").await;
    let own =
        world.ask("POST", &format!("{PULLS}/{number}/reviews"), Some(json!({ "event": "APPROVE" }))).await;
    assert_eq!(own.status, 422);
    let ann = [("authorization", "token of-ann")];
    let comments = json!([{ "path": "topic", "line": 1, "body": "why?" }]);
    let body = json!({ "event": "REQUEST_CHANGES", "body": "not yet", "comments": comments });
    let written = world.ask_with("POST", &format!("{PULLS}/{number}/reviews"), Some(body), &ann).await;
    assert_eq!(written.json()["state"], "CHANGES_REQUESTED");
    let query = "query($n: Int!) { repository(owner: \"me\", name: \"shop\") { pullRequest(number: $n) {
        reviewDecision
        reviewThreads(first: 10) { nodes { id isResolved comments(first: 1) { nodes { databaseId author { login } } } } } } } }";
    let pull = world.query(query, json!({ "n": number })).await["repository"]["pullRequest"].take();
    assert_eq!(pull["reviewDecision"], "CHANGES_REQUESTED");
    let thread = &pull["reviewThreads"]["nodes"][0];
    assert_eq!(
        (&thread["isResolved"], &thread["comments"]["nodes"][0]["author"]["login"]),
        (&json!(false), &json!("ann"))
    );
    let resolve = "mutation($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { isResolved resolvedBy { login } } } }";
    let resolved = world.query(resolve, json!({ "id": thread["id"] })).await;
    let expected = json!({ "isResolved": true, "resolvedBy": { "login": "me" } });
    assert_eq!(resolved["resolveReviewThread"]["thread"], expected);
    let first = world.get(&format!("{PULLS}/{number}/comments")).await[0]["id"].clone();
    let reply = format!("{PULLS}/{number}/comments/{first}/replies");
    assert_eq!(world.did("POST", &reply, json!({ "body": "because" })).await["in_reply_to_id"], first);
}

#[tokio::test]
async fn a_branch_that_is_behind_is_updated_at_the_head_that_was_looked_at() {
    let world = World::with(|rules| rules.freshness = Freshness::UpToDate).await;
    let number = world.pull("topic").await;
    let other = world.pull("other").await;
    world.check().await;
    world.did("PUT", &format!("{PULLS}/{other}/merge"), json!({})).await;
    assert_eq!(world.get(&format!("{PULLS}/{number}")).await["mergeable_state"], "behind");
    let update = format!("{PULLS}/{number}/update-branch");
    let wrong = json!({ "expected_head_sha": "0".repeat(40) });
    assert_eq!(world.ask("PUT", &update, Some(wrong)).await.status, 422);
    let right = json!({ "expected_head_sha": world.head("topic").unwrap().as_str() });
    assert_eq!(world.ask("PUT", &update, Some(right)).await.status, 202);
    world.check().await;
    assert_eq!(world.get(&format!("{PULLS}/{number}")).await["mergeable_state"], "clean");
}

#[tokio::test]
async fn a_change_is_shown_as_diff_files_commits_and_check_runs() {
    let world = World::new().await;
    let number = world.pull("topic").await;
    world.check().await;
    let accept = [("accept", "application/vnd.github.v3.diff; charset=utf-8")];
    let diff = world.ask_with("GET", &format!("{PULLS}/{number}"), None, &accept).await;
    assert!(String::from_utf8(diff.bytes).unwrap().starts_with("diff --git a/topic b/topic"));
    let files = world.get(&format!("{PULLS}/{number}/files")).await;
    assert_eq!(
        (&files[0]["filename"], &files[0]["status"], &files[0]["additions"]),
        (&json!("topic"), &json!("added"), &json!(1))
    );
    assert!(files[0]["patch"].as_str().unwrap().starts_with("@@ "));
    assert_eq!(world.get(&format!("{PULLS}/{number}/commits")).await[0]["commit"]["message"], "work");
    let runs = world.get("/repos/me/shop/commits/topic/check-runs").await;
    let run = &runs["check_runs"][0];
    assert_eq!(
        (&run["conclusion"], &run["app"]["id"], &run["app"]["slug"]),
        (&json!("success"), &json!(1), &json!("banksman"))
    );
    assert_eq!(world.get(&format!("/repos/me/shop/check-runs/{}", run["id"])).await["name"], "test");
}

#[tokio::test]
async fn drafts_are_made_ready_and_bases_are_changed() {
    let world = World::new().await;
    world.push("base", "base", "x\n");
    world.push("topic", "topic", "x\n");
    let wish = json!({ "title": "Add", "head": "topic", "base": "main", "draft": true });
    let number = world.did("POST", PULLS, wish).await["number"].as_u64().unwrap();
    let id = id(&world, number).await;
    let ready = "mutation($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }";
    let made = world.query(ready, json!({ "id": id })).await;
    assert_eq!(made["markPullRequestReadyForReview"]["pullRequest"]["isDraft"], false);
    let moved = world.did("PATCH", &format!("{PULLS}/{number}"), json!({ "base": "base" })).await;
    assert_eq!(moved["base"]["ref"], "base");
    assert_eq!(
        world.did("PATCH", &format!("{PULLS}/{number}"), json!({ "state": "closed" })).await["state"],
        "closed"
    );
}

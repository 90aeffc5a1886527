//! Who may ask, and what every answer carries.

use crate::world::{World, send};
use serde_json::json;

#[tokio::test]
async fn over_tcp_nothing_is_answered_without_a_token() {
    let world = World::new().await;
    let local = ("host", "127.0.0.1:7878");
    for path in
        ["/user", "/graphql", "/repos/me/shop", "/me/shop.git/info/refs?service=git-upload-pack", "/nowhere"]
    {
        let method = if path == "/graphql" { "POST" } else { "GET" };
        let answer = send(world.over_tcp(), method, path, None, &[local]).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
        assert_eq!(answer.json()["message"], "Bad credentials");
    }
}

#[tokio::test]
async fn a_token_says_who_asks() {
    let world = World::new().await;
    for (token, who) in [("of-ann", "ann"), ("of-banksman", "banksman")] {
        let token = format!("token {token}");
        let headers = [("host", "forge.example"), ("authorization", token.as_str())];
        let answer = send(world.over_tcp(), "GET", "/api/v3/user", None, &headers).await;
        assert_eq!(answer.json()["login"], who);
    }
    assert_eq!(world.get("/user").await["login"], "me");
}

#[tokio::test]
async fn answers_carry_limits_scopes_and_a_request_id() {
    let world = World::new().await;
    let first = world.ask("GET", "/repos/me/shop", None).await;
    assert_eq!(first.header("x-ratelimit-limit"), "5000");
    assert_eq!(first.header("x-ratelimit-remaining"), "4999");
    assert_eq!(first.header("x-ratelimit-resource"), "core");
    assert!(first.header("x-oauth-scopes").contains("repo"));
    assert!(!first.header("x-github-request-id").is_empty());
    let missing = world.ask("GET", "/repos/me/other", None).await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["message"], "Not Found");
    assert_eq!(missing.header("x-ratelimit-used"), "2");
}

#[tokio::test]
async fn an_unchanged_answer_is_sent_once_and_costs_nothing_after_that() {
    let world = World::new().await;
    world.issue("One").await;
    let path = "/repos/me/shop/issues";
    let first = world.ask("GET", path, None).await;
    let tag = first.header("etag").to_owned();
    let again = world.ask_with("GET", path, None, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
    assert_eq!(again.header("x-ratelimit-used"), first.header("x-ratelimit-used"));
    world.issue("Two").await;
    assert_eq!(world.ask_with("GET", path, None, &[("if-none-match", &tag)]).await.status, 200);
}

#[tokio::test]
async fn the_owner_and_local_are_two_names_of_one_repository() {
    let world = World::new().await;
    world.issue("One").await;
    for owner in ["me", "ME", "local"] {
        let repo = world.get(&format!("/repos/{owner}/shop")).await;
        assert_eq!(repo["full_name"], format!("{}/shop", owner.to_lowercase()));
        assert_eq!(world.get(&format!("/api/v3/repos/{owner}/shop/issues")).await[0]["number"], 1);
    }
    assert_eq!(world.ask("GET", "/repos/someone/shop", None).await.status, 404);
}

#[tokio::test]
async fn bad_bodies_are_told_apart() {
    let world = World::new().await;
    let path = "/repos/me/shop/issues";
    let wrong = world.ask("POST", path, Some(json!({ "title": "x", "labels": 7 }))).await;
    assert_eq!(wrong.status, 422);
    let blank = world.ask("POST", path, Some(json!({ "body": "x" }))).await;
    assert_eq!(
        blank.json()["errors"][0],
        json!({ "resource": "Issue", "field": "title", "code": "missing_field" })
    );
    assert_eq!(world.ask("PUT", path, None).await.status, 405);
}

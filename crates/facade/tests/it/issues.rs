//! Issues, comments and relations over REST.

use crate::world::World;
use serde_json::{Value, json};

const REPO: &str = "/repos/me/shop";

#[tokio::test]
async fn an_issue_is_opened_changed_closed_and_opened_again() {
    let world = World::new().await;
    let made = world
        .did(
            "POST",
            &format!("{REPO}/issues"),
            json!({ "title": "Mend it", "body": "now", "labels": ["bug"] }),
        )
        .await;
    assert_eq!((&made["number"], &made["state"]), (&json!(1), &json!("open")));
    assert_eq!(made["labels"][0]["name"], "bug");
    let one = format!("{REPO}/issues/1");
    let changed = world.did("PATCH", &one, json!({ "title": "Mend all", "labels": ["later"] })).await;
    assert_eq!((&changed["title"], &changed["body"]), (&json!("Mend all"), &json!("now")));
    assert_eq!(changed["labels"].as_array().unwrap().len(), 1);
    assert_eq!(world.did("PATCH", &one, json!({ "state": "closed" })).await["state_reason"], "completed");
    assert_eq!(world.get(&format!("{REPO}/issues")).await, json!([]));
    assert_eq!(world.get(&format!("{REPO}/issues?state=closed")).await[0]["number"], 1);
    assert_eq!(world.did("PATCH", &one, json!({ "state": "open" })).await["closed_at"], Value::Null);
}

#[tokio::test]
async fn lists_are_cut_into_pages_that_lead_to_each_other() {
    let world = World::new().await;
    for n in 0..5 {
        world.issue(&format!("Issue {n}")).await;
    }
    let answer = world.ask("GET", &format!("{REPO}/issues?per_page=2&page=2"), None).await;
    let numbers: Vec<_> =
        answer.json().as_array().unwrap().iter().map(|i| i["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2]);
    assert!(answer.header("link").contains("per_page=2&page=3>; rel=\"next\""));
}

#[tokio::test]
async fn comments_are_written_changed_and_taken_away_by_their_id() {
    let world = World::new().await;
    world.issue("One").await;
    let made = world.did("POST", &format!("{REPO}/issues/1/comments"), json!({ "body": "first" })).await;
    let id = made["id"].as_u64().unwrap();
    let one = format!("{REPO}/issues/comments/{id}");
    assert_eq!(world.did("PATCH", &one, json!({ "body": "second" })).await["body"], "second");
    assert_eq!(world.get(&format!("{REPO}/issues/1/comments")).await[0]["body"], "second");
    assert_eq!(world.ask("DELETE", &one, None).await.status, 204);
    assert_eq!(world.ask("GET", &one, None).await.status, 404);
    let next = world.did("POST", &format!("{REPO}/issues/1/comments"), json!({ "body": "third" })).await;
    assert_ne!(next["id"], made["id"], "an id is never given twice");
}

#[tokio::test]
async fn sub_issues_and_blockers_go_by_id() {
    let world = World::new().await;
    for title in ["Epic", "Child", "Blocker"] {
        world.issue(title).await;
    }
    let id = |n: u64| {
        let world = &world;
        async move { world.get(&format!("{REPO}/issues/{n}")).await["id"].as_u64().unwrap() }
    };
    let (child, blocker) = (id(2).await, id(3).await);
    world.did("POST", &format!("{REPO}/issues/1/sub_issues"), json!({ "sub_issue_id": child })).await;
    world
        .did("POST", &format!("{REPO}/issues/2/dependencies/blocked_by"), json!({ "issue_id": blocker }))
        .await;
    assert_eq!(world.get(&format!("{REPO}/issues/1/sub_issues")).await[0]["number"], 2);
    assert_eq!(world.get(&format!("{REPO}/issues/2/parent")).await["number"], 1);
    assert_eq!(world.get(&format!("{REPO}/issues/2/dependencies/blocked_by")).await[0]["number"], 3);
    assert_eq!(world.get(&format!("{REPO}/issues/3/dependencies/blocking")).await[0]["number"], 2);
    let circle = world
        .ask("POST", &format!("{REPO}/issues/3/dependencies/blocked_by"), Some(json!({ "issue_id": child })))
        .await;
    assert_eq!(circle.status, 422);
    let path = format!("{REPO}/issues/2/dependencies/blocked_by/{blocker}");
    assert_eq!(world.ask("DELETE", &path, None).await.status, 200);
    assert_eq!(world.get(&format!("{REPO}/issues/2/dependencies/blocked_by")).await, json!([]));
}

#[tokio::test]
async fn search_finds_by_qualifier_and_word() {
    let world = World::new().await;
    world.did("POST", &format!("{REPO}/issues"), json!({ "title": "Flaky test", "labels": ["bug"] })).await;
    world.issue("Other").await;
    world.pull("topic").await;
    for (query, count) in [
        ("repo:me/shop", 3),
        ("repo:me/shop+is:issue", 2),
        ("repo:me/shop+is:pr+is:open", 1),
        ("repo:me/shop+label:bug+flaky", 1),
        ("repo:me/shop+author:nobody", 0),
        ("repo:you/shop", 0),
    ] {
        let found = world.get(&format!("/search/issues?q={query}")).await;
        assert_eq!(found["total_count"], count, "{query}");
    }
}

//! Branches and references over REST.

use crate::world::World;
use serde_json::json;

const REFS: &str = "/repos/me/shop/git/refs";

#[tokio::test]
async fn a_branch_is_made_moved_and_deleted() {
    let world = World::new().await;
    let main = world.head("main").unwrap();
    let made = world.did("POST", REFS, json!({ "ref": "refs/heads/epic/1-a", "sha": main.as_str() })).await;
    assert_eq!(made["ref"], "refs/heads/epic/1-a");
    let there =
        world.ask("POST", REFS, Some(json!({ "ref": "refs/heads/epic/1-a", "sha": main.as_str() }))).await;
    assert_eq!((there.status.as_u16(), &there.json()["message"]), (422, &json!("Reference already exists")));
    for path in [format!("{REFS}/heads/epic/1-a"), "/repos/me/shop/git/ref/heads/epic/1-a".to_owned()] {
        assert_eq!(world.get(&path).await["object"]["sha"], main.as_str());
    }
    assert_eq!(world.get("/repos/me/shop/branches/epic%2F1-a").await["name"], "epic/1-a");
    let next = world.push("other", "x", "x\n");
    let one = format!("{REFS}/heads/epic/1-a");
    assert_eq!(
        world.did("PATCH", &one, json!({ "sha": next.as_str() })).await["object"]["sha"],
        next.as_str()
    );
    assert_eq!(world.ask("PATCH", &one, Some(json!({ "sha": main.as_str() }))).await.status, 422);
    world.did("PATCH", &one, json!({ "sha": main.as_str(), "force": true })).await;
    assert_eq!(world.ask("DELETE", &one, None).await.status, 204);
    assert_eq!(world.ask("GET", &one, None).await.status, 404);
}

#[tokio::test]
async fn the_default_branch_is_moved_by_merges_alone() {
    let world = World::new().await;
    let next = world.push("other", "x", "x\n");
    let main = format!("{REFS}/heads/main");
    assert_eq!(
        world.ask("PATCH", &main, Some(json!({ "sha": next.as_str(), "force": true }))).await.status,
        422
    );
    assert_eq!(world.ask("DELETE", &main, None).await.status, 422);
    let branch = world.get("/repos/me/shop/branches/main").await;
    assert_eq!(
        (&branch["protected"], &branch["commit"]["commit"]["message"]),
        (&json!(true), &json!("first"))
    );
}

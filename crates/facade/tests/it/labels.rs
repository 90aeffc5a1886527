//! Labels over REST, and what `gh label create --force` relies on.

use crate::world::World;
use serde_json::{Value, json};

const LABELS: &str = "/repos/me/shop/labels";

#[tokio::test]
async fn a_label_that_is_there_is_refused_the_way_gh_expects_it() {
    let world = World::new().await;
    let bug = json!({ "name": "bug", "color": "D73A4A", "description": "Something is wrong" });
    let made = world.did("POST", LABELS, bug).await;
    assert_eq!((&made["color"], &made["name"]), (&json!("d73a4a"), &json!("bug")));
    let again = world.ask("POST", LABELS, Some(json!({ "name": "BUG" }))).await;
    assert_eq!(again.status, 422);
    assert_eq!(
        again.json()["errors"][0],
        json!({ "resource": "Label", "field": "name", "code": "already_exists" })
    );
    let changed = world.did("PATCH", &format!("{LABELS}/bug"), json!({ "color": "ffffff" })).await;
    assert_eq!((&changed["color"], &changed["id"]), (&json!("ffffff"), &made["id"]));
}

#[tokio::test]
async fn labels_in_use_are_known_and_keep_their_id_through_a_new_name() {
    let world = World::new().await;
    world.issue("One").await;
    let path = "/repos/me/shop/issues/1/labels";
    world.did("POST", path, json!({ "labels": ["needs care"] })).await;
    let id = world.get(&format!("{LABELS}/needs%20care")).await["id"].clone();
    let renamed = world.did("PATCH", &format!("{LABELS}/needs%20care"), json!({ "new_name": "care" })).await;
    assert_eq!(renamed["id"], id);
    assert_eq!(world.get(path).await[0]["name"], "care");
    assert_eq!(world.ask("DELETE", &format!("{path}/CARE"), None).await.status, 200);
    assert_eq!(world.get(path).await, json!([]));
    assert_eq!(world.ask("DELETE", &format!("{path}/care"), None).await.status, 404);
    assert_eq!(world.ask("DELETE", &format!("{LABELS}/care"), None).await.status, 204);
    assert_eq!(world.get(LABELS).await, json!([]));
}

#[tokio::test]
async fn a_bad_colour_is_refused_by_its_field() {
    let world = World::new().await;
    let bad = world.ask("POST", LABELS, Some(json!({ "name": "x", "color": "red" }))).await;
    assert_eq!(bad.json()["errors"][0]["field"], "color");
    assert_eq!(bad.json()["status"], Value::from("422"));
}

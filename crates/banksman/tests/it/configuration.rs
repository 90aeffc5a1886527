//! Configuration, as a user meets it.

use crate::world::World;

#[test]
fn a_mistake_in_the_configuration_is_one_clear_message() {
    let world = World::new();
    world.configure("[policy]\nresponse_tme = \"1m\"\n");
    let done = world.run(&["config", "show"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(done.err, @"error: DIR/config.toml:2:1: unknown key `policy.response_tme`; did you mean `policy.response_time`?");
    assert!(!world.path("home").exists(), "nothing is made");
}

#[test]
fn every_value_is_shown_with_its_source() {
    let world = World::new();
    world.configure("attempts = 3\n[engines.mine]\nbase = \"shell\"\ncommand = \"true\"\n");
    let shown = world.ok(&["config", "show", "--origin"]);
    insta::assert_snapshot!(world.plain(&shown));
    let json = world.json(&["config", "show"]);
    let attempts = json["values"].as_array().unwrap().iter().find(|v| v["key"] == "attempts").unwrap();
    assert_eq!(attempts["value"], "3");
}

#[test]
fn doctor_says_what_this_host_can_do() {
    let world = World::new();
    let done = world.run(&["--json", "doctor"]);
    let shown: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(done.code == Some(0), shown["healthy"] == true);
    let parts: Vec<&str> =
        shown["findings"].as_array().unwrap().iter().map(|f| f["part"].as_str().unwrap()).collect();
    for part in ["git", "sandbox", "engine claude", "engine shell", "home"] {
        assert!(parts.contains(&part), "{part} is missing in {parts:?}");
    }
    assert!(!world.path("home").exists(), "doctor changes nothing");
}

#[test]
fn the_inventory_is_edited_by_commands() {
    let world = World::with_repository();
    world.ok(&["repos", "add", "repo", "--name", "shop", "--engine", "shell", "--check", "test=sh run.sh"]);
    world.ok(&["repos", "edit", "shop", "--reviewer", "claude", "--response-time", "10m"]);
    insta::assert_snapshot!(world.plain(&world.ok(&["repos", "show", "shop"])), @r#"
    [repos.shop]
    path = "DIR/repo"
    default_branch = "main"
    implementers = ["shell"]
    reviewers = ["claude"]
    checks = [["test", "sh run.sh"]]

    [repos.shop.policy]
    response_time = "10m"
    "#);
    let again = world.run(&["repos", "add", "repo"]);
    assert_eq!(again.code, Some(1));
    insta::assert_snapshot!(again.err, @"
    error: DIR/repo is in the inventory already, as shop
      `banksman repos edit shop` changes it.
    ");
    let unknown = world.run(&["repos", "show", "shpo"]);
    insta::assert_snapshot!(unknown.err, @"
    error: Banksman knows no repository shpo
      Did you mean shop?
    ");
    world.ok(&["repos", "remove", "shop"]);
    assert_eq!(world.json(&["repos"]), serde_json::json!([]));
}

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
    insta::assert_snapshot!(world.plain(&shown), @r#"
    key                       value                         from
    home                      DIR/home  $BANKSMAN_HOME
    sandbox                   auto                          built in
    daily_tasks               not set                       built in
    attempts                  3                             DIR/config.toml:1
    check_fix_rounds          2                             built in
    retry_pause               5s                            built in
    at_once                   4                             built in
    check_timeout             30m                           built in
    child_merge               squash                        built in
    epic_merge                merge                         built in
    policy.response_time      30m                           built in
    policy.review_requests    3                             built in
    policy.conflict_requests  2                             built in
    policy.red_checks         24h                           built in
    engines.mine.base         "shell"                       DIR/config.toml:3
    engines.mine.command      "true"                        DIR/config.toml:4

    /etc/banksman/config.toml (not there)
    DIR/config.toml
    "#);
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

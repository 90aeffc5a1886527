//! Conventions of the output: forms, colours, exit codes.

use crate::world::World;

const REPORT: &str = "# Audit: api\n\n## High\n\n### H-01: Tokens never expire\n\n**Location:** `src/auth.rs:12`\n\n\
**Fix:** Let them expire.\n\n## Low\n\n### L-01: README names the wrong port\n\n**Location:** `README.md:3`\n\n\
**Status:** Fixed\n";

#[test]
fn findings_are_shown_for_people_and_for_scripts() {
    let world = World::new();
    world.write("AUDIT.md", REPORT);
    insta::assert_snapshot!(world.ok(&["audit", "--file", "AUDIT.md", "--dry-run"]), @"
    severity  type      status  finding                      where
    high      security  open    Tokens never expire          src/auth.rs:12
    low       docs      fixed   README names the wrong port  README.md:3

    2 findings, 1 of them open

    Issues that would be made:
    new  security(src): Tokens never expire  audit, complexity:small, direct-dispatch, high, lang:rust, security, single-file
    ");
    let json = world.json(&["audit", "--file", "AUDIT.md", "--dry-run"]);
    let first = &json["findings"][0];
    assert_eq!(first["severity"], "high");
    assert_eq!(first["status"], "open");
    assert_eq!(first["locations"], serde_json::json!(["src/auth.rs:12"]));
    assert_eq!(json["findings"][1]["status"], "fixed");
    assert_eq!(json["issues"].as_array().unwrap().len(), 1);
    assert!(!world.path("home").exists(), "a dry run needs no home");
}

#[test]
fn bad_usage_exits_2_and_help_exits_0() {
    let world = World::new();
    assert_eq!(world.run(&["nothing-like-this"]).code, Some(2));
    assert_eq!(world.run(&["audit", "--fiel", "x"]).code, Some(2));
    assert_eq!(world.run(&["simulate", "--repos", "0"]).code, Some(2));
    assert_eq!(world.run(&["--help"]).code, Some(0));
    assert_eq!(world.run(&["--version"]).code, Some(0));
}

#[test]
fn a_pipe_gets_no_colours() {
    let world = World::with_repository();
    world.ok(&["repos", "add", "repo"]);
    let mut command = world.command(&["doctor"]);
    let shown = String::from_utf8(command.env("TERM", "xterm-256color").output().unwrap().stdout).unwrap();
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let world = World::new();
    let script = format!("'{}' reference | head -n 1", env!("CARGO_BIN_EXE_banksman"));
    assert_eq!(world.sh(&script), "# Command line\n");
}

#[test]
fn a_small_simulation_is_clean_and_replays() {
    let world = World::new();
    let first = world.run(&["--json", "simulate", "--seed", "7"]);
    let second = world.run(&["--json", "simulate", "--seed", "7"]);
    assert_eq!(first.out, second.out);
    let trace: serde_json::Value = serde_json::from_str(&first.out).unwrap();
    assert!(trace["lines"].as_array().unwrap().len() > 10);
}

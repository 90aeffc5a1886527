//! `budget plan`, `budget forecast` and `benchmark` on a repository with an open epic.

use crate::world::World;

const REPORT: &str = "# Audit\n\n## Critical\n\n### C-01: The lock is open\n\n**Location:** `a.txt:1`\n\n**Fix:** Close it.\n\n\
## Low\n\n### L-01: There is no licence\n\n**Location:** `LICENSE`\n\n**Fix:** Add one.\n\n\
### L-02: There is no guide\n\n**Location:** `GUIDE.md`\n\n**Fix:** Write one.\n";

/// An engine that writes one file per issue and commits it.
const WRITES: &str =
    "echo done > file-$BANKSMAN_SUBJECT && git add . && git commit -qm \"Do $BANKSMAN_SUBJECT\"";

/// A repository with an epic #4 of three children, two engines, and nothing dispatched.
fn world() -> World {
    let world = World::with_repository();
    world.write("AUDIT.md", REPORT);
    let engine = |name: &str| {
        format!("[engines.{name}]\nbase = \"shell\"\ncommand = '''{WRITES}'''\ntimeout = \"20s\"\n")
    };
    world.configure(&format!(
        "attempts = 1\nretry_pause = \"100ms\"\n[policy]\nresponse_time = \"1s\"\n{}{}",
        engine("mine"),
        engine("yours")
    ));
    world.ok(&[
        "repos",
        "add",
        "repo",
        "--engine",
        "mine",
        "--engine",
        "yours",
        "--check",
        "test=test -f a.txt",
    ]);
    world.ok(&["audit", "--file", "AUDIT.md"]);
    world.ok(&["epic", "create"]);
    world
}

#[test]
fn a_plan_explains_itself_and_is_put_in_force() {
    let world = world();
    let plan = world.json(&["budget", "plan", "--strategy", "2"]);
    assert_eq!(plan["total"], 2);
    assert_eq!(plan["applied"], false);
    let line = &plan["lines"][0];
    assert_eq!(line["repo"], "local/repo");
    assert_eq!(line["limit"]["why"], "fair_share");
    assert_eq!(line["limit"]["waiting"], 1);
    assert_eq!(line["issues"][0]["number"], 1, "the critical one is first: {line}");
    assert_eq!(line["issues"][0]["severity"], "critical");

    assert!(world.json(&["budget", "--quick"])["plan"].is_null());
    let shown = world.ok(&["budget", "plan", "--strategy", "2", "--apply", "--explain", "--no-color"]);
    assert!(shown.contains("1. #1: critical, waits for nothing, 0 days old"), "{shown}");
    assert!(shown.contains("in force for"), "{shown}");
    assert_eq!(world.json(&["budget", "--quick"])["plan"]["shares"]["local/repo"]["share"], 2);

    let done = world.run(&["budget", "plan", "--strategy", "much"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("`moderate` (80)"), "{}", done.err);
}

#[test]
fn a_forecast_without_history_states_its_priors_and_is_drawn() {
    let world = world();
    let ask = ["budget", "forecast", "5", "--trials", "300", "--seed", "9"];
    let shown = world.json(&ask);
    assert_eq!(shown["history"]["enough"], false);
    assert_eq!(shown["history"]["priors"]["again"][0], 0.216);
    assert_eq!((&shown["epics"][0]["epic"], &shown["epics"][0]["left"]), (&4.into(), &3.into()));
    assert!(shown["all"]["p50"].as_str() < shown["all"]["p95"].as_str(), "{shown}");
    assert_eq!(shown["burn_up"].as_array().unwrap().len(), 5);
    assert_eq!(shown["bottleneck"]["kind"], "repository", "nothing limits it: {shown}");

    let mut drawn = ask.to_vec();
    drawn.extend(["--plot", "burn.svg", "--no-color"]);
    let text = world.ok(&drawn);
    assert!(text.contains("too little to go by"), "{text}");
    assert!(std::fs::read_to_string(world.path("burn.svg")).unwrap().contains("<title>Burn-up"));
    let test = world.ok(&["budget", "forecast", "--calibration", "--no-color"]);
    assert!(test.starts_with("no epic ended yet"), "{test}");
    let done = world.run(&["budget", "forecast", "--plot", "burn.png"]);
    assert_eq!(done.code, Some(2), "{}", done.err);
}

#[test]
fn an_epic_is_dealt_out_and_compared() {
    let world = world();
    let done = world.run(&["benchmark", "4", "--implementers", "mine,nobody"]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("nobody does not work for repo"), "{}", done.err);
    assert_eq!(world.run(&["benchmark", "4", "--implementers", "mine"]).code, Some(2));
    assert_eq!(world.run(&["benchmark", "2", "--implementers", "mine,yours"]).code, Some(1));

    let dealt = world.json(&["benchmark", "4", "--implementers", "mine,yours"]);
    assert_eq!(dealt["children"].to_string(), r#"{"1":"mine","2":"yours","3":"mine"}"#);
    assert_eq!(
        world.json(&["benchmark", "4", "--implementers", "mine,yours"])["children"],
        dealt["children"]
    );
    assert_eq!(world.run(&["benchmark", "4", "--implementers", "yours,mine"]).code, Some(1), "sides stay");

    world.ok(&["epic", "run", "4"]);
    let report = world.json(&["benchmark", "report"]);
    let groups = report["groups"].as_array().unwrap();
    let told: Vec<_> =
        groups.iter().map(|g| (g["name"].as_str().unwrap(), g["children"].as_u64().unwrap())).collect();
    assert_eq!(told, [("mine", 2), ("yours", 1)]);
    let board = world.ok(&[
        "benchmark",
        "leaderboard",
        "--metric",
        "merge-rate",
        "--plot",
        "board.svg",
        "--no-color",
    ]);
    assert!(board.contains("no rank"), "{board}");
    assert!(std::fs::read_to_string(world.path("board.svg")).unwrap().contains("Implementers by merge-rate"));
    let done = world.run(&["benchmark", "leaderboard", "--metric", "beauty"]);
    assert_eq!(done.code, Some(2));
}

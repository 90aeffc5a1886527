//! `budget`: quotas, the ledger by hand and imported, the history, the cadence; and what happens when the files are wrong.

use crate::world::World;
use serde_json::json;

const TEAM: &str = "zone = \"Europe/Berlin\"\n\n[[member]]\nname = \"ann\"\n[[member.quota]]\nprovider = \"jules\"\ntasks = 300\n\n\
                    [[member]]\nname = \"bob\"\n[[member.quota]]\nprovider = \"jules\"\ntasks = 300\n";

#[test]
fn a_pool_is_shown_with_what_is_used_and_left() {
    let world = World::new();
    world.write("home/team.toml", TEAM);
    assert_eq!(
        world.ok(&["budget", "log", "shop", "29", "--implementer", "jules", "--member", "ann"]),
        "1 written\n"
    );
    world.ok(&["budget", "log", "acme/blog", "7", "--implementer", "jules", "--epic", "3", "--tasks", "2"]);
    let told = world.json(&["budget"]);
    let pool = &told["pools"][0];
    assert_eq!((&pool["quota"], &pool["used"], &pool["left"]), (&json!(600), &json!(3), &json!(597)));
    let members: Vec<_> =
        pool["members"].as_array().unwrap().iter().map(|m| (&m["member"], &m["used"])).collect();
    assert_eq!(members, [(&json!("ann"), &json!(1)), (&json!("bob"), &json!(0)), (&json!(null), &json!(2))]);
    assert_eq!(
        (&told["ready"], &told["daily_rate"], &told["shallow"]),
        (&json!(0), &json!(600), &json!(true))
    );
    let text = world.ok(&["budget"]);
    assert!(text.contains("warning: less than 2 days' worth is ready"), "{text}");
    assert!(world.ok(&["budget", "team", "bob"]).contains("300 tasks a day"));
    assert!(world.ok(&["status"]).contains("jules: 597 of 600 tasks left"));
    let days = world.json(&["budget", "history", "--days", "2"]);
    let dispatched: u64 = days.as_array().unwrap().iter().map(|d| d["dispatched"].as_u64().unwrap()).sum();
    assert_eq!((days.as_array().unwrap().len(), dispatched), (2, 3));
}

#[test]
fn an_older_ledger_is_imported_whole_once_or_not_at_all() {
    let world = World::new();
    let lines = "2026-02-05T10:00Z core-mcp #29 jules #EPIC\n2026-02-05T10:05Z core-mcp #30 jules #12\n";
    world.write("old.txt", lines);
    world.write("bad.txt", format!("{lines}2026-02-05T10:00Z core-mcp 31 jules\nwhat\n"));
    let done = world.run(&["budget", "log", "--import", "bad.txt"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(done.err, @"
    error: bad.txt:3: the third word is an issue such as `#29`
    bad.txt:4: a line has 4 or 5 words (time, repository, #issue, implementer, #epic), this one has 1
      nothing was imported: mend these lines and import the file again
    ");
    assert_eq!(world.json(&["budget", "log"]), json!([]));
    assert_eq!(world.ok(&["budget", "log", "--import", "old.txt", "--owner", "acme"]), "2 written\n");
    let again = world.ok(&["budget", "log", "--import", "old.txt", "--owner", "acme"]);
    assert_eq!(again, "0 written, 2 were there already\n");
    let ledger = world.json(&["budget", "log"]);
    let told: Vec<_> =
        ledger.as_array().unwrap().iter().map(|l| (&l["repo"], &l["issue"], &l["epic"])).collect();
    let repo = json!("acme/core-mcp");
    assert_eq!(told, [(&repo, &json!(29), &json!(null)), (&repo, &json!(30), &json!(12))]);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_nothing_is_written() {
    let world = World::new();
    world.write("home/team.toml", TEAM);
    let log = |more: &[&str]| {
        let mut args = vec!["budget", "log", "shop", "29", "--implementer", "jules"];
        args.extend(more);
        world.run(&args)
    };
    let unknown = log(&["--member", "eve"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("eve is no member of the team") && unknown.err.contains("ann, bob"),
        "{}",
        unknown.err
    );
    assert!(log(&["--at", "2999-01-01T00:00:00Z"]).err.contains("in the future"));
    assert_eq!(world.json(&["budget", "log"]), json!([]));

    // A quota below what is used: nothing is lost, nothing is left.
    log(&["--tasks", "9", "--member", "ann"]);
    world.write("home/team.toml", TEAM.replace("300", "4"));
    let pool = &world.json(&["budget", "--quick"])["pools"][0];
    assert_eq!((&pool["members"][0]["used"], &pool["members"][0]["left"]), (&json!(9), &json!(0)));

    world.write("home/team.toml", TEAM.replace("Europe/Berlin", "Mars/Olympus"));
    let broken = world.run(&["budget"]);
    assert_eq!(broken.code, Some(1));
    insta::assert_snapshot!(broken.err, @"
    error: DIR/home/team.toml:1: `zone`: no time zone has that name; write one such as `Europe/Berlin` or `UTC`
      nothing is dispatched until the team file can be read; nothing in the ledger is lost
    ");
}

#[test]
fn an_older_team_is_imported_and_never_overwrites_one() {
    let world = World::new();
    world.write("team.yaml", "members:\n  - name: ann\n    email: a@b\n    providers:\n      jules: 300\n");
    insta::assert_snapshot!(world.ok(&["budget", "import-team", "team.yaml"]), @"
    note: team.yaml:3: `email` is left out
    1 members and 1 quotas in DIR/home/team.toml
    ");
    assert_eq!(world.json(&["budget", "--quick"])["pools"][0]["quota"], 300);
    let again = world.run(&["budget", "import-team", "team.yaml"]);
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("there is a DIR/home/team.toml already"), "{}", again.err);
    world.ok(&["budget", "import-team", "team.yaml", "--replace"]);
    assert!(world.path("home/team.toml.old").exists());
}

#[test]
fn a_run_of_the_cadence_by_hand_writes_its_report() {
    let world = World::new();
    world.configure("[cadence]\nmorning = \"08:00\"\nzone = \"Asia/Tokyo\"\n");
    let runs = world.json(&["budget", "cadence"]);
    let told: Vec<_> = runs.as_array().unwrap().iter().map(|r| (&r["run"], &r["at"], &r["last"])).collect();
    assert_eq!(told[0], (&json!("morning"), &json!("08:00"), &json!(null)));
    assert_eq!(told[2], (&json!("evening"), &json!(null), &json!(null)));
    let report = world.json(&["budget", "cadence", "--now", "evening"]);
    assert_eq!((&report["run"], report["days"].as_array().unwrap().len()), (&json!("evening"), 7));
    let files = std::fs::read_dir(world.path("home/reports")).unwrap().count();
    assert_eq!(files, 2);
    let wrong =
        world.command(&["budget", "cadence"]).env("BANKSMAN_CADENCE_MORNING", "noon").output().unwrap();
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("a time of day such as `08:00`"));
}

//! A person's work on the embedded forge from the command line.

use crate::world::World;

fn world() -> World {
    let world = World::with_repository();
    world.ok(&["repos", "add", "repo", "--engine", "shell", "--check", "test=true"]);
    world
}

#[test]
fn issues_and_pull_requests_are_made_shown_and_ended() {
    let world = world();
    world.sh("cd repo; git switch -qc work; echo b > b; git add b; git commit -qm b; git switch -q main");
    world.ok(&[
        "forge",
        "issue",
        "create",
        "--title",
        "fix(api): a thing",
        "--body",
        "It is broken.",
        "--label",
        "security",
    ]);
    world.ok(&["forge", "issue", "create", "--title", "docs: another"]);
    world.ok(&["forge", "issue", "block", "2", "--by", "1"]);
    world.ok(&["forge", "issue", "comment", "1", "--body", "I see it, too."]);
    world.ok(&["forge", "pull", "create", "--head", "work", "--title", "Add b", "--closes", "1"]);
    insta::assert_snapshot!(world.ok(&["forge", "issue", "list"]), @"
    issue  state  title              labels    epic  blocked by
    #1     open   fix(api): a thing  security
    #2     open   docs: another                      #1
    ");
    insta::assert_snapshot!(world.ok(&["forge", "pull", "list"]), @"
    pull  state    title  from  into  checks   approvals  threads
    #3    blocked  Add b  work  main  pending  0 of 0
    ");
    world.ok(&["forge", "--as", "ann", "pull", "review", "3", "changes", "--thread", "b:1=Why?"]);
    let pull = world.json(&["forge", "pull", "view", "3"]);
    assert_eq!(pull["conversation"]["threads"][0]["comments"][0]["body"], "Why?");
    assert_eq!(pull["reviews"]["changes_requested"], 1);
    world.ok(&["forge", "pull", "close", "3"]);
    world.ok(&["forge", "issue", "close", "2"]);
    let export = world.json(&["forge", "export"]);
    assert_eq!(export["pulls"][0]["state"]["is"], "closed");
    assert_eq!(export["issues"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_refused_says_what_to_do() {
    let world = world();
    for (args, message) in [
        (&["forge", "issue", "view", "9"][..], "refused: it is not there"),
        (&["forge", "pull", "merge", "9"], "refused: it is not there"),
        (
            &["forge", "pull", "create", "--head", "main", "--title", "x"],
            "refused: there is nothing to merge",
        ),
        (&["forge", "--as", "x[bot]", "issue", "list"], "x[bot] is no name for a person here"),
        (&["forge", "--repo", "nowhere", "issue", "list"], "Banksman knows no repository nowhere"),
        (&["forge", "issue", "comment", "1"], "no text"),
    ] {
        let done = world.run(args);
        assert!(matches!(done.code, Some(1 | 2)), "{args:?}: {:?}", done.code);
        assert!(done.err.contains(message), "{args:?}: {}", done.err);
        assert!(done.err.lines().count() >= 2, "{args:?} does not say what to do: {}", done.err);
    }
}

#[test]
fn hostile_text_never_reaches_the_terminal_raw() {
    let world = world();
    let hostile = "a\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}b\u{200b}c\u{9b}31m";
    world.ok(&["forge", "issue", "create", "--title", hostile, "--body", hostile]);
    for args in [&["forge", "issue", "list"][..], &["forge", "issue", "view", "1"]] {
        let shown = world.ok(args);
        assert!(shown.chars().all(|c| !c.is_control() || c == '\n'), "{shown:?}");
        assert!(!shown.contains(['\u{202e}', '\u{200b}']), "{shown:?}");
    }
    assert_eq!(
        world.json(&["forge", "issue", "view", "1"])["title"],
        hostile,
        "scripts get it as it is, escaped"
    );
}

//! Bad input: a clear message, exit 1, nothing lost, nothing half-done.

use crate::world::World;

const REPORT: &str = "# Audit\n\n## High\n\n### H-01: The greeting is wrong\n\n**Location:** `a.txt:1`\n\n**Fix:** Correct it.\n";

/// Runs `onboard` on `repo` with the report and expects a refusal that changes nothing.
fn refused(world: &World, more: &[&str]) -> String {
    refused_with("mine", world, more)
}

/// The same with another engine.
fn refused_with(engine: &str, world: &World, more: &[&str]) -> String {
    let before = state(world);
    let mut args =
        vec!["onboard", "repo", "--audit", "AUDIT.md", "--engine", engine, "--check", "t=true", "--yes"];
    args.extend(more);
    let done = world.run(&args);
    assert_eq!(done.code, Some(1), "{}\n{}", done.out, done.err);
    assert_eq!(state(world), before, "the repository was changed");
    assert!(!world.path("home/store.db").exists() || issues(world) == 0, "something is half-done");
    done.err
}

fn state(world: &World) -> String {
    if world.path("repo/.git").exists() {
        world.sh("cd repo; git for-each-ref; git status --porcelain; git symbolic-ref -q HEAD || git rev-parse HEAD || true")
    } else {
        String::new()
    }
}

fn issues(world: &World) -> usize {
    let done = world.run(&["--json", "forge", "issue", "list", "--state", "all"]);
    serde_json::from_str::<serde_json::Value>(&done.out)
        .ok()
        .and_then(|v| v.as_array().map(Vec::len))
        .unwrap_or(0)
}

fn world() -> World {
    let world = World::with_repository();
    world.write("AUDIT.md", REPORT);
    world.configure("[engines.mine]\nbase = \"shell\"\ncommand = \"true\"\n");
    world
}

#[test]
fn a_folder_that_is_no_repository() {
    let world = world();
    world.sh("rm -rf repo; mkdir repo");
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: repo is no git repository, or git refuses to use it
      make one with `git init` and a first commit, or name another folder; `git -C FOLDER status` says more
    ");
    world.sh("rm -rf repo");
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: repo is no folder
      name the folder of a git repository
    ");
}

#[test]
fn an_empty_repository() {
    let world = world();
    world.sh("rm -rf repo; git init -q -b main repo");
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: the repository repo has no commit
      commit something first: agents need a branch to start from
    ");
}

#[test]
fn a_dirty_repository() {
    let world = world();
    world.sh("echo changed > repo/a.txt");
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: the work tree of repo has uncommitted changes (1 files)
      commit or stash them first: Banksman moves a checked-out branch only over a clean work tree
    ");
}

#[test]
fn a_detached_repository() {
    let world = world();
    world.sh("cd repo; git checkout -q --detach");
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: the repository repo has a detached head
      check out a branch first, for example `git switch main`
    ");
}

#[test]
fn a_default_branch_that_is_not_there() {
    let world = world();
    insta::assert_snapshot!(refused(&world, &["--default-branch", "trunk"]), @"
    error: the repository DIR/repo has no default branch that Banksman can use
      name an existing branch with --default-branch
    ");
}

#[test]
fn a_report_that_is_binary() {
    let world = world();
    world.write("AUDIT.md", [b'%', b'P', b'D', b'F', 0, 1, 2, 0xff, 0xfe]);
    insta::assert_snapshot!(refused(&world, &[]), @"error: AUDIT.md: byte 4 is not text (binary data); give a Markdown, SARIF or JSON report");
}

#[test]
fn a_report_that_is_too_large() {
    let world = world();
    world.write("AUDIT.md", "# Audit\n".repeat(20 * 1024 * 1024 / 8));
    insta::assert_snapshot!(refused(&world, &[]), @"error: AUDIT.md: the report has 20971520 bytes, more than the limit of 4194304; split it, or audit one part at a time");
}

#[test]
fn a_report_in_another_encoding_is_read() {
    let world = world();
    world.write(
        "AUDIT.md",
        b"# Pr\xfcfung\n\n## Hoch\n\n### H-01: Gr\xfc\xdfe fehlen\n\n**Location:** `a.txt:1`\n".as_slice(),
    );
    let shown = world.ok(&["audit", "--file", "AUDIT.md", "--dry-run"]);
    assert!(shown.contains("Grüße fehlen"), "{shown}");
}

#[test]
fn a_report_that_is_not_there() {
    let world = world();
    world.sh("rm AUDIT.md");
    insta::assert_snapshot!(refused(&world, &[]), @"error: cannot read AUDIT.md: No such file or directory (os error 2)");
}

#[test]
fn a_report_without_findings() {
    let world = world();
    world.write("AUDIT.md", "# Audit\n\nAll is well.\n");
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: no findings in the report
      `banksman audit --file FILE --dry-run` shows what is read; findings are headings, list items or table rows
    ");
}

#[test]
fn a_report_whose_findings_are_all_fixed() {
    let world = world();
    world.write("AUDIT.md", format!("{REPORT}\n**Status:** Fixed\n"));
    insta::assert_snapshot!(refused(&world, &[]), @"
    error: all 1 findings of the report are settled already: nothing to do
      `banksman audit --file FILE --dry-run` lists them with their status
    ");
}

#[test]
fn an_engine_that_is_missing() {
    let world = world();
    world.configure("[engines.mine]\nbase = \"shell\"\nprogram = \"no-such-program\"\ncommand = \"true\"\n");
    insta::assert_snapshot!(refused(&world, &[]), @r#"
    error: the engine mine is not installed: there is no program no-such-program
      install it, or set [engines.mine] program = "/path" in the configuration; `banksman doctor` lists every engine
    "#);
    insta::assert_snapshot!(refused_with("nobody", &world, &[]), @"
    error: there is no engine nobody
      known are acp, aider, claude, codex, devin, gemini, mine, opencode, shell; define another one under [engines.nobody]
    ");
}

#[test]
fn two_runs_at_once() {
    let world = world();
    world.ok(&["repos", "add", "repo", "--engine", "mine", "--check", "t=true"]);
    let lock = std::fs::File::create(world.path("home/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    std::io::Write::write_all(&mut &lock, b"4242\n").unwrap();
    let err = refused(&world, &[]);
    insta::assert_snapshot!(err, @"
    error: process 4242 is running Banksman's loops in DIR/home
      Wait for it or stop it (Ctrl-C or `kill`). Reading commands such as `banksman epic status` work beside it; --home DIR runs a world of its own.
    ");
    world.ok(&["forge", "issue", "list"]);
}

#[test]
fn a_home_that_cannot_be_made() {
    let world = world();
    world.write("home", "a file, not a folder");
    let done = world
        .run(&["onboard", "repo", "--audit", "AUDIT.md", "--engine", "mine", "--check", "t=true", "--yes"]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("DIR/home"), "{}", done.err);
}

#[test]
fn a_damaged_store_is_refused_and_kept() {
    let world = world();
    world.write("home/store.db", "this is no database, but somebody may want it back");
    let err = refused(&world, &[]);
    assert!(err.contains("DIR/home/store.db"), "{err}");
    assert!(std::fs::read_to_string(world.path("home/store.db")).unwrap().starts_with("this is no database"));
}

//! `onboard` with a scripted engine: from findings to merged commits, interrupted and run again, and with engines that misbehave.

use crate::world::World;

const REPORT: &str = "# Audit\n\n## High\n\n### H-01: The greeting is wrong\n\n**Location:** `a.txt:1`\n\n**Fix:** Correct it.\n\n\
## Medium\n\n### M-01: There is no licence\n\n**Location:** `LICENSE`\n\n**Fix:** Add one.\n\n\
### M-02: There is no guide\n\n**Location:** `GUIDE.md`\n\n**Fix:** Write one.\n";

/// An engine that writes one file per issue and commits it.
const WRITES: &str =
    "echo done > file-$BANKSMAN_SUBJECT && git add . && git commit -qm \"Do $BANKSMAN_SUBJECT\"";

fn world(command: &str) -> World {
    let world = World::with_repository();
    world.write("AUDIT.md", REPORT);
    world.write("engine.sh", command);
    let folder = world.path("").display().to_string();
    world.configure(&format!(
        "attempts = 1\nretry_pause = \"100ms\"\n[policy]\nresponse_time = \"1s\"\n[engines.mine]\nbase = \"shell\"\n\
         command = '''{command}'''\nread_only = [\"{folder}engine.sh\"]\ntimeout = \"20s\"\n"
    ));
    world
}

const ONBOARD: [&str; 10] = [
    "onboard",
    "repo",
    "--audit",
    "AUDIT.md",
    "--engine",
    "mine",
    "--check",
    "test=test -f a.txt",
    "--yes",
    "--no-color",
];

#[test]
fn findings_become_merged_commits_once() {
    let world = world(WRITES);
    world.ok(&ONBOARD);
    let files = world.sh("cd repo; git ls-tree --name-only main | sort | tr '\\n' ' '");
    assert!(files.contains("file-1 file-2 file-3"), "{files}");
    assert_eq!(
        world.sh("cd repo; git status --porcelain; git for-each-ref --format='%(refname)' refs/heads"),
        "refs/heads/main\n"
    );
    let head = world.sh("cd repo; git rev-parse main");
    world.ok(&ONBOARD);
    assert_eq!(world.sh("cd repo; git rev-parse main"), head, "a second run changes nothing");
    let export = world.json(&["forge", "export"]);
    assert_eq!(export["issues"].as_array().unwrap().len(), 4, "three findings and an epic");
    assert_eq!(export["pulls"].as_array().unwrap().len(), 4);
}

#[test]
fn a_small_audit_goes_to_the_engine_without_an_epic() {
    let world = world(WRITES);
    let (first, _) = REPORT.split_once("## Medium").unwrap();
    world.write("AUDIT.md", first);
    world.ok(&ONBOARD);
    let files = world.sh("cd repo; git ls-tree --name-only main | tr '\\n' ' '");
    assert!(files.contains("file-1"), "{files}");
    let export = world.json(&["forge", "export"]);
    assert_eq!(export["issues"].as_array().unwrap().len(), 1, "a finding and no epic");
    assert_eq!(export["pulls"].as_array().unwrap().len(), 1);
}

#[test]
fn a_dry_run_shows_the_plan_and_makes_nothing() {
    let world = world(WRITES);
    let mut args = ONBOARD.to_vec();
    args.push("--dry-run");
    insta::assert_snapshot!(world.ok(&args), @"
    severity  issue                         where
    high      fix: The greeting is wrong    a.txt:1
    medium    quality: There is no licence
    medium    quality: There is no guide    GUIDE.md  stale location

    3 findings, 0 settled already; 3 issues, 1 epics into main
      epic audit: phase 2: 3
    check test: test -f a.txt
    cost: 3 tasks for mine (reviews and fixes come on top)
    ");
    assert!(!world.path("home").exists());
}

#[test]
fn nobody_to_ask_is_no_yes() {
    let world = world(WRITES);
    let args: Vec<&str> = ONBOARD.into_iter().filter(|arg| *arg != "--yes").collect();
    let done = world.run(&args);
    assert_eq!(done.code, Some(2), "{}", done.err);
    assert!(done.err.contains("--yes"), "{}", done.err);
}

/// What the default branch and the forge look like after an engine did this: nothing merged, a person called.
fn ends_with_a_person(command: &str, reason: &str) {
    let world = world(command);
    let head = world.sh("cd repo; git rev-parse main");
    let done = world.run(&ONBOARD);
    assert_eq!(done.code, Some(1), "{}\n{}", done.out, done.err);
    assert!(done.out.contains("needs a person"), "{}", done.out);
    assert!(done.out.contains(reason), "{reason} is not in\n{}", done.out);
    assert_eq!(world.sh("cd repo; git rev-parse main"), head, "nothing is merged");
    assert_eq!(world.sh("cd repo; git status --porcelain"), "");
    world.sh("cd repo; git fsck --strict --no-progress");
    assert_eq!(world.processes(), Vec::<String>::new(), "nothing is left running");
}

#[test]
fn an_engine_that_commits_nothing() {
    ends_with_a_person("true", "the engine changed nothing");
}

#[test]
fn an_engine_that_fails() {
    ends_with_a_person("echo 'I cannot'; exit 3", "the engine ended with an error");
}

#[test]
fn an_engine_that_rewrites_history() {
    ends_with_a_person(
        "echo x > x && git add x && git commit -q --amend -m other",
        "the engine rewrote history",
    );
}

#[test]
fn an_engine_that_leaves_conflict_markers() {
    ends_with_a_person(
        "printf '<<<<<<< ours\\na\\n=======\\nb\\n>>>>>>> theirs\\n' > a.txt && git commit -qam x",
        "conflict markers were left",
    );
}

#[test]
fn an_engine_that_edits_hooks_and_configuration() {
    let hooks = "printf '#!/bin/sh\\ntouch /tmp/banksman-escaped\\n' > .git/hooks/post-commit; chmod +x .git/hooks/post-commit; \
                 git config core.fsmonitor 'touch /tmp/banksman-escaped'; ";
    let world = world(&format!("({hooks}) 2>/dev/null; {WRITES}"));
    world.run(&ONBOARD);
    assert!(!std::path::Path::new("/tmp/banksman-escaped").exists());
    world.sh("cd repo; test ! -e .git/hooks/post-commit; ! git config core.fsmonitor");
}

#[test]
fn an_engine_that_forks_away_leaves_nothing_behind() {
    let marker = "banksman-it-forked-away";
    let world = world(&format!("(setsid sh -c 'exec -a {marker} sleep 300' >/dev/null 2>&1 &) ; {WRITES}"));
    world.ok(&ONBOARD);
    let left: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .filter(|command| command.starts_with(marker))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

/// An engine that takes long enough to be interrupted.
const SLOW: &str =
    "sleep 2; echo done > file-$BANKSMAN_SUBJECT && git add . && git commit -qm \"Do $BANKSMAN_SUBJECT\"";

/// Starts onboarding and comes back once an engine works.
fn started(world: &World) -> std::process::Child {
    use std::io::{BufRead, BufReader};
    let mut command = world.command(&ONBOARD);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let seen = lines.map_while(Result::ok).any(|line| line.contains("starts to implement"));
    assert!(seen, "no engine was started");
    child
}

fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

/// What an undisturbed run ends with.
fn ends_as_undisturbed(world: &World) {
    world.ok(&ONBOARD);
    assert_eq!(world.sh("cd repo; git for-each-ref --format='%(refname)'"), "refs/heads/main\n");
    let subjects = world.sh("cd repo; git log --first-parent --format=%s main^2 --not main^1 | wc -l");
    assert_eq!(subjects.trim(), "3", "each child is merged once");
    let export = world.json(&["forge", "export"]);
    assert_eq!(export["issues"].as_array().unwrap().len(), 4);
    assert_eq!(export["pulls"].as_array().unwrap().len(), 4);
    let comments: Vec<usize> = export["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["comments"].as_array().unwrap().len())
        .collect();
    assert_eq!(comments, [2, 2, 2, 0], "parent and target branch are said once on each child");
    assert_eq!(world.processes(), Vec::<String>::new(), "nothing is left running");
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let world = world(SLOW);
    let mut child = started(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    ends_as_undisturbed(&world);
}

#[test]
fn an_interrupted_run_ends_its_engines_and_goes_on_later() {
    let world = world(SLOW);
    let mut child = started(&world);
    let second = world.run(&ONBOARD);
    assert_eq!(second.code, Some(1), "{}", second.out);
    assert!(second.err.contains(&format!("process {}", child.id())), "{}", second.err);
    world.ok(&["epic", "status"]);
    signal(&child, rustix::process::Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(world.processes(), Vec::<String>::new(), "its engines are gone");
    ends_as_undisturbed(&world);
}

#[test]
fn an_engine_that_hangs_is_ended() {
    let world = world("exec sleep 1000");
    let text = std::fs::read_to_string(world.path("config.toml")).unwrap();
    world.configure(&text.replace("timeout = \"20s\"", "timeout = \"1s\""));
    let done = world.run(&ONBOARD);
    assert_eq!(done.code, Some(1));
    assert!(done.out.contains("the engine ran into its time limit"), "{}", done.out);
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn people_see_how_an_epic_stands() {
    let world = world("true");
    world.run(&ONBOARD);
    insta::assert_snapshot!(world.ok(&["epic", "status"]), @"
    epic #4 on epic/4-audit
    phase  child  status                   pull  checks  reviews  threads  next action
    2      #1     skipped: needs a person
    2      #2     skipped: needs a person
    2      #3     skipped: needs a person
    next: call a person
    ");
    let issue = world.ok(&["forge", "issue", "view", "4"]);
    let untimed: Vec<&str> = issue.lines().filter(|line| !line.contains(" UTC")).collect();
    insta::assert_snapshot!(untimed.join("\n"), @"
    #4 epic(audit): 3 issues
    labels: agentic, complexity:large, needs-intervention

    ## Child issues
    ### Phase 2: Parallel (parallelisable)
    - [ ] #1 - fix: The greeting is wrong
    - [ ] #2 - quality: There is no licence
    - [ ] #3 - quality: There is no guide

    issue  state  title                         labels                                                                                                                epic  blocked by
    #1     open   fix: The greeting is wrong    agent:mine, audit, complexity:small, high, needs-intervention, quality, single-file                                   #4
    #2     open   quality: There is no licence  agent:mine, audit, complexity:medium, medium, needs-intervention, package, quality                                    #4
    #3     open   quality: There is no guide    agent:mine, audit, complexity:small, lang:markdown, medium, needs-intervention, quality, single-file, stale-location  #4

    This needs a person: no attempt gave a pull request. The epic goes on without it.
    ");
}

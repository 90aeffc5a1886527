//! The queue from the command line: Markdown jobs in, tested branches out.

use crate::world::World;
use std::process::{Child, Stdio};

/// A world with a repository whose engine `writer` is a script that does what the job's body says.
fn world() -> World {
    let world = World::with_repository();
    world.configure("sandbox = \"off\"\nretries = 0\n");
    world
}

fn shell(manifest: &str, body: &str) -> String {
    format!("---\nengine: shell\n{manifest}---\n{body}\n")
}

fn drain(world: &World) -> String {
    world.ok(&["worker", "--until-empty"])
}

#[test]
fn a_job_becomes_a_tested_branch() {
    let world = world();
    let body = "echo mended >> a.txt\ngit add -A\ngit commit -qm 'Mend it'";
    world.write("fix-login.md", shell("cwd: repo\nverify: grep -q mended a.txt\n", body));
    let added = world.json(&["add", "fix-login.md"]);
    assert_eq!((added[0]["job"].as_u64(), added[0]["added"].as_str()), (Some(1), Some("new")));
    assert!(world.path("home/queue/inbox/job-1-fix-login.md").exists());
    drain(&world);
    let status = world.json(&["status", "1"]);
    assert_eq!(status["stage"], "shipped", "{status:#}");
    let way: Vec<&str> =
        status["moves"].as_array().unwrap().iter().map(|m| m["to"].as_str().unwrap()).collect();
    assert_eq!(way, ["inbox", "building", "review", "testing", "shipped"]);
    assert_eq!(status["attempts"][0]["measured"]["added"], 1);
    assert_eq!(world.sh("git -C repo show job/1-fix-login:a.txt"), "hello\nmended\n");
    assert_eq!(world.sh("git -C repo show main:a.txt"), "hello\n");
    assert!(world.path("home/queue/shipped/job-1-fix-login.md").exists());
    assert!(!world.path("home/queue/inbox/job-1-fix-login.md").exists());
}

#[test]
fn a_dropped_file_is_a_job_and_a_bad_one_is_rejected_with_its_reason() {
    let world = world();
    world.write("home/queue/inbox/good.md", shell("worktree: false\n", "echo ran > done.txt"));
    world.write("home/queue/inbox/bad.md", shell("prioritty: high\ntimeout: soon\n", "true"));
    drain(&world);
    assert_eq!(std::fs::read_to_string(world.path("done.txt")).unwrap(), "ran\n");
    assert!(world.path("home/queue/shipped/job-1-good.md").exists());
    assert!(world.path("home/queue/inbox/rejected/bad.md").exists());
    let reason = std::fs::read_to_string(world.path("home/queue/inbox/rejected/bad.md.error")).unwrap();
    insta::assert_snapshot!(reason);
}

#[test]
fn every_error_of_every_file_is_told_and_nothing_is_added() {
    let world = world();
    world.write("one.md", shell("prioritty: high\n", "true"));
    world.write("two.md", shell("retries: many\nlock: [a]\n", "true"));
    world.write("good.md", shell("", "true"));
    let done = world.run(&["add", "one.md", "good.md", "two.md"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(done.err);
    assert_eq!(world.json(&["status"])["counts"]["inbox"], 0);
}

#[test]
fn an_idempotency_key_is_added_once() {
    let world = world();
    world.write("a.md", shell("idempotency-key: nightly-7\nworktree: false\n", "true"));
    assert_eq!(world.json(&["add", "a.md"])[0]["added"], "new");
    assert_eq!(world.json(&["add", "a.md"])[0]["added"], "exists");
    drain(&world);
    assert_eq!(world.json(&["add", "a.md"])[0]["job"], 1);
    assert_eq!(world.json(&["status", "nightly-7"])["stage"], "shipped");
}

#[test]
fn a_failed_verify_sends_the_job_back_with_what_it_found() {
    let world = world();
    // The second round sees the report of the first one.
    let body =
        "ls \"$BANKSMAN_TASK_DIR\" >> a.txt\necho round >> rounds.txt\ngit add -A\ngit commit -qm round";
    world.write("a.md", shell("cwd: repo\nverify: test $(grep -c round rounds.txt) -ge 2\n", body));
    world.ok(&["add", "a.md"]);
    drain(&world);
    let status = world.json(&["status", "1"]);
    let way: Vec<&str> =
        status["moves"].as_array().unwrap().iter().map(|m| m["to"].as_str().unwrap()).collect();
    assert_eq!(way, ["inbox", "building", "review", "testing", "building", "review", "testing", "shipped"]);
}

#[test]
fn what_depends_on_a_failed_job_fails_and_a_repeated_one_is_new() {
    let world = world();
    world.write("a.md", shell("idempotency-key: first\nworktree: false\n", "exit 3"));
    world.write("b.md", shell("depends-on: [first]\nworktree: false\n", "true"));
    world.ok(&["add", "a.md", "b.md"]);
    drain(&world);
    assert_eq!(world.json(&["status", "1"])["attempts"][0]["measured"]["exit_code"], 3);
    let second = world.json(&["status", "2"]);
    assert_eq!(
        (second["stage"].as_str(), second["state"]["reason"].as_str()),
        (Some("failed"), Some("dependency")),
        "{second:#}"
    );
    let retried = world.json(&["retry", "1"]);
    assert_eq!(retried[0]["as_job"], 3);
    assert_eq!(world.json(&["retry", "1"])[0]["result"], "repeated_before");
    assert_eq!(world.json(&["status", "first"])["retry_of"], 1);
    assert_eq!(world.run(&["retry", "3"]).code, Some(1));
}

#[test]
fn logs_show_what_an_attempt_printed_without_what_steers_a_terminal() {
    let world = world();
    world.write("a.md", shell("worktree: false\n", "printf 'one \\033[2Jtwo\\n'; echo three >&2"));
    world.ok(&["add", "a.md"]);
    drain(&world);
    let log = world.ok(&["logs", "1"]);
    assert!(log.contains("one \\u{1b}[2Jtwo\n") && log.contains("three\n"), "{log}");
    assert_eq!(world.ok(&["logs", "1", "--follow"]), log);
}

#[test]
fn a_log_over_half_its_cap_can_be_read_while_it_grows() {
    let world = world();
    world.configure("sandbox = \"off\"\noutput_cap = \"4KiB\"\n");
    world.sh("mkfifo begun go");
    world.write("a.md", shell("worktree: false\n", "seq 1 700\necho begun > begun\ncat go\nseq 701 900"));
    world.ok(&["add", "a.md"]);
    let mut worker = start(&world, &["worker", "--until-empty"]);
    told(&world, "begun");
    let so_far: String = (1..=700).map(|n| format!("{n}\n")).collect();
    assert_eq!(world.ok(&["logs", "1"]), so_far);
    let follower = world.command(&["logs", "1", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    std::fs::write(world.path("go"), "").unwrap();
    let followed = String::from_utf8(follower.wait_with_output().unwrap().stdout).unwrap();
    assert!(followed.ends_with("899\n900\n"), "{followed}");
    assert!(worker.wait().unwrap().success());
    let (log, mut left) = (world.path("home/logs"), Vec::new());
    left.extend(std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().file_name()));
    assert_eq!(left, ["attempt-1.log"]);
}

#[test]
fn an_attempt_that_printed_nothing_has_no_log_and_is_no_error() {
    let world = world();
    world.write("a.md", shell("worktree: false\n", "true"));
    world.ok(&["add", "a.md"]);
    drain(&world);
    assert!(!world.path("home/logs/attempt-1.log").exists());
    let done = world.run(&["logs", "1"]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), ""));
    assert_eq!(done.err, "attempt 1 printed nothing\n");
}

#[test]
fn what_is_no_job_in_the_inbox_is_told_and_left_alone() {
    let world = world();
    world.write("home/queue/inbox/notes.txt", "mine");
    world.sh("ln -s /etc/hostname home/queue/inbox/linked.md; mkfifo home/queue/inbox/pipe.md");
    let told = drain(&world);
    for line in [
        "linked.md in the inbox is left alone: it is a link or a special file; put a file in its place",
        "notes.txt in the inbox is left alone: its name does not end with .md",
        "pipe.md in the inbox is left alone: it is a link or a special file; put a file in its place",
    ] {
        assert_eq!(told.matches(line).count(), 1, "{told}");
    }
    assert_eq!(std::fs::read_to_string(world.path("home/queue/inbox/notes.txt")).unwrap(), "mine");
    assert_eq!(world.json(&["status"])["counts"]["inbox"], 0);
}

#[test]
fn a_queue_whose_store_is_gone_is_not_begun_anew() {
    let world = world();
    world.write("a.md", shell("worktree: false\n", "true"));
    world.ok(&["add", "a.md"]);
    world.sh("mkdir away; mv home/store.db* away/");
    for args in [&["add", "a.md"][..], &["status"], &["worker", "--until-empty"], &["logs", "1"]] {
        let done = world.run(args);
        assert_eq!(done.code, Some(1), "{args:?}");
        assert!(
            done.err.contains("store.db is missing or empty") && done.err.contains("hold files of jobs (1)"),
            "{}",
            done.err
        );
    }
    assert!(!world.path("home/store.db").exists(), "nothing was made");
    world.sh("mv away/store.db* home/");
    drain(&world);
    assert_eq!(world.json(&["status", "1"])["stage"], "shipped");
}

#[test]
fn insights_count_what_engines_did() {
    let world = world();
    world.write("a.md", shell("worktree: false\n", "true"));
    world.write("b.md", shell("worktree: false\n", "exit 1"));
    world.ok(&["add", "a.md", "b.md"]);
    drain(&world);
    let insights = world.json(&["insights", "--since", "1h"]);
    assert_eq!(insights["total"]["attempts"], 2, "{insights:#}");
    assert_eq!(insights["total"]["failed"], 1);
    assert_eq!(insights["groups"][0]["name"], "shell");
    assert!(world.ok(&["insights", "--by", "day"]).contains("all"));
}

/// A job that tells through two pipes that it has begun and that it was asked to end.
const TELLS: &str =
    "trap 'echo ended > ended; exit 0' TERM\necho begun > begun\nwhile :; do sleep 0.05; done";

/// Waits until somebody writes into a pipe; what was written.
fn told(world: &World, pipe: &str) -> String {
    std::fs::read_to_string(world.path(pipe)).unwrap()
}

#[test]
fn a_cancelled_job_is_asked_to_end_at_once() {
    let world = world();
    world.sh("mkfifo begun ended");
    world.write("a.md", shell("worktree: false\n", TELLS));
    world.ok(&["add", "a.md"]);
    let mut worker = start(&world, &["worker"]);
    told(&world, "begun");
    assert_eq!(world.json(&["status"])["running"][0]["job"], 1);
    assert_eq!(world.json(&["cancel", "1"])[0]["result"], "cancelled_while_running");
    told(&world, "ended");
    stop(&mut worker);
    assert_eq!(world.json(&["status", "1"])["stage"], "cancelled");
    assert_eq!(world.json(&["status"])["running"].as_array().map(Vec::len), Some(0));
    assert!(world.path("home/queue/cancelled/job-1-a.md").exists());
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn ctrl_c_drains() {
    let world = world();
    world.sh("mkfifo begun; touch ended");
    world.write("a.md", shell("worktree: false\n", TELLS));
    world.write("b.md", shell("worktree: false\ndepends-on: [1]\n", "true"));
    world.ok(&["add", "a.md"]);
    world.ok(&["add", "b.md"]);
    let mut worker = start(&world, &["worker"]);
    told(&world, "begun");
    stop(&mut worker);
    assert_eq!(told(&world, "ended"), "ended\n");
    let status = world.json(&["status", "1"]);
    assert_eq!(
        (status["stage"].as_str(), status["failures"].as_u64()),
        (Some("building"), Some(0)),
        "{status:#}"
    );
    assert_eq!(world.json(&["status", "2"])["stage"], "inbox");
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn the_board_shows_the_queue() {
    let world = world();
    world.write("a.md", shell("worktree: false\npriority: low\n", "true"));
    world.write("b.md", shell("worktree: false\nidempotency-key: b\n", "exit 1"));
    world.write("c.md", shell("worktree: false\nnot-before: 9h\n", "true"));
    world.ok(&["add", "a.md", "b.md"]);
    drain(&world);
    world.ok(&["add", "c.md"]);
    world.ok(&["cancel", "3"]);
    let shown = world.ok(&["status"]);
    insta::assert_snapshot!(timeless(&shown));
    assert!(world.ok(&["status", "1"]).starts_with("job 1 a  shipped\n"));
}

/// The words of a table, one space between them, with every amount of time written as `some time`.
fn timeless(table: &str) -> String {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        while let Some(at) = words.windows(3).position(|w| matches!(w[1], "s" | "ms") && w[2] == "ago") {
            words.splice(at..at + 2, ["some time"]);
        }
        words.join(" ")
    };
    table.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn start(world: &World, args: &[&str]) -> Child {
    world.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Ctrl-C for one process, which then has to end well.
fn stop(process: &mut Child) {
    let pid = rustix::process::Pid::from_child(process);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(process.wait().unwrap().success());
}

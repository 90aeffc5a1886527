//! The demo, end to end: what it says is what the repository shows.

use crate::world::World;

#[test]
fn the_demo_does_what_it_says() {
    let world = World::new();
    let out = world.ok(&["demo", "--dir", "demo"]);
    let graph = world.sh("cd demo/shop && git log --graph --oneline main");
    assert!(graph.contains("|\\"), "the epic is a merge:\n{graph}");
    let merges = world.sh("cd demo/shop && git rev-list --count main^1..main^2");
    let merged = out.lines().find(|line| line.trim_start().starts_with("merged")).unwrap_or_default();
    assert_eq!(merged.matches('#').count() / 2, merges.trim().parse::<usize>().unwrap(), "{out}\n{graph}");
    for word in ["needs a person", "journals", "repository"] {
        assert!(out.contains(word), "the summary lacks {word}:\n{out}");
    }
    world.sh("cd demo/shop && git fsck --strict --no-progress && test -z \"$(git status --porcelain)\"");
    let journals = world.sh("ls demo/home/training/journals/shop/*.jsonl");
    assert!(journals.lines().count() > 5, "{journals}");
    assert_eq!(world.processes(), Vec::<String>::new(), "nothing is left running");
}

#[test]
fn the_demo_tells_scripts_everything_as_json_lines() {
    let world = World::new();
    let out = world.ok(&["--json", "demo", "--dir", "demo"]);
    let mut events = 0;
    let documents = serde_json::Deserializer::from_str(&out).into_iter::<serde_json::Value>();
    for document in documents {
        let document = document.unwrap();
        events += usize::from(document.get("event").is_some());
    }
    assert!(events > 50, "{events} events");
}

#[test]
fn a_folder_that_is_taken_is_left_alone() {
    let world = World::new();
    world.write("demo/shop/precious.txt", "mine");
    let done = world.run(&["demo", "--dir", "demo"]);
    assert_eq!(done.code, Some(1));
    assert_eq!(std::fs::read_to_string(world.path("demo/shop/precious.txt")).unwrap(), "mine");
    assert!(!world.path("demo/home").exists());
}

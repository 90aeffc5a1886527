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
    training(&world, journals.lines().count());
    assert_eq!(world.processes(), Vec::<String>::new(), "nothing is left running");
}

/// What the demo recorded is valid, is counted, and can be given away.
fn training(world: &World, journals: usize) {
    let ours = |args: &[&str]| world.json(&[&["--home", "demo/home", "training"], args].concat());
    let checked = ours(&["validate"]);
    assert_eq!((&checked["lines"], &checked["problems"]), (&(2 * journals).into(), &serde_json::json!([])));
    let stats = ours(&["stats"]);
    assert_eq!(stats["journals"]["total"]["flows"], journals);
    assert!(
        stats["recorded"]["observations"].as_u64() > Some(0)
            && stats["recorded"]["actions"].as_u64() > Some(0)
    );
    // The demo's checks fail on some commit on purpose, and the journal names them.
    assert_eq!(stats["journals"]["failing_checks"][0]["name"], "tests");
    let index = world.sh("head -1 demo/home/training/index.jsonl");
    let pull = serde_json::from_str::<serde_json::Value>(&index).unwrap()["pull"].to_string();
    let shown = ours(&["show", &format!("shop#{pull}")]);
    assert!(
        shown["entries"].as_array().unwrap().len() > 2 && shown["journal"]["origin"]["category"].is_string()
    );
    let plain = world.ok(&["--home", "demo/home", "training", "show", &format!("shop#{pull}")]);
    assert!(plain.contains("opened") && plain.contains("merged"), "{plain}");
    let set = ours(&["export", "--format", "jsonl", "--out", "set", "--clean"]);
    assert_eq!(set["results"]["success"].as_u64() >= Some(1), set["flows"].as_u64() >= Some(1));
    world.sh("! grep -r shop set/*.jsonl");
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

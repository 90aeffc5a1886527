//! What the documents say has to be so: the reference is current, every command of the README exists with its options.

use crate::world::{World, root};

#[test]
fn the_reference_is_current() {
    let written = std::fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let current = World::new().ok(&["reference"]);
    assert!(
        written == current,
        "docs/cli.md is out of date: `cargo run -p banksman -- reference > docs/cli.md` writes it"
    );
}

/// Lines of a document that call the binary, without what stands before its arguments.
fn calls(document: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in document.lines() {
        let line = line.trim_start().trim_start_matches("$ ");
        let rest = ["banksman ", "cargo run --release -- "].iter().find_map(|start| line.strip_prefix(start));
        if let Some(rest) = rest {
            let rest = rest.split(" #").next().unwrap_or_default();
            found.push(rest.split_whitespace().map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn every_command_of_the_documents_exists_with_its_options() {
    let world = World::new();
    let reference = world.ok(&["reference"]);
    let mut seen = 0;
    for document in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for call in calls(&text) {
            seen += 1;
            let mut path: Vec<&str> = Vec::new();
            for word in call.iter().map(String::as_str).filter(|word| !word.starts_with('-')) {
                let longer = path.iter().chain([&word]).copied().collect::<Vec<_>>().join(" ");
                if !reference.contains(&format!("`banksman {longer}`")) {
                    break;
                }
                path.push(word);
            }
            assert!(!path.is_empty(), "{document} calls an unknown command: banksman {}", call.join(" "));
            let mut args = path.clone();
            args.push("--help");
            let help = world.ok(&args);
            for option in call.iter().filter(|word| word.starts_with("--")) {
                let name = option.split('=').next().unwrap();
                assert!(
                    help.contains(name),
                    "{document}: `banksman {}` has no option {name}",
                    path.join(" ")
                );
            }
        }
    }
    assert!(seen >= 5, "the documents show {seen} commands: has their form changed?");
}

#[test]
fn every_shell_gets_completions() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.ok(&["completions", shell]);
        assert!(script.contains("onboard"), "{shell}");
    }
}

/// The keys that a row of docs/json.md names for a command.
fn documented(command: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/json.md")).unwrap();
    let row = text.lines().find(|line| line.starts_with(&format!("| `{command}`"))).unwrap().to_owned();
    row.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[test]
fn documents_have_the_shapes_that_are_written_down() {
    let world = World::with_repository();
    world.write("AUDIT.md", "# Audit\n\n## High\n\n### H-01: Wrong\n\n**Location:** `a.txt:1`\n");
    world.ok(&["repos", "add", "repo", "--engine", "shell", "--check", "t=true"]);
    world.ok(&["forge", "issue", "create", "--title", "fix: it"]);
    world.sh("cd repo; git switch -qc work; echo b > b; git add b; git commit -qm b; git switch -q main");
    world.ok(&["forge", "pull", "create", "--head", "work", "--title", "Add b"]);
    for (row, args) in [
        ("audit", &["audit", "--file", "AUDIT.md", "--dry-run"][..]),
        ("forge issue list", &["forge", "issue", "list"]),
        ("forge pull list", &["forge", "pull", "list"]),
        ("forge export", &["forge", "export"]),
        ("simulate", &["simulate", "--seeds", "1"]),
        ("doctor", &["doctor"]),
        ("config show", &["config", "show"]),
    ] {
        let shown: serde_json::Value =
            serde_json::from_str(&world.run(&[&["--json"], args].concat()).out).unwrap();
        let first = shown.as_array().map_or(&shown, |list| &list[0]);
        let named = documented(row);
        for key in first.as_object().unwrap().keys() {
            assert!(named.contains(key), "docs/json.md does not name `{key}` of `{row}`");
        }
    }
}

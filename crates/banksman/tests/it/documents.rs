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

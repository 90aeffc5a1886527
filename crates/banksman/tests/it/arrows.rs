//! Who may use whom: the arrows of ARCHITECTURE.md, read from `cargo metadata`.

use crate::world::root;
use std::{collections::BTreeMap, process::Command};

/// Every crate with the crates of ours that it may use.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("core", &[]),
    ("orchestrator", &["core"]),
    ("store", &["core"]),
    ("forge", &["core"]),
    ("engine", &["core"]),
    ("tracker", &["core"]),
    ("learn", &["core"]),
    ("sink", &["core"]),
    ("facade", &["core", "forge"]),
    ("sim", &["core", "orchestrator", "forge"]),
    ("", &["core", "orchestrator", "store", "forge", "engine", "tracker", "facade", "sim", "learn", "sink"]),
];

fn metadata() -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// The short name of a crate of ours: `core` for `banksman-core`, empty for the binary.
fn short(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("banksman")?;
    Some(rest.strip_prefix('-').unwrap_or(rest))
}

#[test]
fn crates_use_each_other_only_as_the_architecture_says() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), ALLOWED.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let allowed = allowed[short(name).unwrap()];
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // Tests may use the store.
            if dependency["kind"] == "dev" && other == "banksman-store" {
                continue;
            }
            if let Some(other) = short(other) {
                assert!(
                    allowed.contains(&other) || dependency["kind"] == "dev" && short(name) == Some(other),
                    "{name} must not use banksman-{other}"
                );
            }
        }
    }
}

#[test]
fn what_is_known_uses_no_runtime_database_or_process() {
    let metadata = metadata();
    let core =
        metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == "banksman-core").unwrap();
    for dependency in core["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null()) {
        let name = dependency["name"].as_str().unwrap();
        for banned in ["tokio", "rusqlite", "rustix", "reqwest", "rand", "fastrand"] {
            assert_ne!(name, banned, "core must stay pure");
        }
    }
}

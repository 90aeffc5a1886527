//! Where the published material is.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A path inside an installed package of npm.
pub(crate) fn npm(path: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/conformance");
    let path = target.join("npm/node_modules").join(path);
    assert!(
        path.exists(),
        "{} is not there: run `measure/conformance.sh npm` (`./test` does it), which installs it",
        path.display()
    );
    path
}

/// The text of a file of this crate.
pub(crate) fn own(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder of this crate that end so, with their paths in it; ascending.
pub(crate) fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut open) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(end) {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The documents of the client, each with the parts whose fragments it spreads, as they are sent.
pub(crate) fn documents() -> Vec<(String, String)> {
    let all = files("src/github/documents", ".graphql");
    let (parts, mut documents): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(name, _)| name.starts_with("parts/"));
    for (_, text) in &mut documents {
        // A part may spread what another part has.
        for _ in 0..parts.len() {
            for (_, part) in &parts {
                let fragment =
                    part.split("\nfragment ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
                if text.contains(&format!("...{fragment}"))
                    && !text.contains(&format!("fragment {fragment} "))
                {
                    text.push_str(part);
                }
            }
        }
    }
    documents
}

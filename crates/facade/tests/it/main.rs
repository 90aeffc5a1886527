//! The facade in one process: requests in, answers out, over a real repository and the SQLite book.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod anything;
mod branches;
mod client;
#[path = "../clients/mod.rs"]
mod clients;
mod described;
mod documents;
mod graphql;
mod issues;
mod labels;
mod landing;
mod published;
mod pulls;
mod world;

use std::path::PathBuf;

/// A file of what `measure/conformance.sh` installs. Without it a test proves nothing and says so; with `CI` set that is a failure.
fn installed(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let at = std::env::var_os("BANKSMAN_CONFORMANCE");
    let path = at.map_or_else(|| root.join("target/conformance"), PathBuf::from).join(name);
    if path.exists() {
        return Some(path);
    }
    let what = format!("{} is missing: run measure/conformance.sh", path.display());
    assert!(std::env::var_os("CI").is_none(), "{what}");
    eprintln!("not proved: {what}");
    None
}

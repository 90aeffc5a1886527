//! A secret in a file that nobody else can read (S19).

use crate::output::Failure;
use anyhow::Context as _;
use std::{os::unix::fs::PermissionsExt as _, path::Path};

/// Reads it; refuses one that others can read.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let facts = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    if facts.permissions().mode() & 0o077 != 0 {
        return Err(Failure::new(
            format!("{shown} can be read by others"),
            format!("`chmod 600 {shown}` makes it yours alone"),
        ));
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))
}

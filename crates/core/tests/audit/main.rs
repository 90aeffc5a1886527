//! Stage 1 from the outside: reports in every shape, plans, patterns, hostile text.

#![expect(clippy::unwrap_used, reason = "a test without its input has failed")]

mod defusing;
mod planning;
mod robustness;
mod shapes;

use banksman_core::audit::{self, Report};

/// Reads one of the reports beside this file.
fn report(name: &str) -> Report {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit/reports").join(name);
    audit::parse(&std::fs::read(path).unwrap(), name).unwrap()
}

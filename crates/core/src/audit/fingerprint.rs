//! What makes a finding the same finding in the next run: its normalised title, its paths and the audit's name.
//!
//! Line numbers, marks of severity and status, case and punctuation do not count, so that a report that is edited
//! or code that moves a little keeps its issues.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Finding, Location};

/// Sixteen bytes of SHA-256, as 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The fingerprint of a list of parts; the parts cannot run into each other.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        Self(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives every finding its fingerprint; equal ones in one report are told apart by their order.
pub(crate) fn assign(findings: &mut [Finding], audit: &str) {
    let mut seen: HashMap<Fingerprint, usize> = HashMap::new();
    for finding in findings {
        let title = normalised(&finding.title);
        let id = finding.id.as_deref().unwrap_or_default();
        let paths = paths(&finding.locations);
        let first = Fingerprint::of([audit, id, &title, &paths]);
        let count = seen.entry(first.clone()).or_default();
        *count += 1;
        finding.fingerprint = match *count {
            1 => first,
            n => Fingerprint::of([audit, id, &title, &paths, &n.to_string()]),
        };
    }
}

fn normalised(title: &str) -> String {
    let lower = title.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn paths(locations: &[Location]) -> String {
    let mut paths: Vec<&str> = locations.iter().map(|location| location.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.join("\n")
}

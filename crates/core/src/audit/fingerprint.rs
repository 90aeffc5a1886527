//! What makes a finding the same finding in the next run: its normalised title, its paths and the audit's name.
//!
//! Line numbers, marks of severity and status, case and punctuation do not count, so that a report that is edited
//! or code that moves a little keeps its issues.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Finding, Location};
use crate::text::Fingerprint;

/// The fingerprint of a list of parts; the parts cannot run into each other. Sixteen bytes of SHA-256.
pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Fingerprint::from_bytes(bytes)
}

/// Gives every finding its fingerprint; equal ones in one report are told apart by their order.
pub(crate) fn assign(findings: &mut [Finding], audit: &str) {
    let mut seen: HashMap<Fingerprint, usize> = HashMap::new();
    for finding in findings {
        let title = normalised(&finding.title);
        let id = finding.id.as_deref().unwrap_or_default();
        let paths = paths(&finding.locations);
        let first = of([audit, id, &title, &paths]);
        let count = seen.entry(first.clone()).or_default();
        *count += 1;
        finding.fingerprint = match *count {
            1 => first,
            n => of([audit, id, &title, &paths, &n.to_string()]),
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

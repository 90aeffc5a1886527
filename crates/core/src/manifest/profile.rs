//! Profiles: named bundles of defaults from the configuration.

use super::{
    Errors, MAX_MANIFEST, Manifest, Preamble, Problem, Reason,
    key::{Key, unknown},
    parse::{Standing, manifest},
    read,
    yaml::{Entry, Node, Place, Value},
};

/// A bundle of defaults for jobs that name it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Keys for what a job leaves out. Never `cwd`, `profile`, `depends-on`, `idempotency-key` or `tracker-item`, which belong to one job.
    pub manifest: Manifest,
    /// What the engine is told in front of the job's own instructions.
    pub preamble: Option<Preamble>,
    /// Most jobs of this profile that run at a time, at least 1; `None`: no limit of its own.
    pub parallel: Option<u32>,
}

/// Keys that a profile has beside those of a manifest.
const MORE: [&str; 2] = ["preamble", "parallel"];

impl Profile {
    /// Reads a profile from a table of the configuration: the keys of a manifest with the same values as there, and `preamble` and
    /// `parallel`. Every error is reported at once; lines and columns are 0.
    pub fn from_value(table: &serde_json::Value) -> Result<Self, Errors> {
        let (mut problems, mut profile) = (Vec::new(), Self::default());
        let Value::Map(entries) = value(table) else {
            let message = "a profile is a table of keys".to_owned();
            let problem = Place::default().problem(Reason::NotKeys, message);
            return Errors::unless(vec![problem], profile);
        };
        profile.manifest = manifest(&entries, &mut problems, |entry, problems| match entry.key.as_str() {
            "preamble" => {
                profile.preamble = preamble(entry, problems);
                Standing::Taken
            }
            "parallel" => {
                profile.parallel = parallel(entry, problems);
                Standing::Taken
            }
            "cwd" | "profile" | "depends-on" | "idempotency-key" | "tracker-item" => {
                Standing::Refused("belongs to one job and cannot stand in a profile")
            }
            name if Key::find(name).is_none() && !name.starts_with("x-") => {
                problems.push(entry.at.problem(Reason::UnknownKey, unknown(name, &MORE)));
                Standing::Taken
            }
            _ => Standing::Allowed,
        });
        Errors::unless(problems, profile)
    }
}

fn preamble(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Preamble> {
    let fault = match read::text(&entry.node) {
        Ok(text) if text.len() > MAX_MANIFEST => "over 64 KiB",
        Ok(text) if text.contains('\0') => "a text holds a NUL character",
        Ok(text) => return Some(Preamble::new(text.to_owned())),
        Err(fault) => fault,
    };
    problems.push(entry.at.problem(Reason::BadValue, format!("`preamble`: {fault}")));
    None
}

fn parallel(entry: &Entry, problems: &mut Vec<Problem>) -> Option<u32> {
    let number = match &entry.node.value {
        Value::Plain(text) => text.parse().ok().filter(|n| (1..=10_000).contains(n)),
        _ => None,
    };
    if number.is_none() {
        let message = "`parallel`: a number from 1 to 10000 is needed".to_owned();
        problems.push(entry.at.problem(Reason::OutOfBounds, message));
    }
    number
}

/// A value of the configuration as if it had been written in a manifest.
fn value(from: &serde_json::Value) -> Value {
    let node = |from| Node { at: Place::default(), value: value(from) };
    match from {
        serde_json::Value::String(text) => Value::Quoted(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(node).collect()),
        serde_json::Value::Object(map) => {
            let entry = |(key, value): (&String, _)| Entry {
                at: Place::default(),
                key: key.clone(),
                node: node(value),
            };
            // The order of the map depends on a feature that other crates of a build may turn on.
            let mut entries: Vec<Entry> = map.iter().map(entry).collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            Value::Map(entries)
        }
        plain => Value::Plain(plain.to_string()),
    }
}

//! A job file to a manifest and a body, or to everything that is wrong with it.

use super::{
    Errors, MAX_MANIFEST, Manifest, Problem, Reason,
    error::shown,
    key::{Key, unknown},
    print::front,
    read,
    split::split,
    yaml::{Entry, Node, Value, entries, is_nothing},
};
use crate::job::Body;
use std::collections::BTreeMap;

/// Reads a job file: front matter between lines `---`, then the instructions, verbatim. A file without front matter is a job with an
/// empty manifest. Every error is reported at once (Q2).
pub fn parse(text: &str) -> Result<(Manifest, Body), Errors> {
    let mut problems = Vec::new();
    let parts = split(text, &mut problems);
    let entries = entries(parts.front, 2, &mut problems);
    let manifest = manifest(&entries, &mut problems, |_, _| Standing::Allowed);
    // Written out it may be longer, and has to be readable again (Q4).
    if parts.front.len() > MAX_MANIFEST / 8 && problems.is_empty() && front(&manifest).len() > MAX_MANIFEST {
        let message = format!("the front matter has over {} KiB when it is written out", MAX_MANIFEST / 1024);
        problems.push(Problem { line: 1, column: 1, reason: Reason::ManifestTooLarge, message });
    }
    Errors::unless(problems, (manifest, Body::new(parts.body.to_owned())))
}

/// As [`parse`], for the bytes of a file.
pub fn parse_bytes(bytes: &[u8]) -> Result<(Manifest, Body), Errors> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let column = String::from_utf8_lossy(last).chars().count() + 1;
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let message = "not UTF-8; save the file as UTF-8".to_owned();
            let problem =
                Problem { line: number(line), column: number(column), reason: Reason::NotText, message };
            return Errors::unless(vec![problem], ()).and_then(|()| parse(""));
        }
    };
    parse(text)
}

/// Whether a key may stand where it stands.
pub(super) enum Standing {
    /// It is read as the manifest's.
    Allowed,
    /// It was dealt with by the caller.
    Taken,
    /// It may not; the words say why.
    Refused(&'static str),
}

/// The manifest that the entries make. `standing` is asked for each key first.
pub(super) fn manifest(
    entries: &[Entry],
    problems: &mut Vec<Problem>,
    mut standing: impl FnMut(&Entry, &mut Vec<Problem>) -> Standing,
) -> Manifest {
    let mut manifest = Manifest::default();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in entries {
        let name = entry.key.as_str();
        let mut refuse = |reason, message| problems.push(entry.at.problem(reason, message));
        if let Some(first) = seen.get(name) {
            refuse(Reason::DuplicateKey, format!("`{}` is there twice (first on line {first})", shown(name)));
            continue;
        }
        seen.insert(name, entry.at.line);
        let other = match name {
            "engine" => seen.get("engine-class"),
            "engine-class" => seen.get("engine"),
            _ => None,
        };
        if other.is_some() {
            refuse(Reason::Misplaced, "`engine` and `engine-class` exclude each other".to_owned());
            continue;
        }
        match standing(entry, problems) {
            Standing::Allowed => {}
            Standing::Taken => continue,
            Standing::Refused(why) => {
                problems.push(entry.at.problem(Reason::Misplaced, format!("`{}` {why}", shown(name))));
                continue;
            }
        }
        if let Some(key) = Key::find(name) {
            read::set(&mut manifest, key, &entry.node, problems);
        } else if name.starts_with("x-") {
            own(&mut manifest, entry, problems);
        } else {
            problems.push(entry.at.problem(Reason::UnknownKey, unknown(name, &[])));
        }
    }
    manifest
}

/// Keeps a key of the owner's own (Q1).
fn own(manifest: &mut Manifest, entry: &Entry, problems: &mut Vec<Problem>) {
    sound_key(entry, problems);
    let value = free(&entry.node, problems);
    manifest.extra.insert(entry.key.clone(), value);
}

/// Keys of the owner's own are short, so that they can be written on one line.
fn sound_key(entry: &Entry, problems: &mut Vec<Problem>) {
    if entry.key.len() > 100 || entry.key.chars().any(char::is_control) {
        let message =
            format!("the key `{}` is over 100 bytes or holds control characters", shown(&entry.key));
        problems.push(entry.at.problem(Reason::BadValue, message));
    }
}

/// A value of any shape.
fn free(node: &Node, problems: &mut Vec<Problem>) -> serde_json::Value {
    match &node.value {
        Value::Plain(text) => scalar(text),
        Value::Quoted(text) => {
            no_nul(text, node, problems);
            serde_json::Value::String(text.clone())
        }
        Value::List(nodes) => nodes.iter().map(|node| free(node, problems)).collect(),
        Value::Map(entries) => {
            let mut map = serde_json::Map::new();
            for entry in entries {
                sound_key(entry, problems);
                let value = free(&entry.node, problems);
                if map.insert(entry.key.clone(), value).is_some() {
                    let message = format!("`{}` is there twice", shown(&entry.key));
                    problems.push(entry.at.problem(Reason::DuplicateKey, message));
                }
            }
            serde_json::Value::Object(map)
        }
        Value::Refused => serde_json::Value::Null,
    }
}

/// What databases cannot keep.
fn no_nul(text: &str, node: &Node, problems: &mut Vec<Problem>) {
    if text.contains('\0') {
        problems.push(node.at.problem(Reason::NotText, "a text holds a NUL character".to_owned()));
    }
}

/// What a text without quotes means.
fn scalar(text: &str) -> serde_json::Value {
    if is_nothing(text) {
        return serde_json::Value::Null;
    }
    if let Some(truth) = read::as_bool(text) {
        return truth.into();
    }
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = text.parse::<u64>() {
        return number.into();
    }
    match read::as_float(text) {
        Some(number) => number.into(),
        None => text.into(),
    }
}

//! What REST answers look like: GitHub's documents, with all fields that its OpenAPI description requires.

pub(crate) mod checks;
pub(crate) mod commits;
pub(crate) mod issues;
pub(crate) mod people;
pub(crate) mod pulls;
pub(crate) mod repos;

use banksman_core::tainted::Tainted;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Text of the forge on its way to whoever asked for it.
pub(crate) fn plain(text: &Tainted) -> String {
    text.structure(str::to_owned)
}

/// A time as GitHub writes it: to the second.
pub(crate) fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// One document with the fields of several.
pub(crate) fn joined(parts: impl IntoIterator<Item = Value>) -> Value {
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Value::Object(all)
}

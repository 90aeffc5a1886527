//! A small YAML file of another kind than a job's, as a tree with lines: the same reader with the same limits and refusals.

use super::{
    Problem,
    yaml::{self, Entry, Node, Value, is_nothing},
};

/// A value and the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// From 1.
    pub line: usize,
    /// The value.
    pub value: DocumentValue,
}

/// A value as written; what a text means is up to whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentValue {
    /// No value.
    Nothing,
    /// Any scalar.
    Text(String),
    /// Items.
    List(Vec<Document>),
    /// Keys and values, in the order of the file.
    Map(Vec<(String, Document)>),
}

/// The keys of a file whose top level is a map. Problems come as line and message.
pub fn read_document(text: &str, problems: &mut Vec<(usize, String)>) -> Vec<(String, Document)> {
    let mut found: Vec<Problem> = Vec::new();
    let entries = yaml::entries(text, 1, &mut found);
    problems.extend(found.into_iter().map(|p| (p.line as usize, p.message.replace("front matter", "file"))));
    entries.into_iter().map(keyed).collect()
}

fn keyed(entry: Entry) -> (String, Document) {
    (entry.key, document(entry.node))
}

fn document(node: Node) -> Document {
    let value = match node.value {
        Value::Plain(text) if is_nothing(&text) => DocumentValue::Nothing,
        Value::Plain(text) | Value::Quoted(text) => DocumentValue::Text(text),
        Value::List(items) => DocumentValue::List(items.into_iter().map(document).collect()),
        Value::Map(entries) => DocumentValue::Map(entries.into_iter().map(keyed).collect()),
        // A problem was told for it.
        Value::Refused => DocumentValue::Nothing,
    };
    Document { line: node.at.line as usize, value }
}

//! `structural.allow`: which fields of which types may be asked for, and what each one is.

use std::{collections::BTreeMap, fmt};

/// What a field is; GitHub's schema has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Identifies something: a number, a node, a commit.
    Id,
    /// A word of a closed list.
    State,
    /// Yes or no.
    Flag,
    /// A number of things.
    Count,
    /// A moment of the server's clock.
    Time,
    /// The way to further fields.
    Link,
    /// The mark of a page.
    Cursor,
    /// A name that becomes a validated newtype.
    Name,
    /// Text of strangers; only the documents in the row may ask for it.
    Text,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    /// Documents that alone may select it; empty: all.
    pub(crate) only: Vec<String>,
}

/// The list, by type and field.
pub(crate) struct Allowed(pub(crate) BTreeMap<(String, String), Row>);

/// Why the list cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    line: usize,
    why: &'static str,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "structural.allow:{}: {}", self.line, self.why)
    }
}

impl Allowed {
    /// Reads the list: `Type.field kind [document ...]`, `#` before a remark.
    pub(crate) fn read(text: &str) -> Result<Self, BadRow> {
        let mut rows = BTreeMap::new();
        for (line, row) in text.lines().enumerate().map(|(index, row)| (index + 1, row)) {
            let bad = |why| BadRow { line, why };
            let mut words = row.split('#').next().unwrap_or_default().split_whitespace();
            let Some(what) = words.next() else { continue };
            let (ty, field) = what.split_once('.').ok_or(bad("a row begins with Type.field"))?;
            let kind = match words.next() {
                Some("id") => Kind::Id,
                Some("state") => Kind::State,
                Some("flag") => Kind::Flag,
                Some("count") => Kind::Count,
                Some("time") => Kind::Time,
                Some("link") => Kind::Link,
                Some("cursor") => Kind::Cursor,
                Some("name") => Kind::Name,
                Some("text") => Kind::Text,
                _ => return Err(bad("the kind is one of id state flag count time link cursor name text")),
            };
            let only: Vec<String> = words.map(str::to_owned).collect();
            if kind == Kind::Text && only.is_empty() {
                return Err(bad("text needs the names of the documents that may ask for it"));
            }
            if rows.insert((ty.to_owned(), field.to_owned()), Row { line, kind, only }).is_some() {
                return Err(bad("the field has a row already"));
            }
        }
        Ok(Self(rows))
    }
}

#[test]
fn a_row_that_says_too_little_is_refused() {
    let why = |text| Allowed::read(text).err().map(|bad| bad.why);
    assert_eq!(why("Issue.number id # its number\n\n# remark\nIssue.body text checklist\n"), None);
    assert_eq!(why("Issue.body text"), Some("text needs the names of the documents that may ask for it"));
    assert_eq!(why("Issue number id"), Some("a row begins with Type.field"));
    assert_eq!(why("Issue.number id\nIssue.number id"), Some("the field has a row already"));
    assert!(why("Issue.number whatever").is_some());
}

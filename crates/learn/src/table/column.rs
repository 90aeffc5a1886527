//! One column: its type, what may stand in it, and one value of it.

use serde::Serialize;

/// Type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Yes or no.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A number of 64 bits with a fraction; always finite.
    Float,
    /// A point in time in nanoseconds, UTC.
    Time,
    /// Short ASCII.
    Word,
}

/// What may stand in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Whatever its type allows.
    Any,
    /// One of these words.
    OneOf(#[serde(skip)] &'static [&'static str]),
    /// An id: of a repository, a pull request or an account, as recorded or hashed.
    Id,
    /// The name of a policy: `[A-Za-z0-9._-]`, at most 40 characters.
    Policy,
    /// A count, a probability or a duration: 0 or more.
    NotNegative,
}

/// Whether a value may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Null {
    /// Each row has one.
    Never,
    /// A row may have none.
    Possible,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Type of its values.
    pub kind: ColumnKind,
    /// Whether values may be missing.
    pub null: Null,
    /// What may stand in it.
    pub content: Content,
    /// What it says.
    pub about: &'static str,
}

impl Column {
    /// A column.
    pub(super) fn new(
        name: impl Into<String>,
        kind: ColumnKind,
        null: Null,
        content: Content,
        about: &'static str,
    ) -> Self {
        Self { name: name.into(), kind, null, content, about }
    }
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'r> {
    /// None.
    Null,
    /// Of a column of that kind.
    Bool(bool),
    /// Of a column of that kind.
    Int(i64),
    /// Of a column of that kind.
    Float(f64),
    /// Of a column of that kind, in nanoseconds since 1970.
    Time(i64),
    /// Of a column of that kind.
    Word(&'r str),
}

impl From<u32> for Cell<'_> {
    fn from(count: u32) -> Self {
        Self::Int(i64::from(count))
    }
}

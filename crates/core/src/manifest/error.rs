//! What is wrong with a job file: all of it at once, with line and column (Q2). Messages quote keys, cleaned and bounded, never values.

use serde::Serialize;
use std::fmt;

/// One error in a job file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line in the file, from 1; 0 for what did not come from a file.
    pub line: u32,
    /// Column in characters, from 1; 0 for what did not come from a file.
    pub column: u32,
    /// What is wrong, as one of a closed list.
    pub reason: Reason,
    /// What is wrong and what to do, for people.
    pub message: String,
}

/// What can be wrong with a job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is not UTF-8, or holds a character that cannot be stored.
    NotText,
    /// The front matter has no closing `---`.
    NotClosed,
    /// The front matter is over its limit (Q3).
    ManifestTooLarge,
    /// The body is over its limit (Q3).
    BodyTooLarge,
    /// It is no YAML.
    Syntax,
    /// The front matter is not made of keys and values.
    NotKeys,
    /// It uses an anchor or an alias (Q3).
    Anchor,
    /// It uses a tag.
    Tag,
    /// It is nested too deep (Q3).
    TooDeep,
    /// The key does not exist (Q1).
    UnknownKey,
    /// The key is there twice.
    DuplicateKey,
    /// The key cannot stand here, or not beside another one.
    Misplaced,
    /// The value is of the wrong type.
    WrongType,
    /// The value does not have the shape that its key requires.
    BadValue,
    /// The value is out of bounds.
    OutOfBounds,
}

/// Everything that is wrong with a job file, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Errors(Vec<Problem>);

impl Errors {
    /// `value` when there is no problem.
    pub(super) fn unless<T>(mut problems: Vec<Problem>, value: T) -> Result<T, Self> {
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(Self(problems))
    }

    /// The problems, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// The owner's own word as it may be repeated to him: printable ASCII, at most 40 characters.
pub(super) fn shown(text: &str) -> String {
    bounded(text, 40)
}

/// Printable ASCII, at most so many characters.
pub(super) fn bounded(text: &str, most: usize) -> String {
    let mut shown: String =
        text.chars().take(most).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    if text.chars().nth(most).is_some() {
        shown.push_str("...");
    }
    shown
}

/// The one of `known` that is nearest to `word`, and whether it is near enough to be what was meant.
pub(super) fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, Nearness)> {
    let word: String = word.to_ascii_lowercase().replace(['_', ' '], "-").chars().take(40).collect();
    let (distance, best) = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word, &known.to_ascii_lowercase()), known))
        .min_by_key(|(distance, _)| *distance)?;
    let nearness = if distance * 2 <= word.chars().count().max(2) { Nearness::Meant } else { Nearness::Far };
    Some((best, nearness))
}

/// How near a known word is to one that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nearness {
    /// It may be a slip of the pen.
    Meant,
    /// It is only the nearest.
    Far,
}

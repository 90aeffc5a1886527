//! What is wrong in a configuration: where, and what was probably meant.

use std::path::Path;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub(crate) struct ConfigError {
    /// `file:line:column`, or the name of a variable or flag.
    pub(crate) place: String,
    /// What is wrong with it, and the nearest word that would be right.
    pub(crate) what: String,
}

impl ConfigError {
    /// A mistake at a byte of a file.
    pub(crate) fn at(path: &Path, text: &str, byte: usize, what: impl Into<String>) -> Self {
        let (line, column) = position(text, byte);
        Self { place: format!("{}:{line}:{column}", path.display()), what: what.into() }
    }
}

/// Line and column of a byte, both from 1; the column counts characters.
pub(crate) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The word nearest to a mistyped one, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|k| (strsim::jaro_winkler(word, k), k));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// The complaint about an unknown word, with the nearest known one.
pub(crate) fn unknown<'a>(
    kind: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("unknown {kind} `{word}`; did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = known.into_iter().collect();
            format!("unknown {kind} `{word}`; known are {}", known.join(", "))
        }
    }
}

/// A mistake that the TOML reader found, in our form. `fallback`: the byte it is at where the error does not say.
pub(crate) fn toml_error(path: &Path, text: &str, error: &toml::de::Error, fallback: usize) -> ConfigError {
    let message = error.message();
    // `unknown field `x`, expected one of `a`, `b``: the words between back-ticks.
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let what = match words.split_first() {
        Some((word, known)) if message.starts_with("unknown field") => {
            unknown("key", word, known.iter().copied())
        }
        _ => message.to_owned(),
    };
    ConfigError::at(path, text, error.span().map_or(fallback, |span| span.start), what)
}

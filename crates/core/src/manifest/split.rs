//! Where the front matter of a job file ends and its body begins.

use super::{MAX_BODY, MAX_MANIFEST, Problem, Reason, key::Key};

/// The two parts of a job file. Lines of the front matter start at the second line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) front: &'a str,
    pub(super) body: &'a str,
}

/// Takes a job file apart and checks its sizes (Q3). A file that does not open with a line `---` is all body. A front matter that is
/// over its limit comes back empty, so that nobody reads it.
pub(super) fn split<'a>(text: &'a str, problems: &mut Vec<Problem>) -> Parts<'a> {
    let mut parts = Parts { front: "", body: text };
    let mut body_line = 1;
    if let Some(inside) = opened(text) {
        let Some((front, body)) = closed(inside) else {
            let message = "the front matter has no closing line `---`".to_owned();
            problems.push(Problem { line: 1, column: 1, reason: Reason::NotClosed, message });
            return Parts { front: "", body: "" };
        };
        parts = Parts { front, body };
        body_line = 3 + u32::try_from(front.matches('\n').count()).unwrap_or(u32::MAX - 3);
    } else if let Some(line) = late(text) {
        let message = format!(
            "the front matter begins in line {line}; it has to begin in the first one, at its left edge"
        );
        problems.push(Problem { line, column: 1, reason: Reason::NotClosed, message });
    }
    if parts.front.len() > MAX_MANIFEST {
        let message = format!("the front matter has over {} KiB", MAX_MANIFEST / 1024);
        problems.push(Problem { line: 1, column: 1, reason: Reason::ManifestTooLarge, message });
        parts.front = "";
    }
    if parts.body.len() > MAX_BODY {
        let message = format!("the instructions have over {} MiB", MAX_BODY / 1024 / 1024);
        problems.push(Problem { line: body_line, column: 1, reason: Reason::BodyTooLarge, message });
    } else if let Some(at) = parts.body.find('\0') {
        let before = &parts.body[..at];
        let line = body_line + u32::try_from(before.matches('\n').count()).unwrap_or(0);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let message = "the instructions hold a NUL character".to_owned();
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        problems.push(Problem { line, column, reason: Reason::NotText, message });
    }
    parts
}

/// What follows the opening line, if there is one.
pub(super) fn opened(text: &str) -> Option<&str> {
    // Some editors write a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    is_fence(line).then_some(rest)
}

/// The line in which a front matter begins that stands behind blank lines or is indented: read as instructions it would hand an agent
/// a job without the lock, the limits and the engine that its owner wrote down.
fn late(text: &str) -> Option<u32> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (at, _) = text.lines().enumerate().find(|(_, line)| !line.trim().is_empty())?;
    let mut rest = text.lines().skip(at);
    if rest.next()?.trim() != "---" {
        return None;
    }
    let keys: Vec<&str> = rest.by_ref().take_while(|line| line.trim() != "---").collect();
    let known =
        |line: &&str| line.trim().split_once(':').is_some_and(|(key, _)| Key::find(key.trim()).is_some());
    // A horizontal line in Markdown has no keys behind it.
    keys.iter().any(known).then(|| u32::try_from(at + 1).unwrap_or(u32::MAX))
}

/// The front matter, and what follows the closing line.
fn closed(inside: &str) -> Option<(&str, &str)> {
    let mut start = 0;
    for line in inside.split_inclusive('\n') {
        let end = start + line.len();
        if is_fence(line) {
            return Some((&inside[..start], &inside[end..]));
        }
        start = end;
    }
    None
}

fn is_fence(line: &str) -> bool {
    line.trim_end_matches([' ', '\t', '\r', '\n']) == "---"
}

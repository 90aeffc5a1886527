//! Keeps hostile text from costing more than its length: bounds nesting, indentation and the length of a line.
//!
//! A Markdown parser looks at every open container on every line, so a text that opens a million of them and goes on
//! with a million blank lines would cost the product. No report nests forty deep or writes lines of 32 KiB.

use std::borrow::Cow;

/// Deepest nesting of quotes and lists, widest indentation and longest line that are kept.
const MAX_MARKERS: usize = 40;
const MAX_INDENT: usize = 80;
const MAX_LINE: usize = 32 * 1024;

/// The text with lines cut where they pass a bound. Lines stay lines, so their numbers stay true.
pub(crate) fn tame(text: &str) -> Cow<'_, str> {
    if text.lines().all(is_tame) {
        return Cow::Borrowed(text);
    }
    let mut tamed = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if is_tame(line) {
            tamed.push_str(line);
            continue;
        }
        let (markers, content) = line.split_at(content_at(line));
        // Too deep: the content stays, at no depth at all.
        if markers.len() <= MAX_INDENT && count_markers(markers) <= MAX_MARKERS {
            tamed.push_str(markers);
        }
        let mut end = content.len().min(MAX_LINE);
        while !content.is_char_boundary(end) {
            end -= 1;
        }
        tamed.push_str(content[..end].trim_end_matches('\n'));
        tamed.push('\n');
    }
    Cow::Owned(tamed)
}

fn is_tame(line: &str) -> bool {
    if line.len() <= MAX_MARKERS {
        return true;
    }
    let at = content_at(line);
    line.len() - at <= MAX_LINE && at <= MAX_INDENT && count_markers(&line[..at]) <= MAX_MARKERS
}

/// Where the content of a line begins, after indentation and markers of quotes and lists.
fn content_at(line: &str) -> usize {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'>' => at += 1,
            b'-' | b'+' | b'*'
                if bytes.get(at + 1).is_some_and(|next| matches!(next, b' ' | b'\t' | b'\n')) =>
            {
                at += 1
            }
            b'0'..=b'9' => {
                let digits = bytes[at..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
                let ends = bytes.get(at + digits).is_some_and(|byte| matches!(byte, b'.' | b')'));
                let parted =
                    bytes.get(at + digits + 1).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
                if !(ends && parted) {
                    return at;
                }
                at += digits + 1;
            }
            _ => return at,
        }
    }
    at
}

fn count_markers(markers: &str) -> usize {
    markers.bytes().filter(|byte| matches!(byte, b'>' | b'-' | b'+' | b'*' | b'.' | b')')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        assert!(matches!(tame("# a\n\n> - [ ] b\n\n    code\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn deep_and_long_lines_keep_their_number() {
        let text = format!("{}x\n{}\nend\n", "> ".repeat(1000), "y".repeat(MAX_LINE * 2));
        let tamed = tame(&text);
        assert_eq!(tamed.lines().count(), 3);
        assert!(tamed.len() < MAX_LINE + 100);
        assert_eq!(tamed.lines().last(), Some("end"));
    }
}

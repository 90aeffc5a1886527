//! Makes a stranger's text harmless where a forge renders it: quoted, on lines of our choosing, and without effect.
//!
//! A forge acts on text: `@name` notifies, `#12`, `GH-12`, `owner/repo#1` and links to issues refer, `fixes #12` closes,
//! `- [ ]` is a box, HTML is HTML, and some characters are not what they look like. Here each loses its effect and
//! keeps its meaning for a reader: `@` and `#` become their full-width forms, links get a bracketed colon, Markdown
//! and HTML are escaped, invisible characters go.

/// Text on one line that nothing in Markdown or on a forge reacts to.
pub(crate) fn line(text: &str, most: usize) -> String {
    let visible = visible(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = match visible.char_indices().nth(most) {
        None => visible,
        Some((at, _)) => format!("{}…", visible[..at].trim_end()),
    };
    escape(&inert(&cut))
}

/// Text of a title: like [`line`], but a forge shows titles as they are, so nothing is escaped.
pub(crate) fn title(text: &str) -> String {
    inert(&visible(text).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text of several lines, each of them quoted.
pub(crate) fn quote(text: &str, most: usize) -> String {
    let visible = visible(text);
    let cut = visible.char_indices().nth(most).map_or(visible.len(), |(at, _)| at);
    let mut quoted = String::with_capacity(cut + cut / 8);
    for line in visible[..cut].trim_end().lines() {
        let content = line.trim_start_matches([' ', '\t']);
        // Indentation is kept with spaces that make no code block of it.
        let indent =
            line[..line.len() - content.len()].chars().map(|c| if c == '\t' { 4 } else { 1 }).sum::<usize>();
        quoted.push_str("> ");
        quoted.push_str(&"\u{a0}".repeat(indent.min(40)));
        quoted.push_str(&escape(&inert(content.trim_end())));
        quoted.push('\n');
    }
    if cut < visible.len() {
        quoted.push_str("> …\n");
    }
    quoted
}

/// A path for a code span: characters that could end it or refer are replaced.
pub(crate) fn path(path: &str) -> String {
    inert(&visible(path))
        .chars()
        .map(|c| if matches!(c, '`' | '<' | '>' | '|' | '\n') { '_' } else { c })
        .collect()
}

/// The text without control characters, escape sequences, direction marks and invisible characters.
fn visible(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\n' | '\t' => plain.push(c),
            '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' | '\u{c}' => plain.push('\n'),
            c if c.is_control() || is_invisible(c) => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Skips what follows an escape character: `[31m`, `]0;title` up to its end.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            while chars.next_if(|c| matches!(c, '0'..='?' | ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '@'..='~'));
        }
        Some(']') => while chars.next_if(|&c| c != '\u{7}' && c != '\u{1b}' && c != '\n').is_some() {},
        _ => {}
    }
}

fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0xe0000..=0xe0fff | 0x1d173..=0x1d17a)
}

/// The text without mentions, references and links.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let written = match c {
            '@' => '＠',
            '#' if next.is_ascii_digit() => '＃',
            // `GH-12`, in any case.
            '-' if next.is_ascii_digit() && matches!(before, 'h' | 'H') => '‑',
            c => c,
        };
        if c == ':' && next == '/' {
            inert.push_str("[:]");
        } else {
            inert.push(written);
        }
        before = c;
    }
    // `www.` makes a link without a colon.
    replace_ignoring_case(&inert, "www.", "www[.]")
}

fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    if !text.to_ascii_lowercase().contains(from) {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    for (found, _) in lower.match_indices(from) {
        replaced.push_str(&text[at..found]);
        replaced.push_str(to);
        at = found + from.len();
    }
    replaced.push_str(&text[at..]);
    replaced
}

/// The text with everything escaped that Markdown or HTML would act on.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    for (at, c) in text.char_indices() {
        let first = at == 0;
        let inside_word = at > 0
            && bytes[at - 1].is_ascii_alphanumeric()
            && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '_' if inside_word => escaped.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', c]),
            // Only at the beginning of a line do these begin a list, a heading or a rule.
            '#' | '-' | '+' | '=' | ':' if first => escaped.extend(['\\', c]),
            '.' | ')' if digits > 0 && at == digits => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_references_and_links_lose_their_effect() {
        assert_eq!(line("ask @bob, fixes #12 and o/r#3, GH-4", 99), "ask ＠bob, fixes ＃12 and o/r＃3, GH‑4");
        assert_eq!(title("see https://example.org/o/r/issues/1"), "see https[:]//example.org/o/r/issues/1");
    }

    #[test]
    fn a_quote_holds_whatever_is_in_it() {
        assert_eq!(
            quote("- [ ] #5\n```\n</details>\n\n    code", 999),
            "> \\- \\[ \\] ＃5\n> \\`\\`\\`\n> &lt;/details&gt;\n> \n> \u{a0}\u{a0}\u{a0}\u{a0}code\n"
        );
    }

    #[test]
    fn invisible_characters_and_terminal_sequences_go() {
        assert_eq!(title("a\u{202e}b\u{200b}c \u{1b}[31mred\u{1b}[0m\u{7}"), "abc red");
    }
}

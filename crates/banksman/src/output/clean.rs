//! Neutralises foreign text before it reaches a terminal (S20): escape sequences, control characters, characters that reorder text
//! or cannot be seen. They are shown as what they are, so that nothing hides.

/// One line of foreign text: what could steer a terminal or hide is written out, line breaks become spaces.
pub(crate) fn clean(text: &str) -> String {
    neutralise(text, ' ')
}

/// Foreign text of several lines.
pub(crate) fn clean_lines(text: &str) -> String {
    neutralise(&text.replace("\r\n", "\n"), '\n')
}

fn neutralise(text: &str, line_break: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(line_break),
            '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that reorder text, join it unseen, or cannot be seen.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        let hostile = "a\u{1b}[31mred\u{1b}]8;;http://x\u{7}l\u{9b}2J\u{202e}txt\u{200b}\r\nnext\u{e0041}";
        let shown = clean(hostile);
        assert_eq!(
            shown,
            "a\\u{1b}[31mred\\u{1b}]8;;http://x\\u{7}l\\u{9b}2J\\u{202e}txt\\u{200b}\\u{d} next\\u{e0041}"
        );
        assert!(shown.chars().all(|c| !c.is_control()));
    }

    #[test]
    fn ordinary_text_of_any_language_stays() {
        for text in ["fix(api): überprüfe 数値", "emoji \u{2764}\u{fe0f}", "a  b"] {
            assert_eq!(clean(text), text);
        }
        assert_eq!(clean_lines("a\r\nb\n"), "a\nb\n");
    }
}

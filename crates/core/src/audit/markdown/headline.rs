//! Takes the title of a finding apart: number, id, severity, category and status around the words themselves.

use super::inline::Inline;
use super::prefix::{bracketed, id, is_id, named, number, ordinal_in_chinese, rated};
use crate::audit::{FindingStatus, Severity, severity, status};

/// A title in its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headline {
    /// What is left when the rest is taken off; one line.
    pub(crate) title: String,
    pub(crate) id: Option<String>,
    /// Begins with a number (`3.`, `2)`, `1.4`).
    pub(crate) numbered: bool,
    /// Begins with a word for findings and a number (`Issue 3:`).
    pub(crate) named: bool,
    pub(crate) severity: Option<Severity>,
    /// The severity is of words, not of a coloured mark.
    pub(crate) rated: bool,
    pub(crate) category: Option<String>,
    pub(crate) status: Option<FindingStatus>,
    /// A tick stands before the words.
    pub(crate) ticked: bool,
}

impl Headline {
    /// Whether the title by itself shows that this is a finding.
    pub(crate) fn is_marked(&self) -> bool {
        let words = self.title.chars().filter(|c| c.is_alphanumeric()).count();
        words >= 3 && (self.id.is_some() || self.named || self.rated)
    }
}

/// Takes a title apart.
pub(crate) fn read(text: &Inline) -> Headline {
    let mut head = Headline::default();
    let mut colour = None;
    let line = crate::audit::assess::one_line(&text.text, 400);
    let rest = prefixes(&line, &mut head, &mut colour);
    let rest = suffixes(rest, &mut head, &mut colour);
    head.rated = head.severity.is_some();
    head.severity = head.severity.or(colour);
    if text.is_struck() && head.status.is_none() {
        head.status = Some(FindingStatus::Fixed);
    }
    if head.ticked && head.status.is_none() && (head.id.is_some() || head.severity.is_some() || head.named) {
        head.status = Some(FindingStatus::Fixed);
    }
    head.title = crate::audit::assess::one_line(rest, 240);
    head
}

fn prefixes<'a>(line: &'a str, head: &mut Headline, colour: &mut Option<Severity>) -> &'a str {
    let mut rest = line.trim();
    for _ in 0..8 {
        let before = rest.len();
        rest = rest.trim_start();
        rest = rest.strip_prefix("**").unwrap_or(rest);
        let Some(first) = rest.chars().next() else { break };
        if is_ornament(first) {
            head.ticked |= status::is_tick(first);
            *colour = colour.or(severity::of_colour(first));
            rest = &rest[first.len_utf8()..];
        } else if let Some((inside, after)) = bracketed(rest) {
            if !take_bracket(inside, after, head) {
                break;
            }
            rest = after;
        } else if let Some(after) = number(rest) {
            head.numbered = true;
            rest = after;
        } else if let Some(after) = ordinal_in_chinese(rest).or_else(|| named(rest)) {
            head.named |= named(rest).is_some();
            rest = after;
        } else if let Some((id, after)) = id(rest).filter(|_| head.id.is_none()) {
            head.id = Some(id.to_owned());
            rest = after;
        } else if let Some((severity, after)) = rated(rest).filter(|_| head.severity.is_none()) {
            head.severity = Some(severity);
            rest = after;
        }
        rest = rest.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, ':' | '：' | '—' | '–' | '|' | '·')
        });
        rest = rest.strip_prefix("- ").unwrap_or(rest);
        if rest.len() == before {
            break;
        }
    }
    rest
}

fn suffixes<'a>(text: &'a str, head: &mut Headline, colour: &mut Option<Severity>) -> &'a str {
    let mut rest = text;
    // What stands behind a tick tells how it was done.
    if let Some(at) = rest.find(status::is_tick).filter(|&at| at >= 4) {
        let after = rest[at..].trim_start_matches(|c: char| !c.is_alphanumeric());
        let word = after.split(|c: char| !(c.is_alphanumeric() || c == ' ')).next().unwrap_or_default();
        head.status = head.status.or_else(|| status::of_mark(word)).or(Some(FindingStatus::Fixed));
        rest = &rest[..at];
    }
    for _ in 0..8 {
        let before = rest.len();
        rest = rest.trim_end().trim_end_matches(['*', ':', '：', '—', '–', '|']).trim_end();
        let Some(last) = rest.chars().next_back() else { break };
        if is_ornament(last) {
            if status::is_tick(last) && head.status.is_none() {
                head.status = Some(FindingStatus::Fixed);
            }
            *colour = colour.or(severity::of_colour(last));
            rest = &rest[..rest.len() - last.len_utf8()];
        } else {
            let remark = trailing_bracket(rest).or_else(|| trailing_remark(rest));
            if let Some((ahead, inside)) = remark
                && take_remark(inside, head)
            {
                rest = ahead;
            }
        }
        if rest.len() == before {
            break;
        }
    }
    // A closing dot is no part of a title.
    rest.trim_end().trim_end_matches(['.', '。', '-']).trim_end()
}

fn is_ornament(mark: char) -> bool {
    let symbol = matches!(u32::from(mark), 0x2190..=0x21ff | 0x2300..=0x2bff | 0xfe0f | 0x200d | 0x1f000..=0x1faff | 0x2022 | 0x203c | 0x2049 | 0x2139);
    symbol && !mark.is_alphanumeric()
}

fn take_bracket(inside: &str, after: &str, head: &mut Headline) -> bool {
    if inside.trim().is_empty() || inside == "x" || inside == "X" {
        return true;
    }
    if severity::is_only(inside) {
        head.severity = head.severity.or_else(|| severity::of_value(inside));
        return true;
    }
    if let Some(status) = status::of_mark(inside) {
        head.status = Some(status);
        return true;
    }
    if is_id(inside, false) {
        head.id.get_or_insert_with(|| inside.to_owned());
        return true;
    }
    let category = after.chars().any(char::is_alphanumeric) && inside.chars().count() <= 24;
    if category {
        head.category = Some(inside.to_owned());
    }
    category
}

fn trailing_bracket(text: &str) -> Option<(&str, &str)> {
    let open = match text.chars().next_back()? {
        ')' => '(',
        ']' => '[',
        '）' => '（',
        '】' => '【',
        _ => return None,
    };
    let at = text.rfind(open)?;
    let inside = &text[at + open.len_utf8()..];
    let inside = &inside[..inside.len() - inside.chars().next_back()?.len_utf8()];
    Some((&text[..at], inside))
}

/// A remark behind the last dash or tick, `Severity: X` at the end, or a status in capitals as the last word.
fn trailing_remark(text: &str) -> Option<(&str, &str)> {
    if let Some(at) = text.to_ascii_lowercase().rfind("severity:") {
        return Some((text[..at].trim_end_matches(['*', ' ']), &text[at..]));
    }
    let dash = [" - ", " — ", " – ", "✅", "❌"]
        .iter()
        .filter_map(|dash| text.rfind(dash).map(|at| (at, at + dash.len())))
        .max();
    if let Some((at, after)) = dash {
        return Some((&text[..at], &text[after..]));
    }
    let at = text.rfind(' ')?;
    let last = &text[at + 1..];
    let capitals = last.len() >= 4 && last.bytes().all(|byte| byte.is_ascii_uppercase());
    capitals.then_some((&text[..at], last))
}

fn take_remark(inside: &str, head: &mut Headline) -> bool {
    let value = inside.trim_start_matches(|c: char| !c.is_alphanumeric());
    let value = match value.split_once(':') {
        Some((name, value))
            if matches!(name.trim().to_ascii_lowercase().as_str(), "severity" | "priority" | "risk") =>
        {
            head.severity = head.severity.or_else(|| severity::of_value(value));
            return head.severity.is_some();
        }
        _ => value,
    };
    if severity::is_only(value) {
        head.severity = head.severity.or_else(|| severity::of_value(value));
        return true;
    }
    match status::of_mark(value) {
        Some(status) => {
            head.status = Some(status);
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Headline {
        read(&Inline::plain(text))
    }

    #[test]
    fn titles_come_apart() {
        let head = of("❌ CRITICAL-P1.1: Totals are never added up");
        assert_eq!(
            (head.id.as_deref(), head.title.as_str()),
            (Some("CRITICAL-P1.1"), "Totals are never added up")
        );
        let head = of("[H-01] Anyone can end it");
        assert_eq!((head.id.as_deref(), head.title.as_str()), (Some("H-01"), "Anyone can end it"));
        let head = of("C-1 — `tlskit 0.1` accepts any name (RUSTSEC-2099-0098 + 0099)");
        assert_eq!(head.id.as_deref(), Some("C-1"));
        let head = of("1.2 【严重】支付回调没有验签");
        assert_eq!(
            (head.severity, head.numbered, head.title.as_str()),
            (Some(Severity::Critical), true, "支付回调没有验签")
        );
        let head = of("Rounds are cloned (Medium):");
        assert_eq!((head.severity, head.title.as_str()), (Some(Severity::Medium), "Rounds are cloned"));
        let head = of("No word on limits **Severity:** Quality Assurance");
        assert_eq!((head.severity, head.title.as_str()), (Some(Severity::Low), "No word on limits"));
        let head = of("HIGH-001: Query is put together by hand ✅ RESOLVED");
        assert_eq!(
            (head.status, head.title.as_str()),
            (Some(FindingStatus::Fixed), "Query is put together by hand")
        );
        let head = of("Issue #4: Crash on start");
        assert_eq!((head.named, head.title.as_str()), (true, "Crash on start"));
        let head = of("HIGH: No lock around the index — two writers");
        assert_eq!(
            (head.severity, head.title.as_str()),
            (Some(Severity::High), "No lock around the index — two writers")
        );
    }

    #[test]
    fn ordinary_words_stay_in_the_title() {
        for text in [
            "SHA-256 is weak",
            "40+ `panic` calls",
            "Fixed-size buffer overflows",
            "High memory use",
            "3 ways in",
        ] {
            let head = of(text);
            assert_eq!(head.title, text);
            assert!(!head.is_marked(), "{text}");
        }
    }
}

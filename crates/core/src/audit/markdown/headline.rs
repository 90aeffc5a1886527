//! Takes the title of a finding apart: number, id, severity, category and status around the words themselves.

use super::inline::Inline;
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

/// Words before a number that name a finding.
const NAMES: &[&str] = &[
    "issue", "finding", "bug", "vulnerability", "vuln", "problem", "defect", "weakness", "observation", "问题", "漏洞", "缺陷",
    "发现", "問題", "hallazgo", "problema",
];

/// Beginnings that look like an id but count something else.
const NO_IDS: &[&str] = &[
    "UTF", "SHA", "MD", "HTTP", "TLS", "SSL", "IPV", "ES", "PHASE", "STEP", "WEEK", "DAY", "SPRINT", "PART", "SECTION",
    "CHAPTER", "TIER", "STAGE", "LEVEL", "APPENDIX", "FIGURE", "TABLE", "ROUND", "RFC", "ISO", "PEP", "EIP", "ERC", "OAUTH",
    "BASE", "GPT", "ARM", "X", "WIN", "V", "Q", "AES", "RSA", "TASK", "TEST", "PR", "PHP", "C", "NODE", "H265", "OWASP",
    "TOP", "MAX", "MIN", "TODAY", "SOC", "PCI", "WCAG", "STORY", "MILESTONE", "BLAKE", "ED", "CRC",
];

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
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '—' | '–' | '|' | '·'));
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
        } else if let Some((ahead, inside)) = trailing_bracket(rest) {
            if take_remark(inside, head) {
                rest = ahead;
            }
        } else if let Some((ahead, inside)) = trailing_remark(rest) {
            if take_remark(inside, head) {
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

/// `[x] rest`, `【x】rest`, `(x) rest`.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let close = match text.chars().next()? {
        '[' => ']',
        '【' => '】',
        '(' => ')',
        '（' => '）',
        '「' => '」',
        _ => return None,
    };
    let open = text.chars().next()?.len_utf8();
    let end = text.char_indices().take(60).find(|&(_, c)| c == close)?.0;
    Some((text.get(open..end)?, text.get(end + close.len_utf8()..)?))
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

/// What follows `3.`, `3)`, `1.4 `, `#3 ` or `3:`; not `3 words`.
fn number(text: &str) -> Option<&str> {
    let plain = text.strip_prefix('#').unwrap_or(text);
    let marked = plain.len() < text.len();
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 4 {
        return None;
    }
    let mut rest = &plain[digits..];
    let mut parts = 0;
    while let Some(after) = rest.strip_prefix(['.', '-']) {
        let more = after.bytes().take_while(u8::is_ascii_digit).count();
        if more == 0 || more > 3 {
            break;
        }
        rest = &after[more..];
        parts += 1;
    }
    let after = rest.strip_prefix(['.', ')', '、', '：', ':', '）']);
    match after {
        Some(after) if after.is_empty() || after.starts_with(|c: char| !c.is_alphanumeric()) || !after.is_ascii() => Some(after),
        None if (parts > 0 || marked) && rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '【' | '[')) => Some(rest),
        None => rest.strip_prefix(" - ").or_else(|| rest.strip_prefix(" — ")).or_else(|| rest.strip_prefix(" – ")),
        Some(_) => None,
    }
}

fn ordinal_in_chinese(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| "一二三四五六七八九十百第".contains(c));
    (rest.len() < text.len()).then(|| rest.strip_prefix(['、', '.', '．', '章', '节'])).flatten()
}

/// What follows `Issue 3:`, `Finding #2 -`, `问题 1：`.
fn named(text: &str) -> Option<&str> {
    let lower: String = text.chars().take(16).flat_map(char::to_lowercase).collect();
    let name = NAMES.iter().find(|name| lower.starts_with(**name))?;
    let rest = text.get(name.len()..)?.trim_start().trim_start_matches('#');
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = rest.get(digits..)?;
    let parted = after.is_empty() || after.starts_with(|c: char| matches!(c, ':' | '.' | ')' | '：' | '、' | '—' | '–' | ' ' | ']'));
    (digits > 0 && digits <= 4 && parted).then(|| after.trim_start_matches(['.', ')', ']']))
}

/// An id and what follows it; a colon, bracket or dash must part them.
fn id(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | ']' | ')' | '|' | '—' | ','))?;
    let (token, rest) = text.split_at(end);
    let token = token.trim_end_matches('.');
    let parted = token.len() < end || rest.starts_with([':', '：', ']', ')', '—'])
        || rest.trim_start().starts_with(['-', '—', '–', ':', '|', '：']);
    (parted && is_id(token, true)).then(|| (token, rest.trim_start_matches([']', ')'])))
}

/// `H-01`, `CVE-2024-1`, `CRITICAL-P1.1`, `SEC3`; letters in capitals first, then a digit somewhere.
pub(crate) fn is_id(token: &str, bare: bool) -> bool {
    let token = token.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if token.len() < 2 || token.len() > 40 || !token.chars().all(allowed) || !token.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    let letters: String = token.chars().take_while(char::is_ascii_alphabetic).collect();
    let upper = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase()) && !token.contains('/');
    // `A11Y-004` in brackets; `TEST-001` anywhere, for nobody counts phases in three digits.
    let tail = token.rsplit_once(['-', '_']).map_or("", |(_, tail)| tail);
    let tail_counts = !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_digit());
    let starts_upper = token.starts_with(|c: char| c.is_ascii_uppercase()) && !token.contains(|c: char| c.is_ascii_lowercase());
    if starts_upper && tail_counts && !token.contains('/') && (tail.len() == 3 && token.len() >= 5 || !bare && letters.len() < token.len() - tail.len() - 1) {
        return true;
    }
    let advisory = ["GHSA-", "rules_", "CVE-"].iter().any(|start| token.starts_with(start));
    let digits = token.contains(|c: char| c.is_ascii_digit());
    let dashed = token[letters.len()..].starts_with(['-', '_', '.']);
    let counted = NO_IDS.contains(&letters.as_str()) && !(letters == "C" && dashed);
    let capitals = !token.contains(|c: char| c.is_ascii_lowercase());
    let short = token.len() <= letters.len() + 3 && letters.len() <= if bare { 3 } else { 5 };
    let priority = matches!(token, "P0" | "P1" | "P2" | "P3" | "P4");
    advisory || (upper && digits && !counted && !priority && (dashed || short) && (capitals || token.contains('-')))
}

/// `HIGH: rest`, `Critical severity - rest`, `P1: rest`.
fn rated(text: &str) -> Option<(Severity, &str)> {
    let limit = text.char_indices().nth(32).map_or(text.len(), |(at, _)| at);
    let ahead = &text[..limit];
    let dash = [" - ", " — ", " – ", "— ", "—"].iter().filter_map(|dash| ahead.find(dash)).min();
    let end = ahead.find([':', '：', '|', '·']).into_iter().chain(dash).min()?;
    let before = &ahead[..end];
    let after = text[end..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '|' | '-' | '—' | '–' | '·'));
    (severity::is_only(before) && after.chars().any(char::is_alphanumeric)).then(|| Some((severity::of_value(before)?, after)))?
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
    let dash = [" - ", " — ", " – ", "✅", "❌"].iter().filter_map(|dash| text.rfind(dash).map(|at| (at, at + dash.len()))).max();
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
        Some((name, value)) if matches!(name.trim().to_ascii_lowercase().as_str(), "severity" | "priority" | "risk") => {
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
        let head = of("❌ CRITICAL-P1.1: Penalty tracking broken");
        assert_eq!((head.id.as_deref(), head.title.as_str()), (Some("CRITICAL-P1.1"), "Penalty tracking broken"));
        let head = of("[H-01] Tokens can be drained");
        assert_eq!((head.id.as_deref(), head.title.as_str()), (Some("H-01"), "Tokens can be drained"));
        let head = of("C-1 — `webpki 0.1` bypass (RUSTSEC-2026-0098 + 0099)");
        assert_eq!(head.id.as_deref(), Some("C-1"));
        let head = of("1.2 【严重】API 路由缺少错误详情");
        assert_eq!((head.severity, head.numbered, head.title.as_str()), (Some(Severity::Critical), true, "API 路由缺少错误详情"));
        let head = of("Validation duplication (Medium):");
        assert_eq!((head.severity, head.title.as_str()), (Some(Severity::Medium), "Validation duplication"));
        let head = of("Missing docs **Severity:** Quality Assurance");
        assert_eq!((head.severity, head.title.as_str()), (Some(Severity::Low), "Missing docs"));
        let head = of("HIGH-001: LDAP injection ✅ RESOLVED");
        assert_eq!((head.status, head.title.as_str()), (Some(FindingStatus::Fixed), "LDAP injection"));
        let head = of("Issue #4: Crash on start");
        assert_eq!((head.named, head.title.as_str()), (true, "Crash on start"));
        let head = of("HIGH: No concurrent sync guard — flag is ineffective");
        assert_eq!((head.severity, head.title.as_str()), (Some(Severity::High), "No concurrent sync guard — flag is ineffective"));
    }

    #[test]
    fn ordinary_words_stay_in_the_title() {
        for text in ["SHA-256 is weak", "100+ `unwrap` calls", "Fixed-size buffer overflows", "High memory use", "3 ways in"] {
            let head = of(text);
            assert_eq!(head.title, text);
            assert!(!head.is_marked(), "{text}");
        }
    }
}

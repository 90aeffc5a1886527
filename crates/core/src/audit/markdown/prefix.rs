//! What may stand before the words of a title: brackets, numbers, ids, severities. Each reader takes one of them off.

use crate::audit::{Severity, severity};

/// Words before a number that name a finding.
const NAMES: &[&str] = &[
    "issue",
    "finding",
    "bug",
    "vulnerability",
    "vuln",
    "problem",
    "defect",
    "weakness",
    "observation",
    "问题",
    "漏洞",
    "缺陷",
    "发现",
    "問題",
    "hallazgo",
    "problema",
];

/// Beginnings that look like an id but count something else.
const NO_IDS: &[&str] = &[
    "UTF",
    "SHA",
    "MD",
    "HTTP",
    "TLS",
    "SSL",
    "IPV",
    "ES",
    "PHASE",
    "STEP",
    "WEEK",
    "DAY",
    "SPRINT",
    "PART",
    "SECTION",
    "CHAPTER",
    "TIER",
    "STAGE",
    "LEVEL",
    "APPENDIX",
    "FIGURE",
    "TABLE",
    "ROUND",
    "RFC",
    "ISO",
    "PEP",
    "EIP",
    "ERC",
    "OAUTH",
    "BASE",
    "GPT",
    "ARM",
    "X",
    "WIN",
    "V",
    "Q",
    "AES",
    "RSA",
    "TASK",
    "TEST",
    "PR",
    "PHP",
    "C",
    "NODE",
    "H265",
    "OWASP",
    "TOP",
    "MAX",
    "MIN",
    "TODAY",
    "SOC",
    "PCI",
    "WCAG",
    "STORY",
    "MILESTONE",
    "BLAKE",
    "ED",
    "CRC",
];

/// `[x] rest`, `【x】rest`, `(x) rest`.
pub(super) fn bracketed(text: &str) -> Option<(&str, &str)> {
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

/// What follows `3.`, `3)`, `1.4 `, `#3 ` or `3:`; not `3 words`.
pub(super) fn number(text: &str) -> Option<&str> {
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
        Some(after)
            if after.is_empty() || after.starts_with(|c: char| !c.is_alphanumeric()) || !after.is_ascii() =>
        {
            Some(after)
        }
        None if (parts > 0 || marked)
            && rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '【' | '[')) =>
        {
            Some(rest)
        }
        None => {
            rest.strip_prefix(" - ").or_else(|| rest.strip_prefix(" — ")).or_else(|| rest.strip_prefix(" – "))
        }
        Some(_) => None,
    }
}

pub(super) fn ordinal_in_chinese(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| "一二三四五六七八九十百第".contains(c));
    (rest.len() < text.len()).then(|| rest.strip_prefix(['、', '.', '．', '章', '节'])).flatten()
}

/// What follows `Issue 3:`, `Finding #2 -`, `问题 1：`.
pub(super) fn named(text: &str) -> Option<&str> {
    let lower: String = text.chars().take(16).flat_map(char::to_lowercase).collect();
    let name = NAMES.iter().find(|name| lower.starts_with(**name))?;
    let rest = text.get(name.len()..)?.trim_start().trim_start_matches('#');
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = rest.get(digits..)?;
    // `Issue: no limit` needs no number.
    if digits == 0 && after.starts_with(": ") {
        return Some(after);
    }
    let parted = after.is_empty() || after.starts_with([':', '.', ')', '：', '、', '—', '–', ' ', ']']);
    (digits > 0 && digits <= 4 && parted).then(|| after.trim_start_matches(['.', ')', ']']))
}

/// An id and what follows it; a colon, bracket or dash must part them.
pub(super) fn id(text: &str) -> Option<(&str, &str)> {
    let end =
        text.find(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | ']' | ')' | '|' | '—' | ','))?;
    let (token, rest) = text.split_at(end);
    let token = token.trim_end_matches('.');
    let parted = token.len() < end
        || rest.starts_with([':', '：', ']', ')', '—'])
        || rest.trim_start().starts_with(['-', '—', '–', ':', '|', '：']);
    (parted && is_id(token, true)).then(|| (token, rest.trim_start_matches([']', ')'])))
}

/// `H-01`, `CVE-2024-1`, `CRITICAL-P1.1`, `SEC3`; letters in capitals first, then a digit somewhere.
pub(crate) fn is_id(token: &str, bare: bool) -> bool {
    let token = token.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if token.len() < 2
        || token.len() > 40
        || !token.chars().all(allowed)
        || !token.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        return false;
    }
    let letters: String = token.chars().take_while(char::is_ascii_alphabetic).collect();
    let upper =
        !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase()) && !token.contains('/');
    // `A11Y-004` in brackets; `TEST-001` anywhere, for nobody counts phases in three digits.
    let tail = token.rsplit_once(['-', '_']).map_or("", |(_, tail)| tail);
    let tail_counts = !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_digit());
    let starts_upper = token.starts_with(|c: char| c.is_ascii_uppercase())
        && !token.contains(|c: char| c.is_ascii_lowercase());
    if starts_upper
        && tail_counts
        && !token.contains('/')
        && (tail.len() == 3 && token.len() >= 5 || !bare && letters.len() < token.len() - tail.len() - 1)
    {
        return true;
    }
    let advisory = ["GHSA-", "rules_", "CVE-"].iter().any(|start| token.starts_with(start));
    let digits = token.contains(|c: char| c.is_ascii_digit());
    let dashed = token[letters.len()..].starts_with(['-', '_', '.']);
    let counted = NO_IDS.contains(&letters.as_str()) && !(letters == "C" && dashed);
    let capitals = !token.contains(|c: char| c.is_ascii_lowercase());
    let short = token.len() <= letters.len() + 3 && letters.len() <= if bare { 3 } else { 5 };
    let priority = matches!(token, "P0" | "P1" | "P2" | "P3" | "P4");
    advisory
        || (upper
            && digits
            && !counted
            && !priority
            && (dashed || short)
            && (capitals || token.contains('-')))
}

/// `HIGH: rest`, `Critical severity - rest`, `P1: rest`.
pub(super) fn rated(text: &str) -> Option<(Severity, &str)> {
    let limit = text.char_indices().nth(32).map_or(text.len(), |(at, _)| at);
    let ahead = &text[..limit];
    let dash = [" - ", " — ", " – ", "— ", "—"].iter().filter_map(|dash| ahead.find(dash)).min();
    let end = ahead.find([':', '：', '|', '·']).into_iter().chain(dash).min()?;
    let before = &ahead[..end];
    let after = text[end..].trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, ':' | '：' | '|' | '-' | '—' | '–' | '·')
    });
    (severity::is_only(before) && after.chars().any(char::is_alphanumeric))
        .then(|| Some((severity::of_value(before)?, after)))?
}

//! The words for severity that reports use, in the languages they are written in.

use super::Severity;

use Severity::{Critical, High, Low, Medium};

/// Words that mean a severity wherever they stand.
const WORDS: &[(&str, Severity)] = &[
    ("critical", Critical),
    ("crit", Critical),
    ("blocker", Critical),
    ("severe", Critical),
    ("urgent", Critical),
    ("catastrophic", Critical),
    ("high", High),
    ("major", High),
    ("important", High),
    ("serious", High),
    ("medium", Medium),
    ("med", Medium),
    ("moderate", Medium),
    ("warning", Medium),
    ("low", Low),
    ("minor", Low),
    ("trivial", Low),
    ("info", Low),
    ("informational", Low),
    ("noncritical", Low),
    ("cosmetic", Low),
    ("negligible", Low),
    ("crítico", Critical),
    ("crítica", Critical),
    ("kritisch", Critical),
    ("critique", Critical),
    ("критический", Critical),
    ("критично", Critical),
    ("критическая", Critical),
    ("hoch", High),
    ("élevé", High),
    ("élevée", High),
    ("высокий", High),
    ("высокая", High),
    ("médio", Medium),
    ("média", Medium),
    ("mittel", Medium),
    ("moyen", Medium),
    ("moyenne", Medium),
    ("средний", Medium),
    ("средняя", Medium),
    ("baixo", Low),
    ("baixa", Low),
    ("bajo", Low),
    ("baja", Low),
    ("niedrig", Low),
    ("gering", Low),
    ("faible", Low),
    ("низкий", Low),
    ("низкая", Low),
];

/// Words that mean a severity only where one is expected, such as the value of a severity field.
const VALUES: &[(&str, Severity)] = &[
    ("p0", Critical),
    ("p1", High),
    ("p2", Medium),
    ("p3", Low),
    ("p4", Low),
    ("error", High),
    ("note", Low),
    ("nit", Low),
    ("none", Low),
    ("information", Low),
    ("suggestion", Low),
    ("optimization", Low),
    ("gas", Low),
    ("quality", Low),
    ("qa", Low),
    ("style", Low),
    ("alta", High),
    ("alto", High),
    ("media", Medium),
    ("medio", Medium),
    ("crit", Critical),
    ("warn", Medium),
    ("undetermined", Low),
    ("best", Low),
];

/// Chinese, Japanese and Korean words, which stand without spaces. Longer ones first.
const PHRASES: &[(&str, Severity)] = &[
    ("致命", Critical),
    ("严重", Critical),
    ("嚴重", Critical),
    ("紧急", Critical),
    ("重大", Critical),
    ("심각", Critical),
    ("高危", High),
    ("高风险", High),
    ("高優先", High),
    ("高优先", High),
    ("重要", High),
    ("높음", High),
    ("中危", Medium),
    ("中等", Medium),
    ("中风险", Medium),
    ("中优先", Medium),
    ("중간", Medium),
    ("보통", Medium),
    ("低危", Low),
    ("低风险", Low),
    ("低优先", Low),
    ("轻微", Low),
    ("軽微", Low),
    ("낮음", Low),
];

/// Words that stand around a severity without changing it.
const COMPANIONS: &[&str] = &[
    "severity",
    "risk",
    "priority",
    "level",
    "issue",
    "issues",
    "impact",
    "finding",
    "findings",
    "rated",
    "rating",
    "bug",
    "vulnerability",
];

/// The severity that a lower-case word always means.
pub(crate) fn of_word(word: &str) -> Option<Severity> {
    WORDS.iter().find(|(known, _)| *known == word).map(|&(_, severity)| severity)
}

/// Whether a lower-case word only accompanies a severity.
pub(crate) fn is_companion(word: &str) -> bool {
    COMPANIONS.contains(&word)
}

/// The severity that a Chinese, Japanese or Korean phrase contains.
pub(crate) fn of_phrase(text: &str) -> Option<Severity> {
    if text.is_ascii() {
        return None;
    }
    let found = PHRASES.iter().filter_map(|&(phrase, severity)| Some((text.find(phrase)?, severity)));
    found.min_by_key(|&(at, _)| at).map(|(_, severity)| severity)
}

/// The severity that a value states: the first word that means one, a number on the CVSS scale, or a colour.
pub(crate) fn of_value(value: &str) -> Option<Severity> {
    let value = value.trim();
    let lower = value.to_lowercase().replace("non-critical", "noncritical");
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(6) {
        let known =
            of_word(word).or_else(|| VALUES.iter().find(|(known, _)| *known == word).map(|&(_, s)| s));
        let single = match word {
            "高" => Some(High),
            "中" => Some(Medium),
            "低" => Some(Low),
            _ => None,
        };
        if let Some(severity) = known.or(single).or_else(|| of_phrase(word)) {
            return Some(severity);
        }
    }
    value.chars().find_map(of_colour).or_else(|| of_cvss(value))
}

/// The severity that a heading states: the one that names itself so (`high severity`), else the first.
pub(crate) fn of_heading(text: &str) -> Option<Severity> {
    let lower = text.to_lowercase().replace("non-critical", "noncritical");
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let named = words.windows(2).find(|pair| pair[1] == "severity").and_then(|pair| of_word(pair[0]));
    named.or_else(|| words.iter().find_map(|word| of_word(word))).or_else(|| of_phrase(&lower))
}

/// Whether a text is nothing but a severity with its companions (`High`, `Medium severity`, `P1`).
pub(crate) fn is_only(text: &str) -> bool {
    let lower = text.to_lowercase().replace("non-critical", "noncritical");
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none() || text.len() > 48 {
        return false;
    }
    let mut found = false;
    for word in words {
        let priority = matches!(word, "p0" | "p1" | "p2" | "p3" | "p4");
        let short =
            matches!(word, "高" | "中" | "低") || (of_phrase(word).is_some() && word.chars().count() <= 5);
        if of_word(word).is_some() || priority || short {
            found = true;
        } else if !is_companion(word) {
            return false;
        }
    }
    found
}

/// The severity that a coloured mark means.
pub(crate) fn of_colour(mark: char) -> Option<Severity> {
    match mark {
        '🔴' | '🚨' | '⛔' | '🛑' | '🟥' => Some(Critical),
        '🟠' | '🟧' | '🔶' => Some(High),
        '🟡' | '🟨' => Some(Medium),
        '🟢' | '🔵' | '⚪' | '🟩' | '🟦' | 'ℹ' => Some(Low),
        _ => None,
    }
}

/// The severity of the first CVSS score in a text.
pub(crate) fn of_cvss(text: &str) -> Option<Severity> {
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|number| number.contains('.'));
    let score = numbers.filter_map(|number| number.trim_matches('.').parse::<f64>().ok());
    // `CVSS:3.1/AV:N/...` is a version and not a score.
    let versioned = text.contains("CVSS:3.") || text.contains("CVSS:4.");
    of_score(score.skip(usize::from(versioned)).find(|score| (0.1..=10.0).contains(score))?)
}

/// The severity of a CVSS base score.
pub(crate) fn of_score(score: f64) -> Option<Severity> {
    match score {
        s if s >= 9.0 => Some(Critical),
        s if s >= 7.0 => Some(High),
        s if s >= 4.0 => Some(Medium),
        s if s > 0.0 => Some(Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_state_severity_by_name_or_by_the_first_word() {
        assert_eq!(of_heading("Critical Weaknesses (High Severity)"), Some(High));
        assert_eq!(of_heading("Low Risk and Non-Critical Issues"), Some(Low));
        assert_eq!(of_heading("一、严重问题（马上修复）"), Some(Critical));
        assert_eq!(of_heading("Highlights"), None);
    }

    #[test]
    fn values_may_be_words_scores_or_colours() {
        assert_eq!(of_value("MEDIUM (low behind the proxy)"), Some(Medium));
        assert_eq!(of_value("9.1"), Some(Critical));
        assert_eq!(of_value("🟠"), Some(High));
        assert_eq!(of_value("P2"), Some(Medium));
        assert_eq!(of_cvss("CVSS:3.1/AV:N/AC:L 7.5"), Some(High));
    }

    #[test]
    fn only_a_severity_is_one_with_its_companions_at_most() {
        assert!(is_only("Priority: CRITICAL"));
        assert!(is_only("High Severity"));
        assert!(is_only("严重"));
        assert!(!is_only("High memory"));
        assert!(!is_only("3/3"));
    }
}

//! The words with which a report says that a finding is fixed, accepted, none at all, or still open.

use super::FindingStatus;

use FindingStatus::{Accepted, FalsePositive, Fixed, Open};

/// Tried in this order, so that `not fixed` is not read as `fixed`.
const PHRASES: &[(&str, FindingStatus)] = &[
    ("not fixed", Open),
    ("unfixed", Open),
    ("unresolved", Open),
    ("not resolved", Open),
    ("not yet", Open),
    ("partial", Open),
    ("partially", Open),
    ("incomplete", Open),
    ("in progress", Open),
    ("pending", Open),
    ("todo", Open),
    ("to do", Open),
    ("deferred", Open),
    ("open", Open),
    ("not started", Open),
    ("planned", Open),
    ("outstanding", Open),
    ("remaining", Open),
    ("needs", Open),
    ("to be", Open),
    ("still", Open),
    ("needed", Open),
    ("should", Open),
    ("must", Open),
    ("not implemented", Open),
    ("not addressed", Open),
    ("reopened", Open),
    ("未修复", Open),
    ("未解决", Open),
    ("待", Open),
    ("进行中", Open),
    ("部分", Open),
    ("false positive", FalsePositive),
    ("not an issue", FalsePositive),
    ("invalid", FalsePositive),
    ("误报", FalsePositive),
    ("false alarm", FalsePositive),
    ("risk accepted", Accepted),
    ("accepted", Accepted),
    ("acknowledged", Accepted),
    ("won t fix", Accepted),
    ("wont fix", Accepted),
    ("wontfix", Accepted),
    ("will not fix", Accepted),
    ("by design", Accepted),
    ("intended", Accepted),
    ("suppressed", Accepted),
    ("已接受", Accepted),
    ("接受", Accepted),
    ("不修复", Accepted),
    ("已知", Accepted),
    ("fixed", Fixed),
    ("resolved", Fixed),
    ("done", Fixed),
    ("completed", Fixed),
    ("complete", Fixed),
    ("closed", Fixed),
    ("remediated", Fixed),
    ("mitigated", Fixed),
    ("implemented", Fixed),
    ("patched", Fixed),
    ("addressed", Fixed),
    ("corrected", Fixed),
    ("solved", Fixed),
    ("已修复", Fixed),
    ("已解决", Fixed),
    ("已完成", Fixed),
    ("修复完成", Fixed),
    ("完成", Fixed),
    ("corregido", Fixed),
    ("resuelto", Fixed),
    ("behoben", Fixed),
    ("corrigé", Fixed),
    ("corrigido", Fixed),
    ("исправлено", Fixed),
    ("修正済", Fixed),
    ("noted", Accepted),
    ("known limitation", Accepted),
    ("documented", Accepted),
];

/// Results of a check that was passed: such a row is no finding.
const PASSED: &[&str] = &[
    "pass",
    "passed",
    "passing",
    "ok",
    "safe",
    "secure",
    "compliant",
    "verified",
    "protected",
    "good",
    "clean",
    "excellent",
    "running",
    "no issues",
    "not vulnerable",
    "not affected",
    "none found",
    "通过",
    "合格",
    "正常",
];

/// The status that the value of a status field or column states.
pub(crate) fn of_value(value: &str) -> Option<FindingStatus> {
    let plain = plain(value);
    let found = PHRASES.iter().find(|(phrase, _)| has_phrase(&plain, phrase)).map(|&(_, status)| status);
    found.or_else(|| value.chars().any(is_tick).then_some(Fixed))
}

/// The status if the text is nothing but a statement of it (`FIXED`, `Resolved in v2`), and short.
pub(crate) fn of_mark(text: &str) -> Option<FindingStatus> {
    let plain = plain(text);
    if plain.chars().count() > 32 {
        return None;
    }
    let rest = plain.strip_prefix("all ").unwrap_or(&plain);
    let first_word_states = |phrase: &str| {
        rest.strip_prefix(phrase)
            .is_some_and(|after| after.is_empty() || after.starts_with(' ') || !phrase.is_ascii())
    };
    let vague =
        ["open", "needs", "should", "must", "to be", "still", "complete", "invalid", "待", "completed"];
    let exact = rest == "open" || rest == "completed";
    let states = |&&(phrase, _): &&(&str, FindingStatus)| {
        first_word_states(phrase) && (exact || !vague.contains(&phrase))
    };
    PHRASES.iter().find(states).map(|&(_, status)| status)
}

/// Whether a value says that a check was passed.
pub(crate) fn is_pass(value: &str) -> bool {
    let plain = plain(value);
    PASSED.iter().any(|word| {
        plain
            .strip_prefix(word)
            .is_some_and(|after| after.is_empty() || after.starts_with(' ') || !word.is_ascii())
    })
}

/// A mark that ticks something off.
pub(crate) fn is_tick(mark: char) -> bool {
    matches!(mark, '✅' | '✔' | '☑' | '✓')
}

fn plain(value: &str) -> String {
    let lower = value.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether the words of a phrase stand in a text of words parted by single spaces.
fn has_phrase(text: &str, phrase: &str) -> bool {
    if !phrase.is_ascii() {
        return text.contains(phrase);
    }
    text.match_indices(phrase).any(|(at, _)| {
        let end = at + phrase.len();
        (at == 0 || text.as_bytes()[at - 1] == b' ') && (end == text.len() || text.as_bytes()[end] == b' ')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negations_win_over_the_words_they_contain() {
        assert_eq!(of_value("Not fixed"), Some(Open));
        assert_eq!(of_value("Partially fixed in 1.2"), Some(Open));
        assert_eq!(of_value("✅ Fixed"), Some(Fixed));
        assert_eq!(of_value("Acknowledged"), Some(Accepted));
        assert_eq!(of_value("未修复"), Some(Open));
    }

    #[test]
    fn a_mark_is_short_and_begins_with_the_status() {
        assert_eq!(of_mark("FIXED"), Some(Fixed));
        assert_eq!(of_mark("All Fixed"), Some(Fixed));
        assert_eq!(of_mark("false positive"), Some(FalsePositive));
        assert_eq!(of_mark("must be fixed immediately"), None);
        assert_eq!(of_mark("the parser is fixed to one locale and breaks"), None);
    }
}

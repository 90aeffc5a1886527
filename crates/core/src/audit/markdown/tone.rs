//! Whether a sentence complains, advises or praises; for reports that mix remarks without marking the findings.

use super::word_list::{WordList, Words};

/// Beginnings of words that complain.
static COMPLAINTS: Words = Words::new(|| {
    WordList::of(
        "\
    missing lack fail broken bug leak race outdated stale flak unsafe insecure vulnerab hardcod hard-cod \
    duplicat unused deprecat silent swallow crash panic overflow slow costly expensive inefficien unbounded \
    inconsisten incorrect wrong error-prone omit lag drift expos weak ignor cannot doesn isn manual heavy \
    bloat undocumented untested todo without unclear confus brittle fragile tight unvalidat unescap \
    plaintext increase repeated mutate clones blocks hang corrupt lost loses violat misleading",
    )
});

/// Words that advise.
static ADVICE: Words = Words::new(|| {
    WordList::of(
        "\
    consider should recommend recommendation ensure introduce migrate replace add remove refactor fix update \
    document guard validate cache avoid schedule provide move extract needs need must suggest prefer switch \
    split implement rename restrict reduce",
    )
});

/// Beginnings of words that praise.
static PRAISE: Words = Words::new(|| {
    WordList::of(
        "\
    strong good excellent solid clean correctly properly comprehensive robust centraliz enforc well secure \
    verified consistent nice great clearly protected validated encrypted sensible thorough idiomatic",
    )
});

/// Points: above zero a defect or advice to repair one, below zero praise, zero a plain fact.
pub(crate) fn of(text: &str) -> i32 {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '-'))
        .filter(|word| !word.is_empty())
        .take(120)
        .collect();
    let starts = |list: &WordList| words.iter().filter(|word| list.begins(word)).count();
    let complaints = starts(&COMPLAINTS).min(3);
    let advice = words.iter().filter(|word| ADVICE.contains(word)).count().min(2);
    let praise = starts(&PRAISE).min(3);
    let points = |count: usize, each: i32| i32::try_from(count).unwrap_or(0) * each;
    points(complaints, 2) + points(advice, 2) - points(praise, 3)
        + i32::from(lower.contains("can't") || lower.contains("n't ")) * 2
}

/// Whether a text says that there is nothing to say.
pub(crate) fn is_nothing(text: &str) -> bool {
    let lower = text.to_lowercase();
    let plain = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let short = plain.chars().count() <= 60;
    let nothing = [
        "none",
        "no issues",
        "no findings",
        "no vulnerabilities",
        "no problems",
        "no critical",
        "no high",
        "no medium",
        "no low",
        "n/a",
        "nothing",
        "not applicable",
        "无",
        "没有",
        "暂无",
        "未发现",
        "no known",
        "no significant",
    ];
    plain.is_empty()
        || short
            && nothing.iter().any(|start| plain.starts_with(start))
            && !plain.starts_with("none of")
            && !plain.starts_with("nothing ")
        || plain == "nothing"
}

/// Whether a sentence declares a whole report clean.
pub(crate) fn declares_clean(text: &str) -> bool {
    let lower = text.to_lowercase();
    let known = [
        "no vulnerabilities found",
        "no issues found",
        "no vulnerabilities detected",
        "no security issues",
        "no issues were found",
        "no vulnerabilities were found",
        "found no issues",
        "no findings",
        "未发现问题",
        "未发现漏洞",
    ];
    lower.chars().count() <= 160 && known.iter().any(|phrase| lower.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_told_from_facts_and_praise() {
        assert!(of("Old dumps bloat the clone; consider deleting them.") > 1);
        assert!(of("The list is read again on every key; cache it.") > 1);
        assert!(of("Strong separation of screens; clean names.") < 0);
        assert_eq!(of("Three parts: engine, editor and viewer."), 0);
        assert!(is_nothing("None identified."));
    }
}

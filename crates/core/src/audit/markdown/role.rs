//! What a heading, or a label that stands for one, announces: findings, praise, or text about the report itself.

use super::word_list::{WordList, Words};
use crate::audit::{Severity, severity, status};

/// Most words of a heading that is about what is below it, and not the title of a finding.
const BRIEF: usize = 7;

/// What the text under a heading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Findings of one severity.
    Band(Severity),
    /// Findings.
    Findings,
    /// What is good: never a finding.
    Praise,
    /// Summary, scope, introduction: no finding itself, but may hold findings below headings of their own.
    Summary,
    /// Advice, plans, method, appendices: nothing in it is a finding of its own.
    Aside,
    /// Other talk about the report, unless what is below is marked as findings.
    Talk,
    /// A module, a topic, the title of a finding: only the rest tells.
    Neutral,
}

/// Words that announce findings; mostly plurals, for `Error handling` is a topic and `Errors` is not.
static FINDINGS: Words = Words::new(|| {
    WordList::of(
        "\
    finding findings issue issues vulnerability vulnerabilities bugs problems weaknesses concerns defects \
    violations smells smell gaps unused redundant redundancies flaws risks threats mistakes errors \
    shortcomings deficiencies inconsistencies mismatches antipatterns debt discrepancies limitations \
    regressions leaks warnings hallazgos vulnerabilidades problemas schwachstellen probleme failles \
    problèmes \
    问题 漏洞 缺陷 风险 错误 問題 脆弱性",
    )
});

/// Words that stand in the heading of a group of findings and say nothing else.
static COMMON: Words = Words::new(|| {
    WordList::of(
        "\
    the a an of in and or for to by on with all new open other code security quality performance category \
    fix fixes fixed must should immediately immediate required requires action before release production \
    found identified detected resolved remaining observations notes sprint next this backlog week weeks nice \
    have be improvements improvement suggestions suggestion warnings recommended optional attention address \
    soon later when possible technical non blocking items item level points audit review potential current \
    known existing outstanding unresolved fixing urgent now asap phase severities critical list detailed \
    details matters smells nits nit total deferred addressed enhancements best practices informational \
    optimizations optimization gas exploitable hardening todo cleanup polish month quarter bugs launch merge \
    merging deployment v1 cosmetic style p0 p1 p2 p3 p4 s i",
    )
});

/// Nouns that make a group of the severity before them.
static NOUNS: Words =
    Words::new(|| WordList::of("risk risks severity priority issues findings vulnerabilities problems bugs"));

/// The same in Chinese and Japanese.
static GROUPS: Words = Words::new(|| WordList::of("问题 漏洞 缺陷 风险 優先 优先 問題 级 危"));

/// Words that praise even beside findings (`Positive findings`).
static BEST: Words = Words::new(|| WordList::of("positive positives strengths praise properly 优点 亮点"));

/// Beginnings of words that praise.
static PRAISE: Words = Words::new(|| {
    WordList::of(
        "\
    strength positive praise highlight achievement implemented verified compliant properly excellent passed \
    well working strong commendable kudos good wins fortalezas accomplished 优点 亮点 优势 做得好 良い点",
    )
});

/// Words for advice, plans and appendices: whatever is below repeats findings or is none.
static ASIDE: Words = Words::new(|| {
    WordList::of(
        "\
    recommendation recommendations recommended roadmap plan plans timeline appendix legend glossary contents \
    toc breakdown distribution disclaimer disclosure disclosures methodology conclusion conclusions \
    prioritized prioritised attestation signoff acknowledgements acknowledgments wardens changelog \
    provenance definitions criteria remediation 总结 结论 附录 计划 路线图 まとめ 推奨事項 后续 conclusión fazit \
    recomendaciones recomendações empfehlungen recommandations 优先级 评分",
    )
});

/// Words for other talk about the report; a section so named may still hold findings.
static TALK: Words = Words::new(|| {
    WordList::of(
        "\
    statistics stats metrics metric about method methods approach process tooling commands verification \
    history artifacts standards classification definition matrix closing mitigation mitigations estimate \
    estimates checks score scores scorecard benchmark benchmarks benchmarking projections workflow workflows \
    schedule migration credits participants team auditors deployment readiness experiments rejected \
    references resources checked tested steps assessment comparison baseline opportunities suggested actions \
    tasks todos lessons learnings competitive success trend trends dashboard guide reference strategy \
    applied changes changed reviewed audited modified created license notice followup rating ratings impact \
    improvements commendations 统计 建议",
    )
});

static SUMMARY: Words = Words::new(|| {
    WordList::of(
        "\
    summary executive overview introduction scope background tldr abstract notes verdict takeaways 概述 摘要 概要 \
    简介 范围 背景 汇总 总览 resumen résumé zusammenfassung resumo",
    )
});

/// A heading, ready to be looked up word by word.
struct Heading {
    lower: String,
}

impl Heading {
    fn of(text: &str) -> Self {
        let lower =
            text.to_lowercase().replace("non-critical", "noncritical").replace("anti-pattern", "antipattern");
        // What was no finding is not praise either.
        Self { lower: lower.replace("false positive", "") }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(40)
    }

    /// Whether a word of a list stands in it.
    fn has(&self, list: &WordList) -> bool {
        self.words().any(|word| list.contains(word)) || list.is_part_of(&self.lower)
    }

    fn has_beginning(&self, list: &WordList) -> bool {
        self.words().any(|word| list.begins(word)) || list.is_part_of(&self.lower)
    }

    fn has_word(&self, wanted: &str) -> bool {
        self.words().any(|word| word == wanted)
    }

    /// Whether a word and one of a list follow each other.
    fn has_pair(&self, first: &str, seconds: &str) -> bool {
        self.words()
            .zip(self.words().skip(1))
            .any(|(a, b)| a == first && seconds.split(' ').any(|second| second == b))
    }

    fn first(&self) -> &str {
        self.words().next().unwrap_or_default()
    }
}

/// Reads a heading. `ticked` is a tick before the text, which makes anything but a finding praise.
pub(crate) fn of(text: &str, ticked: bool) -> Role {
    let heading = Heading::of(text);
    let count = heading.words().count();
    let announces = heading.has(&FINDINGS);
    // `Low: Release notes are too short` is about the notes.
    if !ticked
        && own_words(text).is_some_and(|own| own >= 2)
        && !heading.has_pair("no", "issues findings vulnerabilities")
    {
        return if announces { Role::Findings } else { Role::Neutral };
    }
    if ticked || heading.has(&BEST) || count <= BRIEF && heading.has_beginning(&PRAISE) && !announces {
        return Role::Praise;
    }
    if heading.has_pair("no", "issues findings vulnerabilities") {
        return Role::Praise;
    }
    let rated = severity::of_heading(text);
    let defines = heading.first() == "severity" && count <= 3 && rated.is_none();
    let asks = heading.first() == "what" && count <= BRIEF;
    if defines || asks || heading.has_pair("out", "of") && heading.has_word("scope") {
        return Role::Aside;
    }
    if heading.has_pair("key", "findings issues takeaways") || heading.has_pair("by", "severity priority") {
        return if heading.has(&ASIDE) { Role::Aside } else { Role::Summary };
    }
    if let Some(severity) = demanded(&heading).filter(|_| rated.is_none() && count <= BRIEF) {
        return Role::Band(severity);
    }
    if let Some(severity) = rated.filter(|_| is_group(&heading)) {
        return Role::Band(severity);
    }
    // `Summary of findings` sums up; `Scope` may be the only heading above the findings.
    if heading.has(&SUMMARY) && count <= BRIEF && !heading.has_word("detailed") {
        return Role::Summary;
    }
    if is_advice(&heading, count, announces) {
        return Role::Aside;
    }
    let long = !heading.lower.is_ascii() && heading.lower.chars().count() > 8;
    if heading.has(&TALK) && count <= 4 && !announces && !long {
        return Role::Talk;
    }
    if announces { Role::Findings } else { Role::Neutral }
}

/// Whether a heading that looks like a group is the title of a finding: a severity, a colon, and words that say something of their own
/// (`Low: Risk of collisions`).
pub(crate) fn is_title(text: &str) -> bool {
    own_words(text).is_some_and(|own| own >= 1)
}

/// How many words of a heading `Severity: words` are of its own and not of groups, advice or talk about the report; nothing for
/// other headings, and where the words begin with praise.
fn own_words(text: &str) -> Option<usize> {
    let (before, after) = text.split_once(':')?;
    let before = before.trim_start_matches(|c: char| !c.is_alphanumeric());
    // `P1: ...` counts the steps of a plan.
    if !severity::is_only(before) || before.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let heading = Heading::of(after);
    if PRAISE.begins(heading.first()) || BEST.contains(heading.first()) {
        return None;
    }
    let said = |word: &&str| {
        let lists: [&WordList; 5] = [&COMMON, &FINDINGS, &ASIDE, &TALK, &SUMMARY];
        let known = lists.iter().any(|list| list.contains(word));
        !known
            && severity::of_word(word).is_none()
            && !severity::is_companion(word)
            && !word.bytes().all(|byte| byte.is_ascii_digit())
    };
    Some(heading.words().filter(said).count())
}

/// The severity of a group that says what must happen before a merge (`Must fix`, `Nits`).
fn demanded(heading: &Heading) -> Option<Severity> {
    let first: Vec<&str> = heading.words().take(2).collect();
    match first.as_slice() {
        ["blockers" | "blocking", ..] => Some(Severity::Critical),
        ["must", "fix"] | ["must", "have"] => Some(Severity::High),
        ["should", "fix"] | ["should", "have"] => Some(Severity::Medium),
        ["nits" | "nitpicks" | "nit", ..] | ["could", "fix"] | ["nice", "to"] | ["minor", _] => {
            Some(Severity::Low)
        }
        _ => None,
    }
}

/// Whether a heading announces advice, a plan, an appendix and the like: by a word if it is brief, by its first word
/// if it is not.
fn is_advice(heading: &Heading, count: usize, announces: bool) -> bool {
    const PHRASES: &[&str] = &[
        "next steps",
        "next actions",
        "action items",
        "action plan",
        "how to",
        "tools used",
        "tool used",
        "tests run",
    ];
    let lower = heading.lower.trim();
    let whole = matches!(
        lower,
        "目录"
            | "方法"
            | "审计方法"
            | "审查方法"
            | "建议"
            | "改进建议"
            | "优化建议"
            | "修复建议"
            | "tools"
            | "suggestions"
    );
    let said = whole || heading.has(&ASIDE) || PHRASES.iter().any(|phrase| lower.contains(phrase));
    // `缓存问题（建议优化）` announces findings, whatever it says of them.
    let brief = count <= BRIEF && said && (!announces || lower.is_ascii());
    ASIDE.contains(heading.first()) && count <= 10 || brief
}

/// Whether a heading with a severity names a group: by its words, or because a noun for groups follows the severity.
fn is_group(heading: &Heading) -> bool {
    if !heading.lower.is_ascii() && severity::of_phrase(&heading.lower).is_some() {
        return GROUPS.is_part_of(&heading.lower) && heading.lower.chars().count() <= 24;
    }
    let says_nothing_else = heading.words().all(|word| {
        let counts = word.bytes().all(|byte| byte.is_ascii_digit());
        counts
            || COMMON.contains(word)
            || FINDINGS.contains(word)
            || severity::of_word(word).is_some()
            || severity::is_companion(word)
    });
    let leads = heading.words().zip(heading.words().skip(1)).take(2);
    let mut leads = leads.filter(|(word, _)| severity::of_word(word).is_some());
    says_nothing_else || leads.any(|(_, next)| NOUNS.contains(next))
}

/// Whether a heading says that what is under it has been dealt with (`Critical issues fixed`).
pub(crate) fn is_settled(heading: &str) -> bool {
    let lower = heading.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(40).collect();
    let settled = ["fixed", "resolved", "remediated", "addressed", "completed", "closed"];
    let at = words.iter().position(|word| settled.contains(word));
    let denied = ["be", "not", "yet", "un", "partially", "before", "when", "until", "must", "previously"];
    let denied = at.is_some_and(|at| at > 0 && denied.contains(&words[at - 1]));
    (at.is_some() && !denied)
        || lower.contains("已修复")
        || lower.contains("已解决")
        || heading.trim_end().ends_with(status::is_tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_announce_what_is_under_them() {
        for (heading, role) in [
            ("High Risk Findings (3)", Role::Band(Severity::High)),
            ("Critical Weaknesses (High Severity)", Role::Band(Severity::High)),
            ("Low Severity / Nits", Role::Band(Severity::Low)),
            ("HIGH RISK - Uploads Without a Limit", Role::Band(Severity::High)),
            ("Critical Issues (Must Fix Immediately)", Role::Band(Severity::Critical)),
            ("Informational", Role::Band(Severity::Low)),
            ("Findings by Area", Role::Findings),
            ("Unused Files and Flags", Role::Findings),
            ("Vulnerability Details", Role::Findings),
            ("Design Strengths", Role::Praise),
            ("Measures Verified", Role::Praise),
            ("Recommendations (Prioritized)", Role::Aside),
            ("Design Recommendations", Role::Aside),
            ("Audit Methodology", Role::Aside),
            ("Severity legend", Role::Aside),
            ("Vulnerability Summary", Role::Summary),
            ("Findings by Severity", Role::Summary),
            ("Scope", Role::Summary),
            ("Must fix", Role::Band(Severity::High)),
            ("Nits", Role::Band(Severity::Low)),
            ("High availability of the cache", Role::Neutral),
            ("Storage Module", Role::Neutral),
            ("一、严重问题（马上修复）", Role::Band(Severity::Critical)),
            ("二、缓存问题（建议优化）", Role::Findings),
            ("八、总结", Role::Aside),
            ("目录遍历", Role::Neutral),
            ("五、接口命名与分层建议", Role::Neutral),
            ("Positive findings (as intended)", Role::Praise),
            ("Error Handling", Role::Neutral),
            ("Part 1: Latest Changes", Role::Talk),
            ("The migration process loses rows without notice", Role::Neutral),
        ] {
            assert_eq!(of(heading, false), role, "{heading}");
        }
    }

    #[test]
    fn settled_groups_say_so() {
        assert!(is_settled("Critical Issues Fixed"));
        assert!(is_settled("Minor Issues (8) ✅"));
        assert!(!is_settled("Issues to be fixed"));
    }
}

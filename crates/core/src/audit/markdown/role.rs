//! What a heading, or a label that stands for one, announces: findings, praise, or text about the report itself.

use crate::audit::{Severity, severity, status};

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
const FINDINGS: &[&str] = &[
    "finding", "findings", "issue", "issues", "vulnerability", "vulnerabilities", "bugs", "problems", "weaknesses",
    "concerns", "defects", "violations", "smells", "smell", "gaps", "unused", "redundant", "redundancies", "flaws", "risks",
    "threats", "mistakes", "errors", "shortcomings", "deficiencies", "inconsistencies", "mismatches", "antipatterns", "debt",
    "discrepancies", "limitations", "regressions", "leaks", "warnings", "hallazgos", "vulnerabilidades", "problemas",
    "schwachstellen", "probleme", "failles", "problèmes",
];

/// Words that stand in the heading of a group of findings and say nothing else.
const COMMON: &[&str] = &[
    "the", "a", "an", "of", "in", "and", "or", "for", "to", "by", "on", "with", "all", "new", "open", "other", "code",
    "security", "quality", "performance", "category", "fix", "fixes", "fixed", "must", "should", "immediately",
    "immediate", "required", "requires", "action", "before", "release", "production", "found", "identified", "detected",
    "resolved", "remaining", "observations", "notes", "sprint", "next", "this", "backlog", "week", "weeks", "nice",
    "have", "be", "improvements", "improvement", "suggestions", "suggestion", "warnings", "recommended", "optional",
    "attention", "address", "soon", "later", "when", "possible", "technical", "non", "blocking", "items", "item",
    "level", "points", "audit", "review", "potential", "current", "known", "existing", "outstanding", "unresolved",
    "fixing", "urgent", "now", "asap", "phase", "severities", "critical", "list", "detailed", "details", "matters",
    "smells", "nits", "nit", "total", "deferred", "addressed", "enhancements", "best", "practices", "informational",
    "optimizations", "optimization", "gas", "exploitable", "hardening", "todo", "cleanup", "polish", "month", "quarter",
    "bugs", "launch", "merge", "merging", "deployment", "v1", "cosmetic", "style",
];

const PRAISE: &[&str] = &[
    "strength", "positive", "praise", "highlight", "achievement", "implemented", "verified", "compliant", "properly",
    "excellent", "passed", "well", "working", "strong", "commendable", "kudos", "good", "wins", "fortalezas", "accomplished",
    "优点", "亮点", "优势", "做得好", "良い点",
];

/// Words for advice, plans and appendices: whatever is below repeats findings or is none.
const ASIDE: &[&str] = &[
    "recommendation", "recommendations", "recommended", "roadmap", "plan", "plans", "timeline", "appendix", "legend",
    "glossary", "contents", "toc", "breakdown", "distribution", "disclaimer", "disclosure", "disclosures", "methodology",
    "conclusion", "conclusions", "prioritized", "prioritised", "attestation", "signoff", "acknowledgements",
    "acknowledgments", "wardens", "changelog", "provenance", "definitions", "criteria", "remediation", "next",
    "总结", "结论", "附录", "目录", "方法", "计划", "路线图", "まとめ", "推奨事項", "后续", "conclusión", "fazit",
    "recomendaciones", "recomendações", "empfehlungen", "recommandations", "优先级", "评分",
];

/// Words for other talk about the report; a section so named may still hold findings.
const TALK: &[&str] = &[
    "statistics", "stats", "metrics", "metric", "about", "method", "methods", "approach", "process", "tooling", "commands",
    "verification", "history", "artifacts", "standards", "classification", "definition", "matrix", "closing", "mitigation",
    "mitigations", "estimate", "estimates", "checks", "score", "scores", "scorecard", "benchmark", "benchmarks",
    "benchmarking", "projections", "workflow", "workflows", "schedule", "migration", "credits", "participants", "team",
    "auditors", "deployment", "readiness", "experiments", "rejected", "references", "resources", "checked", "tested", "steps",
    "assessment", "comparison", "baseline", "opportunities", "suggested", "actions", "tasks", "todos", "lessons", "learnings",
    "competitive", "success", "trend", "trends", "dashboard", "guide", "reference", "strategy", "applied", "changes",
    "changed", "reviewed", "audited", "modified", "created", "license", "notice", "followup", "rating", "ratings", "impact",
    "improvements", "commendations", "统计", "建议",
];

const SUMMARY: &[&str] = &[
    "summary", "executive", "overview", "introduction", "scope", "background", "tldr", "abstract", "notes", "verdict",
    "takeaways", "概述", "摘要", "概要", "简介", "范围", "背景", "汇总", "总览",
    "resumen", "résumé", "zusammenfassung", "resumo",
];

/// Reads a heading. `ticked` is a tick before the text, which makes anything but a finding praise.
pub(crate) fn of(heading: &str, ticked: bool) -> Role {
    let lower = heading.to_lowercase().replace("non-critical", "noncritical").replace("anti-pattern", "antipattern");
    let lower = lower.replace("false positive", "");
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(40).collect();
    let has = |known: &[&str]| {
        words.iter().any(|word| known.contains(word)) || known.iter().any(|k| !k.is_ascii() && lower.contains(k))
    };
    let starts = |known: &[&str]| words.iter().any(|word| known.iter().any(|k| word.starts_with(k)));
    let announces = has(FINDINGS) || ["问题", "漏洞", "缺陷", "风险", "错误", "問題", "脆弱性"].iter().any(|k| lower.contains(k));
    let best = has(&["positive", "positives", "strengths", "praise", "properly", "优点", "亮点"]);
    let brief = words.len() <= 7;
    if ticked || best || (brief && starts(PRAISE) && !announces) || has_pair(&words, "no", &["issues", "findings", "vulnerabilities"]) {
        return Role::Praise;
    }
    if (words.first() == Some(&"what") && brief) || has_pair(&words, "out", &["of"]) && has(&["scope"]) {
        return Role::Aside;
    }
    if has_pair(&words, "key", &["findings", "issues", "takeaways"]) || has_pair(&words, "by", &["severity", "priority"]) {
        return if has(ASIDE) { Role::Aside } else { Role::Summary };
    }
    if words.first() == Some(&"severity") && words.len() <= 3 && severity::of_heading(heading).is_none() {
        return Role::Aside;
    }
    let rated = severity::of_heading(heading);
    if let Some(severity) = rated
        && is_group(&words, &lower)
    {
        return Role::Band(severity);
    }
    if has(SUMMARY) && brief && !has(&["detailed"]) {
        // `Summary of findings` sums up; `Scope` may be the only heading above the findings.
        return Role::Summary;
    }
    let hard = ["next steps", "next actions", "action items", "action plan", "how to", "tools used", "tool used", "tests run"];
    let alone = matches!(lower.trim(), "建议" | "改进建议" | "优化建议" | "修复建议" | "tools" | "suggestions");
    let first = words.first().is_some_and(|word| ASIDE.contains(word) && *word != "next");
    let names = has(ASIDE) && !(words.contains(&"next") && !has_pair(&words, "next", &["steps", "actions"]) && !has(&ASIDE[..5]));
    let said = hard.iter().any(|phrase| lower.contains(phrase)) || alone || names;
    if first && words.len() <= 10 || brief && said && (!announces || lower.is_ascii()) || !lower.is_ascii() && said && !announces {
        return Role::Aside;
    }
    let cjk = !lower.is_ascii() && lower.chars().count() > 8;
    if has(TALK) && words.len() <= 4 && !announces && !cjk {
        return Role::Talk;
    }
    if announces { Role::Findings } else { Role::Neutral }
}

/// Whether a heading with a severity names a group: by its words, or because a noun for groups follows the severity.
fn is_group(words: &[&str], lower: &str) -> bool {
    let plain = |word: &&str| {
        COMMON.contains(word) || severity::of_word(word).is_some() || severity::is_companion(word)
            || FINDINGS.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit())
            || matches!(*word, "p0" | "p1" | "p2" | "p3" | "p4" | "s" | "i")
    };
    if !lower.is_ascii() && severity::of_phrase(lower).is_some() {
        let named = ["问题", "漏洞", "缺陷", "风险", "问题清单", "優先", "优先", "問題", "级", "危"].iter().any(|k| lower.contains(k));
        return named && lower.chars().count() <= 24;
    }
    if words.iter().all(plain) {
        return true;
    }
    let at = words.iter().position(|word| severity::of_word(word).is_some());
    at.is_some_and(|at| {
        at <= 1 && words.get(at + 1).is_some_and(|next| {
            matches!(*next, "risk" | "severity" | "priority" | "issues" | "findings" | "vulnerabilities" | "risks" | "problems" | "bugs")
        })
    })
}

fn has_pair(words: &[&str], first: &str, seconds: &[&str]) -> bool {
    words.windows(2).any(|pair| pair[0] == first && seconds.contains(&pair[1]))
}

/// Whether a heading says that what is under it has been dealt with (`Critical issues fixed`).
pub(crate) fn is_settled(heading: &str) -> bool {
    let lower = heading.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(40).collect();
    let settled = ["fixed", "resolved", "remediated", "addressed", "completed", "closed"];
    let at = words.iter().position(|word| settled.contains(word));
    let denied = ["be", "not", "yet", "un", "partially", "before", "when", "until", "must", "previously"];
    let denied = at.is_some_and(|at| at > 0 && denied.contains(&words[at - 1]));
    (at.is_some() && !denied) || lower.contains("已修复") || lower.contains("已解决") || heading.trim_end().ends_with(status::is_tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_announce_what_is_under_them() {
        for (heading, role) in [
            ("High Risk Findings (3)", Role::Band(Severity::High)),
            ("Critical Vulnerabilities (High Severity)", Role::Band(Severity::High)),
            ("Low Severity / Code Smells", Role::Band(Severity::Low)),
            ("HIGH RISK - Write Operations Without Verification", Role::Band(Severity::High)),
            ("Critical Issues (Must Fix Immediately)", Role::Band(Severity::Critical)),
            ("Informational", Role::Band(Severity::Low)),
            ("Findings by Area", Role::Findings),
            ("Redundant or Unused Code", Role::Findings),
            ("Vulnerability Details", Role::Findings),
            ("Security Strengths", Role::Praise),
            ("Improvements Verified", Role::Praise),
            ("Recommendations (Prioritized)", Role::Aside),
            ("Architectural Recommendations", Role::Aside),
            ("Audit Methodology", Role::Aside),
            ("Severity legend", Role::Aside),
            ("Vulnerability Summary", Role::Summary),
            ("Findings by Severity", Role::Summary),
            ("Scope", Role::Summary),
            ("High availability of the cache", Role::Neutral),
            ("Storage Module", Role::Neutral),
            ("一、严重问题（必须修复）", Role::Band(Severity::Critical)),
            ("三、性能问题（建议优化）", Role::Findings),
            ("八、总结", Role::Aside),
            ("七、数据库优化建议", Role::Neutral),
            ("Positive findings (working as intended)", Role::Praise),
            ("Error Handling", Role::Neutral),
            ("Phase 1: Recent Changes", Role::Talk),
            ("Lack of State Migration and Integrality Check", Role::Neutral),
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

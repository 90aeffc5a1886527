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
    /// A module, a topic, the title of a finding: only the rest tells.
    Neutral,
}

/// Beginnings of words that announce findings.
const FINDINGS: &[&str] = &[
    "finding", "issue", "vulnerabilit", "bug", "problem", "weakness", "concern", "defect", "violation", "smell", "gap",
    "unused", "redundan", "flaw", "risk", "threat", "mistake", "error", "shortcoming", "deficienc", "inconsistenc",
    "mismatch", "antipattern", "debt", "hallazgo", "vulnerabilidad", "problema",
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

const ASIDE: &[&str] = &[
    "recommendation", "recommended", "roadmap", "plan", "timeline", "appendix", "legend", "glossary", "contents", "toc",
    "statistics", "stats", "metrics", "metric", "breakdown", "distribution", "disclaimer", "disclosure", "disclosures",
    "about", "methodology", "method", "methods", "approach", "process", "tooling", "provenance", "commands", "verification",
    "changelog", "history", "artifacts", "standards", "wardens", "criteria", "classification", "definition", "definitions",
    "matrix", "conclusion", "conclusions", "closing", "remediation", "mitigation", "estimate", "estimates", "checks",
    "score", "scores", "scorecard", "score:", "benchmark", "benchmarking", "projections", "workflow", "workflows",
    "schedule", "migration", "acknowledgements", "acknowledgments", "credits", "participants", "team", "auditors",
    "deployment", "readiness", "experiments", "rejected", "references", "resources", "checked", "tested", "prioritized",
    "prioritised", "steps", "reproduce", "assessment", "compliance", "attestation", "signoff", "comparison", "baseline",
    "opportunities", "suggested", "actions", "tasks", "todos", "lessons", "learnings", "competitive", "success", "impact",
    "trend", "trends", "dashboard", "guide", "reference", "comparing", "strategy", "improved", "applied", "changes",
    "changed", "reviewed", "audited", "modified", "created", "license", "notice", "followup", "rating", "ratings",
    "总结", "结论", "附录", "目录", "方法", "优先级", "计划", "路线图", "统计", "推奨事項", "まとめ", "后续", "评分",
];

const SUMMARY: &[&str] = &[
    "summary", "executive", "overview", "introduction", "scope", "background", "tldr", "abstract", "notes", "observations",
    "context", "verdict", "assessment", "takeaways", "status", "概述", "摘要", "概要", "简介", "范围", "背景", "汇总", "总览",
    "resumen", "résumé", "zusammenfassung", "resumo",
];

/// Reads a heading. `ticked` is a tick before the text, which makes anything but a finding praise.
pub(crate) fn of(heading: &str, ticked: bool) -> Role {
    let lower = heading.to_lowercase().replace("non-critical", "noncritical").replace("anti-pattern", "antipattern");
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(40).collect();
    let has = |known: &[&str]| {
        words.iter().any(|word| known.contains(word)) || known.iter().any(|k| !k.is_ascii() && lower.contains(k))
    };
    let starts = |known: &[&str]| words.iter().any(|word| known.iter().any(|k| word.starts_with(k)));
    let announces = starts(FINDINGS) || ["问题", "漏洞", "缺陷", "风险", "错误", "問題", "脆弱性"].iter().any(|k| lower.contains(k));
    if ticked || (starts(PRAISE) && !announces) || has_pair(&words, "no", &["issues", "findings", "vulnerabilities"]) {
        return Role::Praise;
    }
    if ["what s", "what is"].iter().any(|_| words.first() == Some(&"what")) || has_pair(&words, "out", &["of"]) {
        return Role::Aside;
    }
    if has_pair(&words, "key", &["findings", "issues", "takeaways"]) || has_pair(&words, "by", &["severity", "priority"]) {
        return Role::Summary;
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
    if has(SUMMARY) && !has(&["detailed"]) {
        // `Summary of findings` sums up; `Scope` may be the only heading above the findings.
        return Role::Summary;
    }
    let advice = has(ASIDE) || starts(&["recommend"]) || has_pair(&words, "next", &["steps", "actions"])
        || has_pair(&words, "action", &["items", "plan"]) || has_pair(&words, "how", &["to"])
        || matches!(lower.trim(), "建议" | "改进建议" | "优化建议" | "修复建议" | "tools" | "tools used" | "tests run" | "suggestions" | "tool used");
    if advice && !(announces && !starts(&["recommend", "priorit", "mitigat"]) && !has(&["assessment", "matrix", "statistics", "metrics", "criteria", "distribution", "breakdown", "definitions", "classification", "impact", "plan", "verification", "references", "legend", "scores", "score", "timeline", "appendix"])) {
        return Role::Aside;
    }
    if announces { Role::Findings } else { Role::Neutral }
}

/// Whether a heading with a severity names a group: by its words, or because a noun for groups follows the severity.
fn is_group(words: &[&str], lower: &str) -> bool {
    let plain = |word: &&str| {
        COMMON.contains(word) || severity::of_word(word).is_some() || severity::is_companion(word)
            || FINDINGS.iter().any(|known| word.starts_with(known)) || word.bytes().all(|byte| byte.is_ascii_digit())
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

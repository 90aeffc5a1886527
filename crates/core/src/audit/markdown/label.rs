//! The labels with which reports begin a part of a finding: `Location:`, `**Fix**`, `修复：`.

/// What the text behind a label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Label {
    Severity,
    Cvss,
    Location,
    /// Names places too, but only by the way (`References`).
    Evidence,
    Fix,
    Status,
    /// When it was fixed: a status without a word for it.
    FixedOn,
    Category,
    Acceptance,
    Effort,
    /// Belongs to the description and says what is wrong (`Impact`, `Problem`).
    Problem,
    /// Belongs to the description, and says little about whether this is a finding (`Note`, `Current`).
    Other,
}

const LABELS: &[(&str, Label)] = &[
    ("severity", Label::Severity), ("severity level", Label::Severity), ("risk level", Label::Severity),
    ("risk rating", Label::Severity), ("risk", Label::Severity), ("priority", Label::Severity), ("严重程度", Label::Severity),
    ("严重性", Label::Severity), ("严重级别", Label::Severity), ("级别", Label::Severity), ("等级", Label::Severity),
    ("优先级", Label::Severity), ("风险等级", Label::Severity), ("重要度", Label::Severity), ("深刻度", Label::Severity),
    ("severidad", Label::Severity), ("severidade", Label::Severity), ("gravité", Label::Severity),
    ("schweregrad", Label::Severity), ("심각도", Label::Severity), ("rating", Label::Severity),
    ("cvss", Label::Cvss), ("cvss score", Label::Cvss), ("cvss base score", Label::Cvss), ("cvss v3", Label::Cvss),
    ("location", Label::Location), ("locations", Label::Location), ("file", Label::Location), ("files", Label::Location),
    ("path", Label::Location), ("paths", Label::Location), ("where", Label::Location), ("affected", Label::Location),
    ("affected files", Label::Location), ("affected file", Label::Location), ("affected code", Label::Location),
    ("affected component", Label::Location), ("affected components", Label::Location), ("affected lines", Label::Location),
    ("code location", Label::Location), ("file path", Label::Location), ("line", Label::Location), ("lines", Label::Location),
    ("source", Label::Location), ("target", Label::Location), ("context", Label::Location), ("module", Label::Location),
    ("位置", Label::Location), ("文件", Label::Location), ("路径", Label::Location), ("涉及文件", Label::Location),
    ("文件位置", Label::Location), ("代码位置", Label::Location), ("場所", Label::Location), ("ファイル", Label::Location),
    ("ubicación", Label::Location), ("archivo", Label::Location), ("arquivo", Label::Location), ("fichier", Label::Location),
    ("datei", Label::Location), ("위치", Label::Location), ("파일", Label::Location),
    ("reference", Label::Evidence), ("references", Label::Evidence), ("evidence", Label::Evidence), ("code", Label::Evidence),
    ("code snippet", Label::Evidence), ("example", Label::Evidence), ("examples", Label::Evidence),
    ("instances", Label::Evidence), ("示例", Label::Evidence), ("代码", Label::Evidence), ("links", Label::Evidence),
    ("link", Label::Evidence), ("参考", Label::Evidence),
    ("fix", Label::Fix), ("fixes", Label::Fix), ("fix required", Label::Fix), ("fix applied", Label::Fix),
    ("fix suggestion", Label::Fix), ("suggested fix", Label::Fix), ("recommended fix", Label::Fix),
    ("proposed fix", Label::Fix), ("how to fix", Label::Fix), ("recommendation", Label::Fix),
    ("recommendations", Label::Fix), ("recommended", Label::Fix), ("remediation", Label::Fix), ("mitigation", Label::Fix),
    ("mitigations", Label::Fix), ("solution", Label::Fix), ("solution implemented", Label::Fix), ("resolution", Label::Fix),
    ("suggestion", Label::Fix), ("suggestions", Label::Fix), ("recommended mitigation steps", Label::Fix),
    ("recommended mitigation", Label::Fix), ("mitigation steps", Label::Fix), ("remediation steps", Label::Fix),
    ("recommended action", Label::Fix), ("action", Label::Fix), ("action required", Label::Fix), ("proposal", Label::Fix),
    ("refactor", Label::Fix), ("improvement", Label::Fix), ("fixed in", Label::Fix), ("recommended split", Label::Fix),
    ("needed", Label::Fix), ("recommended solution", Label::Fix), ("recommended change", Label::Fix),
    ("修复", Label::Fix), ("修复建议", Label::Fix), ("修复方案", Label::Fix), ("建议", Label::Fix), ("优化", Label::Fix),
    ("优化建议", Label::Fix), ("解决方案", Label::Fix), ("改进建议", Label::Fix), ("修改建议", Label::Fix), ("改进", Label::Fix),
    ("建议增加", Label::Fix), ("修正", Label::Fix), ("対策", Label::Fix), ("修正案", Label::Fix), ("推奨", Label::Fix),
    ("solución", Label::Fix), ("recomendación", Label::Fix), ("correção", Label::Fix), ("recomendação", Label::Fix),
    ("empfehlung", Label::Fix), ("correction", Label::Fix), ("recommandation", Label::Fix), ("解決策", Label::Fix),
    ("status", Label::Status), ("state", Label::Status), ("状态", Label::Status), ("estado", Label::Status),
    ("update", Label::Status), ("remediation status", Label::Status), ("fix status", Label::Status), ("修复状态", Label::Status),
    ("fixed", Label::FixedOn), ("resolved", Label::FixedOn), ("fixed on", Label::FixedOn), ("resolved in", Label::FixedOn),
    ("category", Label::Category), ("type", Label::Category), ("cwe", Label::Category), ("owasp", Label::Category),
    ("类别", Label::Category), ("类型", Label::Category), ("分类", Label::Category), ("area", Label::Category),
    ("acceptance", Label::Acceptance), ("acceptance criteria", Label::Acceptance), ("done when", Label::Acceptance),
    ("验收标准", Label::Acceptance), ("definition of done", Label::Acceptance), ("success criteria", Label::Acceptance),
    ("effort", Label::Effort), ("estimated effort", Label::Effort), ("estimate", Label::Effort), ("eta", Label::Effort),
    ("complexity", Label::Effort), ("工作量", Label::Effort), ("time", Label::Effort), ("fix effort", Label::Effort),
    ("description", Label::Problem), ("issue", Label::Problem), ("problem", Label::Problem), ("details", Label::Problem),
    ("detail", Label::Problem), ("impact", Label::Problem), ("why it matters", Label::Problem),
    ("attack vector", Label::Problem), ("attack scenario", Label::Problem), ("exploit scenario", Label::Problem),
    ("root cause", Label::Problem), ("proof of concept", Label::Problem), ("poc", Label::Problem),
    ("vulnerability detail", Label::Problem), ("vulnerability details", Label::Problem), ("finding", Label::Problem),
    ("finding description", Label::Problem), ("steps to reproduce", Label::Problem), ("reproduction", Label::Problem),
    ("exploitability", Label::Problem), ("likelihood", Label::Problem), ("consequence", Label::Problem),
    ("vulnerability", Label::Problem), ("reachability", Label::Problem), ("confidence", Label::Problem),
    ("observation", Label::Problem), ("concern", Label::Problem), ("analysis", Label::Problem), ("cause", Label::Problem),
    ("details & impact", Label::Problem), ("impact explanation", Label::Problem), ("scenario", Label::Problem),
    ("问题", Label::Problem), ("描述", Label::Problem), ("风险", Label::Problem), ("影响", Label::Problem),
    ("问题描述", Label::Problem), ("原因", Label::Problem), ("说明", Label::Problem), ("問題", Label::Problem),
    ("descripción", Label::Problem), ("problema", Label::Problem), ("impacto", Label::Problem), ("影響", Label::Problem),
    ("beschreibung", Label::Problem), ("auswirkung", Label::Problem), ("descrição", Label::Problem), ("危害", Label::Problem),
    ("summary", Label::Other), ("note", Label::Other), ("notes", Label::Other), ("current", Label::Other),
    ("current code", Label::Other), ("expected", Label::Other), ("actual", Label::Other), ("before", Label::Other),
    ("after", Label::Other), ("tool used", Label::Other), ("tools used", Label::Other), ("background", Label::Other),
    ("verification", Label::Other), ("package", Label::Other), ("component", Label::Other), ("pattern", Label::Other),
    ("current mitigation", Label::Other), ("existing mitigations", Label::Other), ("files modified", Label::Other),
    ("tests", Label::Other), ("testing", Label::Other), ("discussion", Label::Other), ("tidbit", Label::Other),
    ("benefits", Label::Other), ("rationale", Label::Other), ("实际风险", Label::Other), ("注意", Label::Other),
    ("assessed type", Label::Other), ("comments", Label::Other), ("response", Label::Other), ("当前索引", Label::Other),
    ("example usage", Label::Other), ("example payloads", Label::Other), ("platform", Label::Other),
];

/// The label that a text is, without regard to case, a trailing colon or what stands in parentheses behind it.
pub(crate) fn of(text: &str) -> Option<Label> {
    let text = text.trim().trim_matches(|c: char| matches!(c, ':' | '：' | '*' | '.' | ' '));
    let text = match text.split_once(['(', '（']) {
        Some((before, _)) if !before.trim().is_empty() => before,
        _ => text,
    };
    let start = text.find(|c: char| c.is_alphanumeric())?;
    // An emoji may stand before a label, but not a word.
    let text = text.get(start..)?.trim();
    if text.len() > 48 {
        return None;
    }
    let lower = text.to_lowercase();
    LABELS.iter().find(|(known, _)| *known == lower).map(|&(_, label)| label)
}

impl Label {
    /// Whether a section or list entry so named is part of a finding and none itself.
    pub(crate) fn shows_finding(self) -> bool {
        !matches!(self, Self::Other | Self::Effort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_any_case_and_with_a_remark() {
        assert_eq!(of("Recommended fix:"), Some(Label::Fix));
        assert_eq!(of("Fix (recommended in the doc):"), Some(Label::Fix));
        assert_eq!(of("**修复**："), Some(Label::Fix));
        assert_eq!(of("Fixing the parser"), None);
    }
}

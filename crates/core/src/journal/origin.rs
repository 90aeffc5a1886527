//! Where a child came from: which audit, which finding's words, which pattern. Told by labels of ours and by intents, never by text.

use crate::{
    audit::{Complexity, FindingType, Scope, Severity},
    id::Number,
    text::Label,
};
use serde::{Deserialize, Serialize};

/// Where a child came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The audit issue whose findings it is of (A12).
    pub audit_issue: Option<Number>,
    /// Type of the finding.
    pub category: Option<FindingType>,
    /// Severity of the finding; the worst where labels name several.
    pub severity: Option<Severity>,
    /// How far its locations are spread.
    pub scope: Option<Scope>,
    /// How much work it was taken to be.
    pub complexity: Option<Complexity>,
    /// The child belongs to a pattern: it is one of its findings, or the issue that mends them in one place (A7).
    pub pattern: bool,
    /// The pattern's framework issue; the child itself where it is that issue.
    pub framework_issue: Option<Number>,
}

impl Origin {
    /// What the labels of the child say; audit and pattern are not told by labels.
    pub fn of_labels(labels: &[Label]) -> Self {
        let words = || labels.iter().map(Label::as_str);
        Self {
            audit_issue: None,
            category: words().filter_map(|w| w.parse().ok()).min(),
            severity: words().filter_map(|w| w.parse().ok()).min(),
            scope: words().filter_map(|w| w.parse().ok()).max(),
            complexity: words().filter_map(|w| w.strip_prefix("complexity:")?.parse().ok()).max(),
            pattern: false,
            framework_issue: None,
        }
    }
}

/// The labels of an issue that tell where it came from. A label can be anybody's words: only those of A5, A8 and A9 go into a journal.
pub fn origin_labels(labels: &[Label]) -> Vec<Label> {
    labels.iter().filter(|label| is_origin_label(label.as_str())).cloned().collect()
}

/// Whether a label is one of ours that tells where an issue came from.
pub fn is_origin_label(label: &str) -> bool {
    let word = |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase());
    match label.split_once(':') {
        Some(("complexity", size)) => size.parse::<Complexity>().is_ok(),
        Some(("lang", language)) => word(language),
        Some(_) => false,
        None => {
            matches!(label, "audit" | "stale-location" | "direct-dispatch")
                || label.parse::<Severity>().is_ok()
                || label.parse::<FindingType>().is_ok()
                || label.parse::<Scope>().is_ok()
        }
    }
}

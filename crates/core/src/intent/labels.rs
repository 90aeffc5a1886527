//! Labels that Banksman itself gives and reads.

use crate::text::Label;

/// Label that calls a person (X8).
pub const NEEDS_INTERVENTION: &str = "needs-intervention";
/// Label of a feature that waits for a person (X3).
pub const NEEDS_APPROVAL: &str = "needs-approval";
/// Label by which a person approves a feature.
pub const APPROVED: &str = "approved";
/// Label of an epic (E7).
pub const AGENTIC: &str = "agentic";

/// A compiled-in label as a value. The constants above satisfy the shape; the fallback cannot be reached.
pub fn label(text: &'static str) -> Label {
    #[expect(
        clippy::expect_used,
        reason = "only called with the constants of this module, checked by a test"
    )]
    Label::new(text).expect("a compiled-in label is valid")
}

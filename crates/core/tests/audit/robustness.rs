//! Any bytes at all: no panic, the same answer every time, time in proportion to the length.

use std::time::{Duration, Instant};

use banksman_core::audit::{self, AuditError, MAX_REPORT_BYTES};
use proptest::prelude::*;

fn parsed_twice(bytes: &[u8]) {
    let first = audit::parse(bytes, "x.md");
    assert_eq!(first, audit::parse(bytes, "x.md"));
    if let Ok(report) = first {
        let plan = audit::plan(std::slice::from_ref(&report), &|path| path.len() % 2 == 0);
        assert_eq!(plan, audit::plan(&[report], &|path| path.len() % 2 == 0));
    }
}

fn markdownish() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "# ",
        "## ",
        "### ",
        "#### ",
        "High",
        "Critical",
        "Medium",
        " issues",
        "Findings",
        "H-1: ",
        "[M-02] ",
        "1. ",
        "1.2 ",
        "- ",
        "- [ ] ",
        "- [x] ",
        "  ",
        "**",
        "**Severity:** ",
        "**File**: `src/a.rs:1-2`",
        "Fix: ",
        "`",
        "```\n",
        "|",
        "|-|-|\n",
        "| ID | Issue | Severity |\n",
        "~~",
        "✅ ",
        "🔴",
        "【严重】",
        "位置：",
        "修复",
        "(High)",
        "FIXED",
        "\n",
        "\n\n",
        ":",
        "：",
        "—",
        "é",
        "words of text",
        "Recommendations",
        "Summary",
        "> ",
        "<b>",
        "&amp;",
        "[a](b)",
        "\u{200b}",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parsed_twice(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,300}") {
        parsed_twice(text.as_bytes());
    }

    #[test]
    fn any_markdown_is_answered(text in markdownish()) {
        parsed_twice(text.as_bytes());
    }

    #[test]
    fn any_json_is_answered(text in "\\{\"(runs|vulnerabilities|advisories|metadata)\":[\\[\\]{}\":,a-z0-9]{0,60}\\}") {
        parsed_twice(text.as_bytes());
    }
}

#[test]
fn hostile_shapes_cost_what_they_weigh() {
    let size = MAX_REPORT_BYTES / 16;
    let deep: String = (0..400).map(|depth| format!("{}- a\n", " ".repeat(depth * 2))).collect();
    let shapes: Vec<String> = [
        "#",
        "|",
        "[",
        ">",
        "- ",
        "*",
        "`",
        "_",
        "**a",
        "](",
        "<a ",
        "~~",
        "\\",
        "> ",
        "1. ",
        "\n",
        "a `b` **c:** d\n",
        "**a b**\n\n",
        "|a",
        "# a\n",
        "- a\n",
    ]
    .iter()
    .map(|piece| piece.repeat(size / piece.len()))
    .chain([
        format!("{deep}{}", "\n".repeat(size)),
        format!("{}a\n{}", "> ".repeat(20_000), "\n".repeat(size)),
    ])
    .chain([format!("{}|\n{}|\n{}", "|a".repeat(2_000), "|-".repeat(2_000), "|\n".repeat(size / 4))])
    .collect();
    for shape in shapes {
        let start = Instant::now();
        audit::parse(shape.as_bytes(), "x.md").unwrap();
        let took = start.elapsed();
        // A sixteenth of the limit takes a fraction of a second; what grows with the square would take hours.
        assert!(took < Duration::from_secs(30), "{took:?} for {:?}...", &shape[..16.min(shape.len())]);
    }
}

#[test]
fn reports_that_cannot_be_read_say_why() {
    let large = audit::parse(&vec![b'x'; MAX_REPORT_BYTES + 1], "large.md").unwrap_err();
    assert!(matches!(large, AuditError::TooLarge { .. }));
    let binary = audit::parse(b"\x7fELF\x02\x01\x01\0\0", "tool").unwrap_err();
    assert!(matches!(binary, AuditError::Binary { .. }));
    let broken = audit::parse(b"{\"runs\": [\n", "scan.sarif").unwrap_err();
    assert_eq!(
        broken.to_string(),
        "scan.sarif:2:0: malformed JSON; write the report again with the tool that made it"
    );
    let unknown = audit::parse(b"{\"a\": 1}", "a.json").unwrap_err();
    assert!(unknown.to_string().starts_with("a.json: JSON, but neither SARIF"), "{unknown}");
    assert_eq!(audit::parse(b"", "empty.md").unwrap().findings, []);
}

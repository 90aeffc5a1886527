//! A stranger's text in a draft: it notifies nobody, refers to nothing, closes nothing and cannot leave its quote.

use banksman_core::audit::{self, Finding, IssueDraft, Report};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

use crate::report;

fn drafts(report: Report) -> Vec<IssueDraft> {
    let plan = audit::plan(&[report], &|_| true);
    let audit = plan.audits.into_iter().next().unwrap();
    audit
        .issues
        .into_iter()
        .map(|issue| issue.draft)
        .chain(audit.patterns.into_iter().map(|pattern| pattern.draft))
        .collect()
}

/// What a forge would react to, in the text as it is stored.
fn effects(text: &str) -> Option<String> {
    let patterns = [
        r"@[A-Za-z0-9_-]",
        r"#[0-9]",
        r"(?i)\bgh-[0-9]",
        r"(?i)\b[a-z]+://",
        r"(?i)\bwww\.",
        r"(?i)\b(close[sd]?|fix(e[sd])?|resolve[sd]?)\b:?\s+([\w./-]*#[0-9]|gh-[0-9]|https?://)",
        "[\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{feff}]",
        "[\u{0}-\u{8}\u{b}-\u{1f}\u{7f}-\u{9f}]",
    ];
    patterns
        .iter()
        .find_map(|pattern| Regex::new(pattern).unwrap().find(text).map(|found| found.as_str().to_owned()))
}

/// What a body is when rendered: the boxes, headings outside quotes, and anything but text inside quotes.
fn structure(body: &str) -> (usize, Vec<String>, Vec<String>) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES;
    let (mut boxes, mut headings, mut foreign) = (0, Vec::new(), Vec::new());
    let (mut quoted, mut heading) = (0, false);
    for event in Parser::new_ext(body, options) {
        match event {
            Event::Start(Tag::BlockQuote(_)) => quoted += 1,
            Event::End(TagEnd::BlockQuote(_)) => quoted -= 1,
            Event::Start(Tag::Paragraph)
            | Event::End(TagEnd::Paragraph)
            | Event::SoftBreak
            | Event::HardBreak => {}
            Event::Text(text) if heading => headings.push(text.to_string()),
            Event::Text(_) => {}
            event if quoted > 0 => foreign.push(format!("{event:?}")),
            Event::TaskListMarker(_) => boxes += 1,
            Event::Start(Tag::Heading { .. }) => heading = true,
            Event::End(TagEnd::Heading(_)) => heading = false,
            Event::Start(Tag::List(_) | Tag::Item)
            | Event::End(TagEnd::List(_) | TagEnd::Item)
            | Event::Code(_) => {}
            event => foreign.push(format!("{event:?}")),
        }
    }
    (boxes, headings, foreign)
}

fn assert_harmless(draft: &IssueDraft, criteria: usize) {
    assert_eq!(effects(&draft.title), None, "{}", draft.title);
    assert_eq!(effects(&draft.body), None, "{}", draft.body);
    let (boxes, headings, foreign) = structure(&draft.body);
    assert_eq!(foreign, [""; 0], "{}", draft.body);
    assert_eq!(boxes, criteria, "{}", draft.body);
    let ours = ["Finding", "Findings", "Location", "Fix", "Acceptance criteria"];
    assert!(headings.iter().all(|heading| ours.contains(&heading.as_str())), "{headings:?}");
}

fn check(report: Report) {
    let criteria: Vec<usize> = report.open().map(|finding: &Finding| finding.acceptance.len()).collect();
    let drafts = drafts(report);
    for (draft, criteria) in drafts.iter().zip(criteria.into_iter().chain(std::iter::repeat(2))) {
        assert_harmless(draft, criteria);
    }
}

#[test]
fn a_hostile_report_gives_harmless_issues() {
    let report = report("hostile.md");
    let shown: String = drafts(report.clone())
        .iter()
        .map(|draft| format!("{}\n\n{}\n====\n", draft.title, draft.body))
        .collect();
    insta::assert_snapshot!(shown);
    check(report);
}

#[test]
fn the_audit_issue_is_the_only_reference() {
    let mut report = report("rules.md");
    report.issue = Some(77);
    assert!(
        drafts(report)
            .iter()
            .all(|draft| draft.body.starts_with("Audit: #77") && draft.body.matches('#').count() >= 1)
    );
}

/// Pieces that mean something to a forge or to Markdown, in any order.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "@bob",
        "@org/team",
        "#12",
        "o/r#3",
        "GH-4",
        "gh-5",
        "fixes ",
        "Closes: ",
        "resolved ",
        "https://github.com/o/r/issues/1",
        "www.x.org",
        "- [ ] ",
        "- [x] #5",
        "\n",
        "\n\n",
        "\n> ",
        "> ",
        "```",
        "\n```\n",
        "~~~\n",
        "<b>",
        "</details>",
        "<!--",
        "-->",
        "&#64;bob",
        "&commat;x",
        "# ",
        "\n# Phase\n",
        "\n---\n",
        "===\n",
        "|a|b|\n|-|-|\n",
        "[x]: http://e",
        "[a](javascript:x)",
        "![i](u)",
        "`",
        "``",
        "\\",
        "\\@",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "\t",
        "    ",
        "\u{202e}",
        "\u{200b}",
        "\u{1b}[31m",
        "\u{1b}]0;t\u{7}",
        "\u{feff}",
        "1. ",
        "2) ",
        "+ ",
        "* ",
        "$x$",
        "[^1]",
        "\r",
        "\u{2028}",
        "a",
        "word ",
        "é",
        "中",
        "@\u{200b}bob",
        "#\u{200b}1",
        "G\u{200b}H-1",
        "w\u{200b}ww.",
        "http:\u{200b}//",
        ":",
        "//",
        "@",
        "#",
        "1",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_hostile_survives(title in hostile(), text in hostile(), fix in hostile(), criterion in hostile(), path in hostile()) {
        let report = report("rules.md");
        let mut finding = report.findings[0].clone();
        finding.title = title;
        finding.text = text;
        finding.fix = Some(fix);
        finding.acceptance = vec![criterion.clone(), criterion];
        finding.locations[0].path = path.replace('\n', "");
        let report = Report { findings: vec![finding], name: "a.md".to_owned(), ..report };
        check(report);
    }
}

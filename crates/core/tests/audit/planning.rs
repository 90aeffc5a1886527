//! Plans: what would be created, what not and why, what blocks what.

use std::collections::BTreeSet;

use banksman_core::audit::{self, MAX_TITLE, PatternKind, Report, StageOnePlan};
use proptest::prelude::*;

use crate::report;

fn everything(_: &str) -> bool {
    true
}

#[test]
fn a_plan_is_what_people_expect_to_see() {
    let plan = audit::plan(&[report("headings.md")], &|path| path != "crates/ledger/src/retry.rs");
    let audit = &plan.audits[0];
    let issue = &audit.issues[0].draft;
    insta::assert_snapshot!(format!("{}\n{}\n\n{}", issue.title, issue.labels.join(", "), issue.body));
    assert_eq!(audit.issues.len(), 1);
    assert_eq!(audit.closed.len(), 3);
    insta::assert_snapshot!(
        audit
            .closed
            .iter()
            .map(|closed| format!("{}: {}\n", closed.title, closed.reason))
            .collect::<String>()
    );
}

#[test]
fn few_issues_go_without_an_epic() {
    let few = audit::plan(&[report("checklist.md")], &everything);
    assert!(few.audits[0].direct_dispatch);
    assert!(
        few.audits[0].issues.iter().all(|issue| issue
            .draft
            .labels
            .iter()
            .any(|label| label == "direct-dispatch"))
    );
    let many = audit::plan(&[report("nested.md")], &everything);
    assert!(!many.audits[0].direct_dispatch);
}

#[test]
fn findings_of_one_rule_wait_for_a_framework_issue() {
    let plan = audit::plan(&[report("rules.md")], &everything);
    let audit = &plan.audits[0];
    assert_eq!(audit.patterns.len(), 1);
    let pattern = &audit.patterns[0];
    assert_eq!(pattern.kind, PatternKind::Rule);
    assert_eq!(pattern.packages, ["scripts", "server", "tools"]);
    assert!(pattern.draft.labels.iter().any(|label| label == "framework"));
    let waiting = audit.issues.iter().filter(|issue| issue.blocked_by.as_ref() == Some(&pattern.id)).count();
    assert_eq!(waiting, 3);
    insta::assert_snapshot!(format!(
        "{}\n{}\n\n{}",
        pattern.draft.title,
        pattern.draft.labels.join(", "),
        pattern.draft.body
    ));
}

#[test]
fn likeness_of_fixes_is_enough_for_a_pattern_and_its_lack_is_not() {
    let entry = |name: &str, fix: &str| {
        format!("### Thing {name} goes wrong\n\n**File:** `crates/{name}/src/lib.rs`\n\n**Fix:** {fix}\n\n")
    };
    let like = ["alpha", "beta", "gamma"]
        .map(|name| entry(name, &format!("Create the file in `{name}` with restricted permissions.")))
        .concat();
    let unlike = entry("delta", "Rename the module.")
        + &entry("epsilon", "Delete the dead branch.")
        + &entry("zeta", "Write tests.");
    let text = format!("# Audit\n\n## High issues\n\n{like}{unlike}");
    let report = audit::parse(text.as_bytes(), "a.md").unwrap();
    let patterns = audit::patterns(&report);
    assert_eq!(patterns.len(), 1);
    assert_eq!((patterns[0].kind, patterns[0].members.len()), (PatternKind::Fix, 3));
}

#[test]
fn absolute_paths_of_another_machine_find_their_file() {
    let text = "# A\n\n## High issues\n\n### Broken thing here\n\n**File:** `/home/x/shop/src/a.rs:3`\n\n**Fix:** mend it\n";
    let plan = audit::plan(&[audit::parse(text.as_bytes(), "a.md").unwrap()], &|path| path == "src/a.rs");
    let issue = &plan.audits[0].issues[0];
    assert_eq!(issue.locations[0].to_string(), "src/a.rs:3");
    assert_eq!(issue.stale, [""; 0]);
}

#[test]
fn plans_survive_their_json() {
    let plan = audit::plan(&[report("rules.md"), report("headings.md")], &everything);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<StageOnePlan>(&json).unwrap(), plan);
}

#[test]
fn the_same_report_twice_plans_nothing_twice() {
    let plan = audit::plan(&[report("nested.md"), report("nested.md")], &everything);
    assert!(plan.audits[1].issues.is_empty());
    assert_eq!(audit::plan(&[report("nested.md")], &everything).audits[0], plan.audits[0]);
}

#[test]
fn lines_and_marks_do_not_change_a_fingerprint() {
    let before =
        audit::parse(b"# A\n\n## High issues\n\n### Leak of handles\n\n**File:** `a/b.rs:10`\n", "a.md")
            .unwrap();
    let after = audit::parse(
        b"# A\n\nNew text.\n\n## High issues\n\n### leak of handles! (High)\n\n**File:** `a/b.rs:99`\n",
        "a.md",
    )
    .unwrap();
    assert_eq!(before.findings[0].fingerprint, after.findings[0].fingerprint);
}

fn shuffled(report: &Report, order: &[usize]) -> Report {
    let mut other = report.clone();
    other.findings = order.iter().map(|&at| report.findings[at].clone()).collect();
    other
}

proptest! {
    #[test]
    fn patterns_do_not_depend_on_the_order(order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle()) {
        let report = report("rules.md");
        prop_assert_eq!(audit::patterns(&shuffled(&report, &order)), audit::patterns(&report));
    }

    #[test]
    fn titles_are_short_and_on_one_line(title in "\\PC{1,200}", path in "[a-zA-Z0-9_/.-]{1,60}") {
        let text = format!("# A\n\n## High issues\n\n### Finding 1: abc {title}\n\n**File:** `{path}.rs`\n");
        let report = audit::parse(text.as_bytes(), "a.md").unwrap();
        let plan = audit::plan(&[report], &everything);
        for issue in &plan.audits[0].issues {
            prop_assert!(issue.draft.title.chars().count() <= MAX_TITLE, "{}", issue.draft.title);
            prop_assert!(!issue.draft.title.contains(char::is_control));
            let labels: BTreeSet<_> = issue.draft.labels.iter().collect();
            prop_assert_eq!(labels.len(), issue.draft.labels.len());
        }
    }
}

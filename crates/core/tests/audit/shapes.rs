//! What is read out of each shape of report, as people would check it: one line per finding.

use banksman_core::audit::{Finding, FindingStatus, Report};

use crate::report;

fn line(finding: &Finding) -> String {
    let stated = if finding.severity_stated { "" } else { "?" };
    let id = finding.id.as_ref().map(|id| format!("[{id}] ")).unwrap_or_default();
    let places = finding.locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fix =
        finding.fix.as_deref().map(|fix| format!(" | fix: {}", fix.replace('\n', " / "))).unwrap_or_default();
    format!(
        "{:>3} {}{stated} {} {} {} {} | {id}{} | {places}{fix}\n",
        finding.line,
        finding.severity,
        finding.status,
        finding.kind,
        finding.scope,
        finding.complexity,
        finding.title
    )
}

fn shown(report: &Report) -> String {
    format!("{} ({})\n{}", report.title, report.format, report.findings.iter().map(line).collect::<String>())
}

macro_rules! reads {
    ($($name:ident: $file:literal,)+) => { $(
        #[test]
        fn $name() {
            insta::assert_snapshot!(shown(&report($file)));
        }
    )+ };
}

reads! {
    headings_with_fields: "headings.md",
    headings_and_lists_below_severities: "nested.md",
    tables_and_the_summary_of_them: "tables.md",
    numbered_lists_with_bold_leads: "lists.md",
    entries_grouped_as_risks: "groups.md",
    remarks_without_marks: "remarks.md",
    open_boxes_of_a_checklist: "checklist.md",
    a_report_where_all_but_one_is_fixed: "all_fixed.md",
    chinese: "chinese.md",
    plain_text: "plain.txt",
    a_file_with_one_finding: "single.md",
    findings_on_the_wrong_level: "mismatched.md",
    windows_1252: "cp1252.md",
    sarif: "sarif.json",
    npm_6: "npm_v1.json",
    npm_7: "npm_v2.json",
    cargo_audit: "cargo_audit.json",
    one_rule_in_many_files: "rules.md",
    severities_in_bold_without_a_colon: "bold_severities.md",
    titles_that_begin_with_a_severity: "rated_titles.md",
}

#[test]
fn clean_reports_and_command_output_have_no_findings() {
    for name in ["none.md", "grep.txt"] {
        assert_eq!(report(name).findings, [], "{name}");
    }
}

#[test]
fn acceptance_criteria_come_from_the_boxes_of_a_finding() {
    let report = report("headings.md");
    assert_eq!(
        report.findings[0].acceptance,
        ["A retried request books once", "The key is unique per account"]
    );
    assert_eq!(report.findings[0].status, FindingStatus::Open);
    assert!(report.findings[0].text.contains("book(&from, &to, amount)"));
}

#[test]
fn every_finding_of_a_report_has_a_fingerprint_of_its_own() {
    let report = report("rules.md");
    let prints: std::collections::BTreeSet<_> =
        report.findings.iter().map(|finding| &finding.fingerprint).collect();
    assert_eq!(prints.len(), report.findings.len());
}

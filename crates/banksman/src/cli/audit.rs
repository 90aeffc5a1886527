//! `audit`: reads a report and makes one issue per open finding. With `--file` and `--dry-run` it needs no repository and no home.

use crate::{
    app::App,
    output::{Cell, Exit, Failure, Table, clean, style},
};
use anyhow::Context;
use banksman_core::audit::{self, Finding, FindingStatus, Report, Severity};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Read an audit report and make an issue of every open finding.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The report: Markdown, SARIF, or JSON of `cargo audit` or `npm audit`.
    #[arg(long, value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// Show what would be created, and create nothing.
    #[arg(long)]
    dry_run: bool,
}

/// A finding as scripts get it.
#[derive(Serialize)]
struct FindingShown<'a> {
    title: &'a str,
    id: Option<&'a str>,
    text: &'a str,
    severity: Severity,
    severity_stated: bool,
    #[serde(rename = "type")]
    kind: audit::FindingType,
    scope: audit::Scope,
    complexity: audit::Complexity,
    status: FindingStatus,
    locations: Vec<String>,
    fix: Option<&'a str>,
    acceptance: &'a [String],
    fingerprint: String,
    line: usize,
}

/// A report as scripts get it.
#[derive(Serialize)]
struct ReportShown<'a> {
    report: &'a str,
    title: &'a str,
    format: audit::Format,
    findings: Vec<FindingShown<'a>>,
}

pub(super) fn run(args: &AuditArgs, app: &App) -> anyhow::Result<Exit> {
    let Some(file) = &args.file else {
        return Err(Failure::usage("no report", "Give one with --file FILE."));
    };
    let report = read_report(file)?;
    let shown = ReportShown {
        report: &report.name,
        title: &report.title,
        format: report.format,
        findings: report.findings.iter().map(show).collect(),
    };
    app.page.write(&shown, |_| findings_table(&report))?;
    Ok(Exit::Success)
}

/// Reads and parses a report.
pub(crate) fn read_report(file: &Path) -> anyhow::Result<Report> {
    use std::io::Read;
    let name = file.display().to_string();
    let opened = std::fs::File::open(file).with_context(|| format!("cannot read {name}"))?;
    if opened.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(Failure::new(format!("{name} is a folder"), "Give the report's own file."));
    }
    // One byte more than allowed is enough to see that it is too large.
    let mut bytes = Vec::new();
    let limit = audit::MAX_REPORT_BYTES as u64 + 1;
    let size = opened.metadata().map_or(0, |m| m.len());
    opened.take(limit).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 == limit {
        let size = usize::try_from(size).unwrap_or(usize::MAX).max(bytes.len());
        return Err(audit::AuditError::TooLarge { name, size, limit: audit::MAX_REPORT_BYTES }.into());
    }
    Ok(audit::parse(&bytes, &name)?)
}

fn show(finding: &Finding) -> FindingShown<'_> {
    FindingShown {
        title: &finding.title,
        id: finding.id.as_deref(),
        text: &finding.text,
        severity: finding.severity,
        severity_stated: finding.severity_stated,
        kind: finding.kind,
        scope: finding.scope,
        complexity: finding.complexity,
        status: finding.status,
        locations: finding.locations.iter().map(ToString::to_string).collect(),
        fix: finding.fix.as_deref(),
        acceptance: &finding.acceptance,
        fingerprint: finding.fingerprint.to_string(),
        line: finding.line,
    }
}

/// The findings for people.
fn findings_table(report: &Report) -> String {
    let mut table = Table::new(&["severity", "type", "status", "finding", "where"]);
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Critical | Severity::High => style::BAD,
            Severity::Medium => style::WARN,
            Severity::Low => style::PLAIN,
        };
        let place = finding.locations.first().map(|l| clean(&l.to_string())).unwrap_or_default();
        let status = if finding.is_open() { style::PLAIN } else { style::DIM };
        table.row([
            Cell::new(finding.severity.to_string(), severity),
            finding.kind.to_string().into(),
            Cell::new(finding.status.to_string(), status),
            clean(&finding.title).into(),
            Cell::new(place, style::DIM),
        ]);
    }
    let (all, open) = (report.findings.len(), report.open().count());
    let note = match (all, open) {
        (0, _) => "no findings".to_owned(),
        (_, 0) => format!("{all} findings, none of them open: nothing to do"),
        _ => format!("{all} findings, {open} of them open"),
    };
    format!("{}{}{note}\n", table.text(), if all == 0 { "" } else { "\n" })
}

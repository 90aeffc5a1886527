//! `audit`: reads reports and makes one issue per open finding. With `--file` and `--dry-run` alone it needs no repository and no home.

use crate::{
    app::App,
    home::{Home, Inventory, short},
    host::{Host, Hosted, PlanDrafts, Repository, block_on},
    output::{Cell, Exit, Failure, Table, clean, style},
    surface::Surface,
};
use anyhow::Context;
use banksman_core::{
    audit::{self, Finding, FindingStatus, Report, Severity, StageOnePlan},
    id::Number,
    port::{Forge as _, IssueQuery},
    repo::RepoRules,
    signals::{IssueFacts, TitleKind},
    text::{Label, RepoName},
};
use clap::Args;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Read audit reports and make an issue of every open finding.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The repository: its name or path [default: the one you are in, or the only one].
    repo: Option<String>,
    /// The report: Markdown, SARIF, or JSON of `cargo audit` or `npm audit`.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The audit issue of the forge [default without --file: every open one].
    #[arg(long, value_name = "NUMBER", conflicts_with = "file")]
    issue: Option<u64>,
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
    /// Issues that would be made, or were made; framework issues of patterns last.
    issues: Vec<IssueShown<'a>>,
}

/// An issue of a finding or a pattern as scripts get it.
#[derive(Serialize)]
struct IssueShown<'a> {
    fingerprint: &'a str,
    title: &'a str,
    labels: &'a [String],
    /// Fingerprints of the findings that a framework issue blocks.
    blocks: Vec<&'a str>,
    /// Paths that the repository does not have.
    stale: &'a [String],
    /// The issue's number once it is there.
    number: Option<Number>,
}

/// Whether labels say that an issue is an audit, whatever its title. The issues made of findings have the label too, and a complexity.
pub(super) fn labelled_audit(labels: &[Label]) -> bool {
    labels.iter().any(|label| label.as_str() == "audit")
        && !labels.iter().any(|label| label.as_str().starts_with("complexity:"))
}

/// Numbers of issues by fingerprint.
pub(super) type Made = BTreeMap<String, Number>;

pub(super) fn run(args: &AuditArgs, app: &App) -> anyhow::Result<Exit> {
    if let (Some(file), true, None) = (&args.file, args.dry_run, &args.repo) {
        // Needs no repository and no home: whether the places exist is not judged.
        let report = read_report(file)?;
        let plan = audit::plan(std::slice::from_ref(&report), &|_| true);
        return write(app, &[report], &plan, &Made::new());
    }
    let config = app.config()?;
    let inventory = Inventory::read(&Home::at(&config.settings.home).inventory())?;
    let (repo, entry) = inventory.find(args.repo.as_deref())?;
    let (repo, entry) = (repo, entry.clone());
    let report = args.file.as_deref().map(read_report).transpose()?;
    let folder = match entry.folder() {
        Some(folder) => Some(Repository::inspect(folder, Some(&entry.default_branch))?.paths()?),
        None => None,
    };
    block_on(async {
        let branch = entry.default_branch.clone();
        let rules = entry.rules(&repo, &config.settings)?;
        let hosted = vec![Hosted { repo: repo.clone(), entry, rules: rules.clone() }];
        let policy = Host::sandbox_policy(&config.settings);
        let host = Host::open(&config.settings, policy, hosted, Default::default(), Surface::kept()).await?;
        let reports = match report {
            Some(report) => vec![report],
            None => from_forge(&host, &repo, args.issue.map(Number)).await?,
        };
        let paths = match folder {
            Some(paths) => paths,
            None => host.shared.engine.paths(&repo, &branch).await.context("cannot look at its files")?,
        };
        let plan = audit::plan(&reports, &|path| paths.contains(path.trim_end_matches('/')));
        if args.dry_run {
            return write(app, &reports, &plan, &Made::new());
        }
        let _lock = host.recover().await?;
        let made = create(&host, &rules, &reports, &plan).await?;
        write(app, &reports, &plan, &made)
    })
}

/// The audits among the forge's open issues, or the one that is named.
pub(super) async fn from_forge(
    host: &Host,
    repo: &RepoName,
    wanted: Option<Number>,
) -> anyhow::Result<Vec<Report>> {
    let numbers = match wanted {
        Some(number) => vec![number],
        None => {
            let open = host.shared.forge.issues(repo, &IssueQuery::Open).await?;
            // On GitHub anybody can open an issue with any title; a label takes rights.
            let facts = host.shared.forge.repo(repo).await?;
            let trusted = |i: &IssueFacts| {
                short(repo) != repo.as_str() || i.author == facts.me || facts.allowed.contains(&i.author)
            };
            let is_audit = |i: &&IssueFacts| {
                labelled_audit(&i.labels) || (i.title.kind == Some(TitleKind::Audit) && trusted(i))
            };
            open.iter().filter(is_audit).map(|i| i.number).collect()
        }
    };
    if numbers.is_empty() {
        return Err(Failure::new(
            "no open issue of this repository is an audit",
            "It has to have the label `audit`, or a title that begins with `[Audit]` or `audit:`; or give the report as a file \
             (`audit --file FILE`, `onboard --audit FILE`).",
        ));
    }
    let mut reports = Vec::new();
    for number in numbers {
        let text =
            host.shared.forge.audit(repo, number).await.with_context(|| format!("cannot read #{number}"))?;
        let name = format!("issue-{number}");
        let mut report = text.structure(|text| audit::parse(text.as_bytes(), &name))?;
        report.issue = Some(number.0);
        reports.push(report);
    }
    Ok(reports)
}

/// Makes the issues that are not there yet, then closes the audit issues they came from.
pub(super) async fn create(
    host: &Host,
    rules: &RepoRules,
    reports: &[Report],
    plan: &StageOnePlan,
) -> anyhow::Result<Made> {
    let orchestrator = host.orchestrator()?;
    let (drafts, orders) = PlanDrafts::of(plan);
    let made = orchestrator.create_issues(rules, &orders, &drafts).await.context("cannot make the issues")?;
    let made: Made =
        made.into_iter().map(|(fingerprint, number)| (fingerprint.to_string(), number)).collect();
    for (report, audit) in reports.iter().zip(&plan.audits) {
        if let Some(number) = report.issue {
            let issues = audit.issues.iter().map(|i| &i.draft.fingerprint);
            let patterns = audit.patterns.iter().map(|p| &p.draft.fingerprint);
            let mut created: Vec<Number> =
                issues.chain(patterns).filter_map(|f| made.get(f.as_str()).copied()).collect();
            created.sort_unstable();
            orchestrator
                .close_audit(rules, Number(number), &created)
                .await
                .context("cannot close the audit")?;
        }
    }
    Ok(made)
}

/// Prints each report with its issues: one document, or one per report as JSON lines.
fn write(app: &App, reports: &[Report], plan: &StageOnePlan, made: &Made) -> anyhow::Result<Exit> {
    for (report, audit) in reports.iter().zip(&plan.audits) {
        let issues = audit.issues.iter().map(|i| (&i.draft, &[][..], &i.stale[..]));
        let patterns = audit.patterns.iter().map(|p| (&p.draft, &p.members[..], &[][..]));
        let issues = issues.chain(patterns).map(|(draft, blocks, stale)| IssueShown {
            fingerprint: draft.fingerprint.as_str(),
            title: &draft.title,
            labels: &draft.labels,
            blocks: blocks.iter().map(audit::Fingerprint::as_str).collect(),
            stale,
            number: made.get(draft.fingerprint.as_str()).copied(),
        });
        let shown = ReportShown {
            report: &report.name,
            title: &report.title,
            format: report.format,
            findings: report.findings.iter().map(show).collect(),
            issues: issues.collect(),
        };
        app.page.write(&shown, |shown| findings_table(report) + &issues_table(&shown.issues, made))?;
    }
    Ok(Exit::Success)
}

/// Reads and parses a report.
pub(crate) fn read_report(file: &Path) -> anyhow::Result<Report> {
    use std::io::Read;
    let path = file.display().to_string();
    // Known by the file's name, so that a rerun from another folder finds its issues again.
    let name = file.file_name().map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned());
    let opened = std::fs::File::open(file).with_context(|| format!("cannot read {path}"))?;
    if opened.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(Failure::new(format!("{path} is a folder"), "Give the report's own file."));
    }
    // One byte more than allowed is enough to see that it is too large.
    let mut bytes = Vec::new();
    let limit = audit::MAX_REPORT_BYTES as u64 + 1;
    let size = opened.metadata().map_or(0, |m| m.len());
    opened.take(limit).read_to_end(&mut bytes).with_context(|| format!("cannot read {path}"))?;
    if bytes.len() as u64 == limit {
        let size = usize::try_from(size).unwrap_or(usize::MAX).max(bytes.len());
        return Err(audit::AuditError::TooLarge { name: path, size, limit: audit::MAX_REPORT_BYTES }.into());
    }
    // A mistake is told with the path that was given.
    Ok(audit::parse(&bytes, &name).or_else(|_| audit::parse(&bytes, &path))?)
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

/// The issues for people.
fn issues_table(issues: &[IssueShown<'_>], made: &Made) -> String {
    if issues.is_empty() {
        return String::new();
    }
    let head = if made.is_empty() { "\nIssues that would be made:\n" } else { "\nIssues:\n" };
    let mut table = Table::new(&[]);
    for issue in issues {
        let number = issue.number.map_or_else(|| "new".to_owned(), |n| format!("#{n}"));
        let note = match (issue.blocks.len(), issue.stale.len()) {
            (0, 0) => String::new(),
            (0, _) => "stale location".to_owned(),
            (n, _) => format!("framework: blocks {n}"),
        };
        table.row([
            Cell::new(number, style::HEAD),
            clean(issue.title).into(),
            Cell::new(clean(&issue.labels.join(", ")), style::DIM),
            Cell::new(note, style::WARN),
        ]);
    }
    format!("{head}{}", table.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_of_a_finding_is_no_audit() {
        let labels = |words: &[&str]| words.iter().map(|word| Label::new(word).unwrap()).collect::<Vec<_>>();
        assert!(labelled_audit(&labels(&["audit", "security"])));
        assert!(!labelled_audit(&labels(&["audit", "complexity:small", "high"])));
        assert!(!labelled_audit(&labels(&["security"])));
    }
}

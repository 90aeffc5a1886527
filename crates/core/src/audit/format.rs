//! Tells the shapes of reports apart and hands each to its reader.

use serde_json::Value;

use super::closed_words::closed_words;
use super::decode::decode;
use super::{AuditError, Report, cargo_audit, fingerprint, markdown, npm_audit, sarif};

closed_words! {
    /// The shape of a report.
    "report format" Format {
        /// Prose, headings, lists and tables; also plain text.
        Markdown => "markdown",
        /// Static analysis results, SARIF 2.1.0.
        Sarif => "sarif",
        /// `cargo audit --json`.
        CargoAudit => "cargo-audit",
        /// `npm audit --json`, of npm 6 and of npm 7 and later.
        NpmAudit => "npm-audit",
    }
}

/// Reads a report. `name` stands in errors and is part of every fingerprint: give the same for the same report.
///
/// The same bytes and name always give the same report. A report that names nothing is no error.
pub fn parse(report: &[u8], name: &str) -> Result<Report, AuditError> {
    let text = decode(report, name)?;
    let mut parsed = match json(&text, name)? {
        None => markdown::read(&text, name),
        Some(document) => read_json(&document, name)?,
    };
    fingerprint::assign(&mut parsed.findings, name);
    Ok(parsed)
}

/// The document if the text means to be JSON: an object from the first character to the last.
fn json(text: &str, name: &str) -> Result<Option<Value>, AuditError> {
    let trimmed = text.trim_start();
    let after_brace = trimmed.strip_prefix('{').map(str::trim_start);
    if !after_brace.is_some_and(|rest| rest.starts_with('"') || rest.starts_with('}')) {
        return Ok(None);
    }
    let before = text.len() - trimmed.len();
    match serde_json::from_str(trimmed) {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            let skipped = text[..before].matches('\n').count();
            let (line, column) = (error.line() + skipped, error.column());
            Err(AuditError::Json { name: name.to_owned(), line, column })
        }
    }
}

fn read_json(document: &Value, name: &str) -> Result<Report, AuditError> {
    if document.get("runs").is_some_and(Value::is_array) {
        return Ok(sarif::read(document, name));
    }
    let listed = document.pointer("/vulnerabilities/list").is_some_and(Value::is_array);
    if listed && document.get("auditReportVersion").is_none() {
        return Ok(cargo_audit::read(document, name));
    }
    let version_1 = document.get("advisories").is_some_and(Value::is_object);
    let version_2 = document.get("vulnerabilities").is_some_and(Value::is_object);
    let summed_up = document.pointer("/metadata/vulnerabilities").is_some();
    let versioned = document.get("auditReportVersion").is_some();
    if version_1 || (version_2 && (versioned || summed_up)) {
        return Ok(npm_audit::read(document, name));
    }
    Err(AuditError::UnknownJson { name: name.to_owned() })
}

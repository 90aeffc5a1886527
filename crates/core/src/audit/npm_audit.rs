//! `npm audit --json`: the shape of npm 6 (advisories) and that of npm 7 and later (vulnerabilities by package).

use serde_json::Value;

use super::assess::{Known, one_line};
use super::{FindingType, Format, Location, Report, severity};

/// Reads every advisory (npm 6) or every vulnerable package with an advisory of its own (npm 7).
pub(crate) fn read(document: &Value, name: &str) -> Report {
    let found: Vec<Known> = match document.get("advisories").and_then(Value::as_object) {
        Some(advisories) => advisories.values().map(version_1).collect(),
        None => {
            let packages = document.get("vulnerabilities").and_then(Value::as_object);
            packages.into_iter().flatten().flat_map(|(package, entry)| version_2(package, entry)).collect()
        }
    };
    Report {
        name: name.to_owned(),
        title: "npm audit".to_owned(),
        format: Format::NpmAudit,
        issue: None,
        findings: found.into_iter().map(Known::judged).collect(),
    }
}

fn version_1(advisory: &Value) -> Known {
    let text = |at: &str| advisory.pointer(at).and_then(Value::as_str);
    let package = text("/module_name").unwrap_or("a dependency");
    let number = advisory.get("id").and_then(Value::as_u64).map(|id| id.to_string());
    let fix = text("/recommendation").map(str::to_owned).or_else(|| {
        text("/patched_versions")
            .filter(|versions| *versions != "<0.0.0")
            .map(|versions| format!("Upgrade {package} to {versions}"))
    });
    let body = [text("/overview"), text("/url")].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    known(
        package,
        text("/title").unwrap_or("advisory"),
        text("/github_advisory_id").map(str::to_owned).or(number),
        body,
        text("/severity"),
        fix,
    )
}

/// The advisories of a package. One that is vulnerable only through another package gives none: the other gives it.
fn version_2(package: &str, entry: &Value) -> Vec<Known> {
    let causes = entry.get("via").and_then(Value::as_array);
    let fix = match entry.get("fixAvailable") {
        Some(Value::Bool(true)) => Some(format!("Run `npm audit fix` to upgrade {package}")),
        Some(Value::Object(fix)) => {
            let part = |key: &str| fix.get(key).and_then(Value::as_str).unwrap_or_default();
            let major = fix.get("isSemVerMajor").and_then(Value::as_bool).unwrap_or_default();
            let note = if major { " (a breaking change)" } else { "" };
            Some(format!("Upgrade {} to {}{note}", part("name"), part("version")))
        }
        _ => None,
    };
    let advisory = |cause: &Value| {
        let text = |at: &str| cause.pointer(at).and_then(Value::as_str);
        let url = text("/url").unwrap_or_default();
        let id = url.rsplit('/').next().filter(|id| id.starts_with("GHSA-")).map(str::to_owned);
        let id = id.or_else(|| cause.get("source").and_then(Value::as_u64).map(|source| source.to_string()));
        let range = text("/range").map(|range| format!("Vulnerable: {range}\n\n")).unwrap_or_default();
        let stated = text("/severity").or_else(|| entry.get("severity").and_then(Value::as_str));
        known(package, text("/title").unwrap_or("advisory"), id, format!("{range}{url}"), stated, fix.clone())
    };
    causes.into_iter().flatten().filter(|cause| cause.is_object()).map(advisory).collect()
}

fn known(
    package: &str,
    title: &str,
    id: Option<String>,
    text: String,
    stated: Option<&str>,
    fix: Option<String>,
) -> Known {
    Known {
        title: one_line(&format!("{package}: {title}"), 160),
        id: id.map(|id| one_line(&id, 80)),
        text,
        severity: stated.and_then(severity::of_value),
        kind: Some(FindingType::Security),
        locations: vec![Location { path: "package-lock.json".to_owned(), lines: None }],
        fix,
        ..Known::default()
    }
}

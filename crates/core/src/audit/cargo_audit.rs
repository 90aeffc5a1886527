//! `cargo audit --json`: vulnerabilities and warnings (unmaintained, unsound, yanked) of a Cargo.lock.

use serde_json::Value;

use super::assess::{Known, one_line};
use super::{FindingStatus, FindingType, Format, Location, Report, Severity, severity};

/// Reads every vulnerability and every warning.
pub(crate) fn read(document: &Value, name: &str) -> Report {
    let listed = document.pointer("/vulnerabilities/list").and_then(Value::as_array);
    let mut found: Vec<Known> = listed.into_iter().flatten().map(|entry| advisory(entry, None)).collect();
    // An object: the warnings by sort (unmaintained, unsound, yanked, notice).
    if let Some(sorts) = document.get("warnings").and_then(Value::as_object) {
        for (sort, entries) in sorts {
            found.extend(entries.as_array().into_iter().flatten().map(|entry| advisory(entry, Some(sort))));
        }
    }
    let ignored = document.pointer("/settings/ignore").and_then(Value::as_array);
    let ignored: Vec<&str> = ignored.into_iter().flatten().filter_map(Value::as_str).collect();
    for known in &mut found {
        if known.id.as_deref().is_some_and(|id| ignored.contains(&id)) {
            known.status = Some(FindingStatus::Accepted);
        }
    }
    Report {
        name: name.to_owned(),
        title: "cargo audit".to_owned(),
        format: Format::CargoAudit,
        issue: None,
        findings: found.into_iter().map(Known::judged).collect(),
    }
}

fn advisory(entry: &Value, warning: Option<&str>) -> Known {
    let text = |at: &str| entry.pointer(at).and_then(Value::as_str);
    let package = text("/package/name").or_else(|| text("/advisory/package")).unwrap_or("a dependency");
    let version = text("/package/version").unwrap_or_default();
    let what = text("/advisory/title").or(warning).unwrap_or("advisory");
    let patched = entry.pointer("/versions/patched").and_then(Value::as_array);
    let patched: Vec<&str> = patched.into_iter().flatten().filter_map(Value::as_str).collect();
    let fix = match (patched.as_slice(), warning) {
        ([], Some("yanked")) => format!("Upgrade {package} from the yanked {version}"),
        ([], _) => format!("No fixed version of {package} is known: replace it or accept the risk"),
        (versions, _) => format!("Upgrade {package} to {}", versions.join(" or ")),
    };
    let stated = text("/advisory/cvss").and_then(cvss_vector).or(match warning {
        Some("unsound") => Some(Severity::Medium),
        Some(_) => Some(Severity::Low),
        None => None,
    });
    let link = text("/advisory/url").map(|url| format!("\n\n{url}")).unwrap_or_default();
    Known {
        title: one_line(&format!("{package} {version}: {what}"), 160),
        id: text("/advisory/id").map(|id| one_line(id, 80)),
        text: format!("{}{link}", text("/advisory/description").unwrap_or(what)),
        severity: stated,
        kind: Some(if warning.is_none_or(|sort| sort == "unsound") {
            FindingType::Security
        } else {
            FindingType::Quality
        }),
        locations: vec![Location { path: "Cargo.lock".to_owned(), lines: None }],
        fix: Some(fix),
        ..Known::default()
    }
}

/// The severity of a CVSS 3 vector, by its base score as the standard computes it.
fn cvss_vector(vector: &str) -> Option<Severity> {
    let metric = |name: &str| vector.split('/').find_map(|part| part.strip_prefix(name)?.strip_prefix(':'));
    let changed = metric("S")? == "C";
    let vector_of = match metric("AV")? {
        "N" => 0.85,
        "A" => 0.62,
        "L" => 0.55,
        _ => 0.2,
    };
    let effort = if metric("AC")? == "L" { 0.77 } else { 0.44 };
    let rights = match (metric("PR")?, changed) {
        ("N", _) => 0.85,
        ("L", false) => 0.62,
        ("L", true) => 0.68,
        (_, false) => 0.27,
        (_, true) => 0.5,
    };
    let user = if metric("UI")? == "N" { 0.85 } else { 0.62 };
    let loss = |name| {
        metric(name).map(|level| match level {
            "H" => 0.56,
            "L" => 0.22,
            _ => 0.0,
        })
    };
    let kept: f64 = (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact_base = 1.0 - kept;
    let impact = if changed {
        7.52 * (impact_base - 0.029) - 3.25 * (impact_base - 0.02).powi(15)
    } else {
        6.42 * impact_base
    };
    if impact <= 0.0 {
        return Some(Severity::Low);
    }
    let ease = 8.22 * vector_of * effort * rights * user;
    let sum = if changed { 1.08 * (impact + ease) } else { impact + ease };
    severity::of_score((sum.min(10.0) * 10.0 - 1e-6).ceil() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_give_the_severity_of_their_base_score() {
        assert_eq!(cvss_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), Some(Severity::Critical));
        assert_eq!(cvss_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), Some(Severity::High));
        assert_eq!(cvss_vector("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L"), Some(Severity::Low));
        assert_eq!(cvss_vector("nonsense"), None);
    }
}

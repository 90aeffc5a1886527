//! SARIF 2.1.0: results of static analysis, with suppressions and baselines.

use std::collections::HashMap;

use serde_json::Value;

use super::assess::{Known, first_sentence, one_line};
use super::{FindingStatus, FindingType, Format, LineSpan, Location, Report, Severity, location, severity};

/// Reads every result of every run.
pub(crate) fn read(document: &Value, name: &str) -> Report {
    let runs = array(document, "/runs");
    let mut found = Vec::new();
    for run in runs {
        let rules = rules_of(run);
        found.extend(array(run, "/results").iter().filter_map(|result| read_result(result, &rules)));
    }
    let mut places: Vec<&mut Vec<Location>> =
        found.iter_mut().map(|known: &mut Known| &mut known.locations).collect();
    location::tidy(&mut places);
    let tool = runs.first().and_then(|run| text(run, "/tool/driver/name"));
    Report {
        name: name.to_owned(),
        title: one_line(tool.unwrap_or(name), 120),
        format: Format::Sarif,
        issue: None,
        findings: found.into_iter().map(Known::judged).collect(),
    }
}

/// The rules of a run, by position and by id.
struct Rules<'a> {
    listed: &'a [Value],
    by_id: HashMap<&'a str, &'a Value>,
}

fn rules_of(run: &Value) -> Rules<'_> {
    let listed = array(run, "/tool/driver/rules");
    let extensions = array(run, "/tool/extensions").iter().flat_map(|extension| array(extension, "/rules"));
    let by_id = listed.iter().chain(extensions).filter_map(|rule| Some((text(rule, "/id")?, rule))).collect();
    Rules { listed, by_id }
}

fn read_result(result: &Value, rules: &Rules<'_>) -> Option<Known> {
    let kind = text(result, "/kind").unwrap_or("fail");
    if matches!(kind, "pass" | "notApplicable" | "informational") {
        return None;
    }
    let id = text(result, "/ruleId").or_else(|| text(result, "/rule/id"));
    let index = result.get("ruleIndex").or_else(|| result.pointer("/rule/index")).and_then(Value::as_u64);
    let rule = id
        .and_then(|id| rules.by_id.get(id).copied())
        .or_else(|| rules.listed.get(usize::try_from(index?).ok()?));
    let message = message(result, rule);
    let help = |at| rule.and_then(|rule| text(rule, at));
    let short = help("/shortDescription/text").or_else(|| help("/name"));
    let title = first_sentence(&message);
    let title = if title.is_empty() { short.or(id).unwrap_or("Unnamed result") } else { title };
    let full = help("/fullDescription/text").filter(|full| *full != message);
    let body = [Some(message.as_str()), full].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    let tags = rule.map(|rule| array(rule, "/properties/tags")).unwrap_or_default();
    let tags = tags.iter().filter_map(Value::as_str).take(20).collect::<Vec<_>>().join(" ");
    let stated = severity_of(result, rule);
    let advisory = severity_stated_as_security(rule) || message.contains("vulnerab");
    Some(Known {
        title: one_line(title, 160),
        id: id.map(|id| one_line(id, 80)),
        text: body,
        severity: stated,
        kind: advisory.then_some(FindingType::Security),
        category: tags,
        headings: format!("{} {}", short.unwrap_or_default(), id.unwrap_or_default()),
        status: Some(status_of(result)),
        locations: array(result, "/locations").iter().take(200).filter_map(place).collect(),
        fix: array(result, "/fixes")
            .iter()
            .find_map(|fix| text(fix, "/description/text"))
            .or_else(|| help("/help/text"))
            .map(str::to_owned),
        ..Known::default()
    })
}

/// The message, its own or the one of the rule that it names, with the arguments put in.
fn message(result: &Value, rule: Option<&Value>) -> String {
    let own = text(result, "/message/text").or_else(|| text(result, "/message/markdown"));
    let named = || {
        let id = text(result, "/message/id")?;
        rule?.get("messageStrings")?.get(id)?.get("text")?.as_str()
    };
    let mut message = own.or_else(named).unwrap_or_default().to_owned();
    for (at, argument) in array(result, "/message/arguments").iter().enumerate().take(10) {
        message = message.replace(&format!("{{{at}}}"), argument.as_str().unwrap_or_default());
    }
    message
}

/// A security score where the rule has one, else the level; no level at all is not a statement.
fn severity_of(result: &Value, rule: Option<&Value>) -> Option<Severity> {
    let own =
        result.pointer("/properties/security-severity").or_else(|| result.pointer("/properties/severity"));
    let of_rule = rule.and_then(|rule| rule.pointer("/properties/security-severity"));
    if let Some(stated) = own.or(of_rule) {
        let by_number = stated.as_f64().and_then(severity::of_score);
        return by_number
            .or_else(|| stated.as_str()?.parse().ok().and_then(severity::of_score))
            .or_else(|| severity::of_value(stated.as_str()?));
    }
    let level = text(result, "/level").or_else(|| text(rule?, "/defaultConfiguration/level"));
    match level? {
        "error" => Some(Severity::High),
        "warning" => Some(Severity::Medium),
        "note" | "none" => Some(Severity::Low),
        _ => None,
    }
}

fn severity_stated_as_security(rule: Option<&Value>) -> bool {
    rule.is_some_and(|rule| rule.pointer("/properties/security-severity").is_some())
}

/// Absent from the newer run: fixed. Suppressed, unless every suppression was rejected or still waits for review:
/// a false positive if the justification says so, else accepted.
fn status_of(result: &Value) -> FindingStatus {
    if text(result, "/baselineState") == Some("absent") {
        return FindingStatus::Fixed;
    }
    let suppressions = array(result, "/suppressions");
    // One that was rejected or waits for review leaves the result visible; accepted is what a lack of status means.
    let accepted = |suppression: &&Value| matches!(text(suppression, "/status"), None | Some("accepted"));
    let valid: Vec<&Value> = suppressions.iter().filter(accepted).collect();
    if valid.is_empty() {
        return FindingStatus::Open;
    }
    let says_false = valid
        .iter()
        .filter_map(|suppression| text(suppression, "/justification"))
        .any(|reason| super::status::of_value(reason) == Some(FindingStatus::FalsePositive));
    if says_false { FindingStatus::FalsePositive } else { FindingStatus::Accepted }
}

fn place(value: &Value) -> Option<Location> {
    let uri = text(value, "/physicalLocation/artifactLocation/uri")?;
    let plain = uri.strip_prefix("file://").unwrap_or(uri).replace("%20", " ");
    let keep = |c: &char| !c.is_control() && !matches!(c, '`' | '<' | '>' | '|' | '"');
    let path: String = plain.trim_start_matches("./").chars().filter(keep).take(300).collect();
    let line = |at: &str| value.pointer(at).and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    let first = line("/physicalLocation/region/startLine").filter(|&line| line > 0);
    let last = line("/physicalLocation/region/endLine");
    let lines = first.map(|first| LineSpan { first, last: last.unwrap_or(first).max(first) });
    (!path.is_empty()).then_some(Location { path, lines })
}

fn array<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, at: &str) -> Option<&'a str> {
    value.pointer(at).and_then(Value::as_str)
}

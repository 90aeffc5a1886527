//! `audit_json audit --file FILE --dry-run --json`: prints the findings of a report, for measuring the parser.

use std::process::ExitCode;

use banksman_core::audit;

fn main() -> ExitCode {
    let mut file = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--file" {
            file = arguments.next();
        }
    }
    let Some(file) = file else {
        eprintln!("usage: audit_json audit --file FILE --dry-run --json");
        return ExitCode::from(2);
    };
    let report = match std::fs::read(&file) {
        Ok(bytes) => audit::parse(&bytes, &file).map_err(|error| error.to_string()),
        Err(error) => Err(format!("{file}: {error}")),
    };
    match report {
        Ok(report) => {
            let findings: Vec<serde_json::Value> = report.findings.iter().map(|finding| {
                let locations: Vec<String> = finding.locations.iter().map(ToString::to_string).collect();
                serde_json::json!({
                    "title": finding.title, "id": finding.id, "text": finding.text, "severity": finding.severity,
                    "stated": finding.severity_stated, "type": finding.kind, "status": finding.status, "scope": finding.scope,
                    "complexity": finding.complexity, "locations": locations, "fix": finding.fix, "line": finding.line,
                })
            }).collect();
            println!(
                "{}",
                serde_json::json!({ "title": report.title, "format": report.format, "findings": findings })
            );
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

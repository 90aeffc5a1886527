//! The issue that a finding becomes: title, labels and body. A stranger's text is in it only defused and quoted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::assess::first_sentence;
use super::location::package;
use super::{Finding, FindingType, Fingerprint, Report, defuse};

/// Longest title, in characters.
pub const MAX_TITLE: usize = 72;

/// An issue that is still to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueDraft {
    /// Of the finding, or of the pattern.
    pub fingerprint: Fingerprint,
    /// `type(scope): short description`, one line, at most [`MAX_TITLE`] characters.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Sorted, each once.
    pub labels: Vec<String>,
}

/// The parts of a draft. All drafts are put together in [`assemble`], and nowhere else.
pub(crate) struct Parts<'a> {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) word: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) body: String,
    pub(crate) labels: BTreeSet<String>,
}

/// Puts a draft together.
pub(crate) fn assemble(parts: Parts<'_>) -> IssueDraft {
    IssueDraft {
        fingerprint: parts.fingerprint,
        title: title(parts.word, parts.scope, parts.subject),
        body: parts.body,
        labels: parts.labels.into_iter().collect(),
    }
}

/// The draft for a finding.
pub(crate) fn of(report: &Report, finding: &Finding, stale: &[String]) -> IssueDraft {
    let mut labels = labels(finding);
    if !stale.is_empty() {
        labels.insert("stale-location".to_owned());
    }
    assemble(Parts {
        fingerprint: finding.fingerprint.clone(),
        word: title_word(finding),
        scope: &scope_name(finding.locations.iter().map(|place| place.path.as_str())),
        subject: &finding.title,
        body: body(report, finding, stale),
        labels,
    })
}

/// The type in the title: that of the finding, or `fix` for a quality finding that is a mistake in what the code does.
fn title_word(finding: &Finding) -> &'static str {
    const MISTAKES: &[&str] = &[
        "bug",
        "crash",
        "panic",
        "race",
        "leak",
        "broken",
        "wrong",
        "incorrect",
        "lost",
        "loses",
        "overflow",
        "hang",
        "fails",
        "fail",
        "corrupt",
        "deadlock",
        "collision",
        "overwrite",
        "never",
    ];
    match finding.kind {
        FindingType::Security => "security",
        FindingType::Performance => "perf",
        FindingType::Testing => "test",
        FindingType::Docs => "docs",
        FindingType::Quality => {
            let lower = finding.title.to_lowercase();
            let mistaken = lower
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| MISTAKES.iter().any(|known| word.starts_with(known)));
            if mistaken { "fix" } else { "quality" }
        }
    }
}

fn title(word: &str, scope: &str, subject: &str) -> String {
    let prefix = if scope.is_empty() { format!("{word}: ") } else { format!("{word}({scope}): ") };
    let subject = defuse::title(subject);
    let subject = if subject.is_empty() { "finding without a title".to_owned() } else { subject };
    let room = MAX_TITLE.saturating_sub(prefix.chars().count());
    if subject.chars().count() <= room {
        return format!("{prefix}{subject}");
    }
    let cut: String = subject.chars().take(room.saturating_sub(1)).collect();
    // At a word, if one ends in the last third.
    let end = cut.rfind(' ').filter(|&at| at * 3 >= cut.len() * 2).unwrap_or(cut.len());
    format!("{prefix}{}…", cut[..end].trim_end_matches([' ', ',', ':', ';', '-', '(']))
}

/// The package that all places share, else the folder that they share, in `[a-z0-9._/-]` and at most 24 characters.
pub(crate) fn scope_name<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> String {
    let packages: BTreeSet<String> = paths.clone().map(package).collect();
    let mut packages = packages.into_iter();
    let shared = match (packages.next(), packages.next()) {
        (Some(only), None) => only,
        (Some(_), Some(_)) => common_folder(paths),
        (None, _) => String::new(),
    };
    let keep = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '/' | '-');
    let lower: String = shared.to_ascii_lowercase().chars().map(|c| if keep(c) { c } else { '-' }).collect();
    // `gh-4` would refer to an issue, and `www.` begin a link.
    let lower = lower.replace("gh-", "gh_").replace("www.", "www_");
    let trimmed = lower.trim_matches(['-', '/', '.']);
    match trimmed.len() {
        0..=24 => trimmed.to_owned(),
        // The end of a path says more than its beginning.
        _ => trimmed.rsplit('/').next().unwrap_or_default().chars().take(24).collect(),
    }
}

fn common_folder<'a>(mut paths: impl Iterator<Item = &'a str>) -> String {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let Some(mut common) = paths.next().map(folder) else { return String::new() };
    for path in paths {
        let other = folder(path);
        let shared = common
            .split('/')
            .zip(other.split('/'))
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a)
            .collect::<Vec<_>>()
            .join("/");
        common = shared;
    }
    common
}

/// Severity, type, scope and `audit` as bare words; complexity and languages with a prefix.
fn labels(finding: &Finding) -> BTreeSet<String> {
    let mut labels: BTreeSet<String> =
        [finding.severity.as_str(), finding.kind.as_str(), finding.scope.as_str(), "audit"]
            .map(str::to_owned)
            .into();
    labels.insert(format!("complexity:{}", finding.complexity));
    labels.extend(languages(finding));
    labels
}

/// A label per language of the files named.
fn languages(finding: &Finding) -> impl Iterator<Item = String> {
    const LANGUAGES: &[(&str, &[&str])] = &[
        ("rust", &["rs"]),
        ("go", &["go"]),
        ("python", &["py"]),
        ("typescript", &["ts", "tsx"]),
        ("javascript", &["js", "jsx", "mjs", "cjs", "vue", "svelte"]),
        ("java", &["java"]),
        ("kotlin", &["kt", "kts"]),
        ("csharp", &["cs"]),
        ("c", &["c", "h"]),
        ("cpp", &["cc", "cpp", "cxx", "hpp"]),
        ("ruby", &["rb"]),
        ("php", &["php"]),
        ("swift", &["swift"]),
        ("dart", &["dart"]),
        ("solidity", &["sol"]),
        ("shell", &["sh", "bash", "zsh"]),
        ("sql", &["sql"]),
        ("html", &["html", "htm"]),
        ("css", &["css", "scss", "sass", "less"]),
        ("elixir", &["ex", "exs"]),
        ("scala", &["scala"]),
        ("lua", &["lua"]),
        ("zig", &["zig"]),
        ("circom", &["circom"]),
        ("terraform", &["tf"]),
        ("haskell", &["hs"]),
        ("markdown", &["md", "mdx"]),
    ];
    let endings: BTreeSet<String> = finding
        .locations
        .iter()
        .filter_map(|place| place.path.rsplit_once('.'))
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .collect();
    let known = LANGUAGES.iter().filter(move |(_, of)| of.iter().any(|ending| endings.contains(*ending)));
    known.map(|(language, _)| format!("lang:{language}"))
}

/// Where the finding comes from: the audit issue, or the file and the line in it.
pub(crate) fn source(report: &Report, line: usize) -> String {
    let name = defuse::path(&report.name);
    let line = if line > 0 { format!(", line {line}") } else { String::new() };
    match report.issue {
        Some(number) => format!("Audit: #{number}{line}"),
        None => format!("Audit: `{name}`{line}"),
    }
}

fn body(report: &Report, finding: &Finding, stale: &[String]) -> String {
    let mut body = format!("{}\n\n", source(report, finding.line));
    let stated = if finding.severity_stated { "" } else { " (not stated in the audit)" };
    body.push_str(&format!(
        "Severity: {}{stated} · type: {} · scope: {} · complexity: {}\n\n",
        finding.severity, finding.kind, finding.scope, finding.complexity
    ));
    body.push_str("## Finding\n\n");
    let id = finding.id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
    body.push_str(&defuse::quote(&format!("{id}{}\n\n{}", finding.title, finding.text), 12_000));
    body.push_str("\n## Location\n\n");
    if finding.locations.is_empty() {
        body.push_str("The audit names no file.\n");
    }
    for place in &finding.locations {
        let gone = if stale.contains(&place.path) { " (does not exist in the repository)" } else { "" };
        body.push_str(&format!("- `{}`{gone}\n", defuse::path(&place.to_string())));
    }
    body.push_str("\n## Fix\n\n");
    match &finding.fix {
        Some(fix) => body.push_str(&defuse::quote(fix, 4_000)),
        None => body.push_str("The audit proposes none.\n"),
    }
    body.push_str("\n## Acceptance criteria\n\n");
    for criterion in &finding.acceptance {
        let line = defuse::line(first_sentence(criterion), 240);
        body.push_str(&format!("- [ ] {}\n", if line.is_empty() { "See above" } else { &line }));
    }
    body
}

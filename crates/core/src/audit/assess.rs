//! Judges what a report does not say outright: type, scope, complexity, a default severity, acceptance criteria.

use std::collections::BTreeSet;

use super::location::package;
use super::{Complexity, Finding, FindingStatus, FindingType, Fingerprint, Location, Scope, Severity};

use FindingType::{Docs, Performance, Quality, Security, Testing};

/// Beginnings of words that hint at a type.
const HINTS: &[(&str, FindingType)] = &[
    ("secur", Security),
    ("vulnerab", Security),
    ("injection", Security),
    ("xss", Security),
    ("csrf", Security),
    ("ssrf", Security),
    ("auth", Security),
    ("oauth", Security),
    ("token", Security),
    ("secret", Security),
    ("passw", Security),
    ("credential", Security),
    ("crypto", Security),
    ("encrypt", Security),
    ("cve", Security),
    ("cwe", Security),
    ("exploit", Security),
    ("attack", Security),
    ("sanitiz", Security),
    ("privileg", Security),
    ("permission", Security),
    ("tls", Security),
    ("certificate", Security),
    ("zeroiz", Security),
    ("csp", Security),
    ("rustsec", Security),
    ("unsound", Security),
    ("traversal", Security),
    ("advisor", Security),
    ("perform", Performance),
    ("slow", Performance),
    ("latenc", Performance),
    ("cach", Performance),
    ("memory", Performance),
    ("bundle", Performance),
    ("gas", Performance),
    ("rerender", Performance),
    ("quadratic", Performance),
    ("inefficien", Performance),
    ("scalab", Performance),
    ("throughput", Performance),
    ("lazy", Performance),
    ("optimiz", Performance),
    ("index", Performance),
    ("test", Testing),
    ("coverage", Testing),
    ("flak", Testing),
    ("golden", Testing),
    ("fixture", Testing),
    ("doc", Docs),
    ("readme", Docs),
    ("comment", Docs),
    ("changelog", Docs),
    ("docstring", Docs),
    ("godoc", Docs),
    ("quality", Quality),
    ("maintainab", Quality),
    ("refactor", Quality),
    ("duplicat", Quality),
    ("architect", Quality),
    ("bug", Quality),
    ("logic", Quality),
    ("unused", Quality),
    ("smell", Quality),
    ("correctness", Quality),
    ("redundant", Quality),
    ("typ", Quality),
    ("lint", Quality),
    ("ux", Quality),
    ("complexity", Quality),
    ("race", Quality),
    ("unwrap", Quality),
    ("panic", Quality),
    ("naming", Quality),
];

/// The same in Chinese.
const PHRASES: &[(&str, FindingType)] = &[
    ("安全", Security),
    ("漏洞", Security),
    ("注入", Security),
    ("密钥", Security),
    ("性能", Performance),
    ("缓存", Performance),
    ("索引", Performance),
    ("测试", Testing),
    ("文档", Docs),
    ("质量", Quality),
    ("逻辑", Quality),
    ("体验", Quality),
];

/// Says what a finding is about. The texts come with their weight: a category that the report names counts more than
/// the finding's title, that more than the headings above it, that more than the audit's own title.
pub(crate) fn kind(texts: &[(&str, u32)]) -> FindingType {
    let mut points = [0u32; FindingType::ALL.len()];
    for &(text, weight) in texts {
        let lower = text.to_lowercase().replace("dependency injection", "");
        let mut seen = BTreeSet::new();
        for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(200) {
            if let Some(&(_, kind)) = HINTS.iter().find(|(hint, _)| word.starts_with(hint)) {
                seen.insert(kind);
            }
        }
        if !lower.is_ascii() {
            seen.extend(PHRASES.iter().filter(|(phrase, _)| lower.contains(phrase)).map(|&(_, kind)| kind));
        }
        for kind in seen {
            points[kind as usize] += weight;
        }
    }
    let mut best = Quality;
    for &kind in FindingType::ALL {
        if points[kind as usize] > points[best as usize] {
            best = kind;
        }
    }
    best
}

/// What an unrated finding of a type counts as.
pub(crate) fn default_severity(kind: FindingType) -> Severity {
    match kind {
        Security => Severity::High,
        Quality | Performance => Severity::Medium,
        Testing | Docs => Severity::Low,
    }
}

/// How far locations are spread.
pub(crate) fn scope(locations: &[Location]) -> Scope {
    let files: BTreeSet<&str> = locations.iter().map(|place| place.path.as_str()).collect();
    let packages: BTreeSet<String> = files.iter().map(|path| package(path)).collect();
    match (files.len(), packages.len()) {
        (1, _) => Scope::SingleFile,
        (_, 0 | 1) => Scope::Package,
        _ => Scope::Framework,
    }
}

/// How much work a fix looks like: by its scope, by what is to be done, and by hours where the report gives them.
pub(crate) fn complexity(scope: Scope, title: &str, fix: Option<&str>, effort: Option<&str>) -> Complexity {
    if let Some(stated) = effort.and_then(stated_effort) {
        return stated;
    }
    let words = format!("{title} {}", fix.unwrap_or_default()).to_lowercase();
    let has = |known: &[&str]| {
        words
            .split(|c: char| !c.is_alphanumeric())
            .take(200)
            .any(|word| known.iter().any(|k| word.starts_with(k)))
    };
    let heavy = has(&[
        "refactor",
        "redesign",
        "rewrit",
        "migrat",
        "split",
        "architect",
        "restructur",
        "decompos",
        "重构",
    ]);
    let light = has(&["typo", "renam", "upgrad", "bump", "comment", "document", "remove", "delete"]);
    match (scope, heavy, light) {
        (Scope::SingleFile, false, _) | (Scope::Package, false, true) => Complexity::Small,
        (Scope::Framework, true, _) | (Scope::Framework, false, false) => Complexity::Large,
        _ => Complexity::Medium,
    }
}

fn stated_effort(text: &str) -> Option<Complexity> {
    let lower = text.to_lowercase();
    let known = ["small", "medium", "large"].iter().position(|word| lower.starts_with(word));
    if let Some(at) = known {
        return Some(Complexity::ALL[at]);
    }
    let numbers = lower.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u32>().ok());
    let most = numbers.max()?.min(10_000);
    let hours = match &lower {
        text if text.contains("week") || text.contains('周') => most * 40,
        text if text.contains("day") || text.contains('天') => most * 8,
        text if text.contains("min") || text.contains("分钟") => 1,
        text if text.contains('h') || text.contains("小时") => most,
        _ => return None,
    };
    Some(match hours {
        0..=4 => Complexity::Small,
        5..=16 => Complexity::Medium,
        _ => Complexity::Large,
    })
}

/// When a finding is done, for one whose report does not say.
pub(crate) fn acceptance(fix: Option<&str>) -> Vec<String> {
    let done = fix.map(first_sentence).filter(|sentence| !sentence.is_empty());
    let done =
        done.map_or_else(|| "The problem described above no longer occurs".to_owned(), ToOwned::to_owned);
    vec![done, "A test or check would fail if it came back".to_owned()]
}

/// The first sentence of a text, at most 200 characters, on one line.
pub(crate) fn first_sentence(text: &str) -> &str {
    let line = text
        .lines()
        .map(|line| line.trim().trim_start_matches(['-', '*', ' ']))
        .find(|line| !line.is_empty());
    let line = line.unwrap_or_default();
    let end = line.find(['。', '；']).or_else(|| {
        line.match_indices(". ")
            .map(|(at, _)| at)
            .find(|&at| !line[..at].ends_with("e.g") && !line[..at].ends_with("i.e"))
    });
    let sentence = &line[..end.unwrap_or(line.len())];
    let cut = sentence.char_indices().nth(200).map_or(sentence.len(), |(at, _)| at);
    sentence[..cut].trim_end_matches(['.', ' ', ':'])
}

/// What a reader knows of a finding before it is judged.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) title: String,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) severity: Option<Severity>,
    pub(crate) kind: Option<FindingType>,
    pub(crate) category: String,
    pub(crate) headings: String,
    pub(crate) audit: String,
    pub(crate) status: Option<FindingStatus>,
    pub(crate) locations: Vec<Location>,
    pub(crate) fix: Option<String>,
    pub(crate) acceptance: Vec<String>,
    pub(crate) effort: Option<String>,
    pub(crate) line: usize,
}

impl Known {
    /// The finding, with everything that was not said filled in.
    pub(crate) fn judged(self) -> Finding {
        let title_weighs = [
            (self.category.as_str(), 8),
            (self.title.as_str(), 4),
            (self.headings.as_str(), 3),
            (self.audit.as_str(), 2),
        ];
        let kind = self.kind.unwrap_or_else(|| kind(&title_weighs));
        let scope = scope(&self.locations);
        let complexity = complexity(scope, &self.title, self.fix.as_deref(), self.effort.as_deref());
        let acceptance =
            if self.acceptance.is_empty() { acceptance(self.fix.as_deref()) } else { self.acceptance };
        Finding {
            title: self.title,
            id: self.id,
            text: self.text,
            severity: self.severity.unwrap_or_else(|| default_severity(kind)),
            severity_stated: self.severity.is_some(),
            kind,
            scope,
            complexity,
            status: self.status.unwrap_or(FindingStatus::Open),
            locations: self.locations,
            fix: self.fix,
            acceptance,
            // `assign` gives it once all findings are known.
            fingerprint: Fingerprint::from_bytes([0; 16]),
            line: self.line,
        }
    }
}

/// One line without runs of spaces and control characters, at most `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most * 4));
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if line.len() > most * 4 {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(most) {
        None => line,
        Some((at, _)) => format!("{}…", line[..at].trim_end()),
    }
}

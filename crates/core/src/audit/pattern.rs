//! Findings that want the same kind of fix in different packages: one framework issue that they wait for.
//!
//! **Similarity.** Two open findings of one audit want the same kind of fix if one of these holds, tried in this order:
//!
//! 1. *rule*: both carry the same rule or advisory family, that is, the same id on findings in different places;
//! 2. *title*: their titles are equal once names in code, paths, numbers and case are taken out;
//! 3. *fix*: the beginnings (six letters) of the significant words in the first sentence of their fixes, with names in
//!    code, paths and numbers taken out, overlap by at least 60 % (Jaccard), with at least two words in common; a fix
//!    whose words are all the same as another's is the extreme case.
//!
//! Groups for 1 and 2 are equivalence classes. Groups for 3 are built greedily: findings in the order of their
//! fingerprints join the first group all of whose members they resemble (complete link), so that likeness does not
//! creep along a chain. A group of at least three findings that names at least two packages is a pattern. A finding is
//! in at most one pattern. Nothing depends on the order of the input.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::assess::first_sentence;
use super::closed_words::closed_words;
use super::draft::{self, IssueDraft, Parts};
use super::location::package;
use super::{Complexity, Finding, FindingType, Fingerprint, Report, Severity, defuse, fingerprint};

/// Fewest findings and fewest packages of a pattern.
const MIN_MEMBERS: usize = 3;
const MIN_PACKAGES: usize = 2;

/// Least overlap of two fixes, in percent.
const MIN_OVERLAP: usize = 60;

/// Most findings whose fixes are compared with one another; beyond that only rule and title count.
const MAX_COMPARED: usize = 1_000;

closed_words! {
    /// What the members of a pattern have in common.
    "pattern kind" PatternKind {
        /// The rule that found them.
        Rule => "rule",
        /// The title.
        Title => "title",
        /// The fix.
        Fix => "fix",
    }
}

/// Findings that want one fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Of the kind and the members.
    pub id: Fingerprint,
    /// What the members have in common.
    pub kind: PatternKind,
    /// The title of its first member.
    pub title: String,
    /// Its findings, sorted. The framework issue blocks each of them.
    pub members: Vec<Fingerprint>,
    /// The packages that they are in, sorted.
    pub packages: Vec<String>,
    /// The framework issue.
    pub draft: IssueDraft,
}

/// The patterns among the open findings of a report, sorted by id.
pub fn patterns(report: &Report) -> Vec<Pattern> {
    let mut open: Vec<&Finding> = report.open().collect();
    open.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    let mut found = Vec::new();
    for kind in [PatternKind::Rule, PatternKind::Title, PatternKind::Fix] {
        let groups = match kind {
            PatternKind::Rule => equal(&open, |finding| finding.id.clone()),
            PatternKind::Title => {
                equal(&open, |finding| Some(plain(&finding.title)).filter(|title| title.contains(' ')))
            }
            PatternKind::Fix => alike(&open),
        };
        for group in groups.into_iter().filter(|group| is_pattern(group)) {
            let taken: BTreeSet<&Fingerprint> = group.iter().map(|finding| &finding.fingerprint).collect();
            open.retain(|finding| !taken.contains(&finding.fingerprint));
            found.push(pattern(report, kind, &group));
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

fn is_pattern(group: &[&Finding]) -> bool {
    group.len() >= MIN_MEMBERS && packages(group).len() >= MIN_PACKAGES
}

fn packages(group: &[&Finding]) -> BTreeSet<String> {
    group.iter().flat_map(|finding| &finding.locations).map(|place| package(&place.path)).collect()
}

fn equal<'a>(open: &[&'a Finding], key: impl Fn(&Finding) -> Option<String>) -> Vec<Vec<&'a Finding>> {
    let mut groups: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for &finding in open {
        if let Some(key) = key(finding) {
            groups.entry(key).or_default().push(finding);
        }
    }
    groups.into_values().collect()
}

fn alike<'a>(open: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let words =
        |finding: &Finding| finding.fix.as_deref().map(|fix| stems(first_sentence(fix))).unwrap_or_default();
    let compared =
        open.iter().map(|&finding| (finding, words(finding))).filter(|(_, words)| !words.is_empty());
    let mut groups: Vec<Vec<(&Finding, BTreeSet<String>)>> = Vec::new();
    for (finding, words) in compared.take(MAX_COMPARED) {
        let home = groups.iter_mut().find(|group| group.iter().all(|(_, others)| overlap(&words, others)));
        match home {
            Some(group) => group.push((finding, words)),
            None => groups.push(vec![(finding, words)]),
        }
    }
    groups.into_iter().map(|group| group.into_iter().map(|(finding, _)| finding).collect()).collect()
}

fn overlap(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let common = a.intersection(b).count();
    common >= 2 && common * 100 >= (a.len() + b.len() - common) * MIN_OVERLAP
}

/// A text without names in code, paths and numbers, in lower case.
fn plain(text: &str) -> String {
    let names_code = |word: &str| {
        word.contains(['/', '_', '(', '.', ':', '`', '<'])
            || word.contains(|c: char| c.is_ascii_digit())
            || has_hump(word)
    };
    let words =
        text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '('));
    words
        .filter(|word| !word.is_empty() && !names_code(word))
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `camelCase`, a name in code.
fn has_hump(word: &str) -> bool {
    word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase())
}

fn stems(text: &str) -> BTreeSet<String> {
    const EMPTY: &[&str] = &[
        "the", "and", "for", "with", "from", "that", "this", "into", "all", "use", "should", "consider",
        "can", "when", "are", "not", "its",
    ];
    let plain = plain(text);
    let words = plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= 2 && !EMPTY.contains(word));
    words.take(24).map(|word| word.chars().take(6).collect()).collect()
}

fn pattern(report: &Report, kind: PatternKind, group: &[&Finding]) -> Pattern {
    let members: Vec<Fingerprint> = group.iter().map(|finding| finding.fingerprint.clone()).collect();
    let id = fingerprint::of([kind.as_str()].into_iter().chain(members.iter().map(Fingerprint::as_str)));
    // The title of the finding that stands first in the report: the one that its readers know.
    let first = group.iter().min_by_key(|finding| (finding.line, &finding.fingerprint)).copied();
    let title = first.map(|finding| finding.title.clone()).unwrap_or_default();
    let packages: Vec<String> = packages(group).into_iter().collect();
    let draft = framework_issue(report, id.clone(), &title, group, &packages);
    Pattern { id, kind, title, members, packages, draft }
}

fn framework_issue(
    report: &Report,
    fingerprint: Fingerprint,
    title: &str,
    group: &[&Finding],
    packages: &[String],
) -> IssueDraft {
    let severity = group.iter().map(|finding| finding.severity).min().unwrap_or(Severity::Low);
    let kind = group.iter().map(|finding| finding.kind).min().unwrap_or(FindingType::Quality);
    let word = match kind {
        FindingType::Security => "security",
        FindingType::Performance => "perf",
        FindingType::Testing => "test",
        FindingType::Docs => "docs",
        FindingType::Quality => "quality",
    };
    let labels = [severity.as_str(), kind.as_str(), "framework", "audit"].map(str::to_owned);
    let labels = labels.into_iter().chain([format!("complexity:{}", Complexity::Large)]).collect();
    let paths = group.iter().flat_map(|finding| &finding.locations).map(|place| place.path.as_str());
    let mut body = format!(
        "{}\n\n{} findings want the same kind of fix in {} packages. Solve it once, where all of them can use it; they wait for this issue.\n\n## Findings\n\n",
        draft::source(report, 0),
        group.len(),
        packages.len()
    );
    let mut listed = group.to_vec();
    listed.sort_by_key(|finding| (finding.line, finding.fingerprint.clone()));
    for finding in listed {
        let places = finding
            .locations
            .iter()
            .take(3)
            .map(|place| format!("`{}`", defuse::path(&place.to_string())))
            .collect::<Vec<_>>()
            .join(", ");
        let at = if places.is_empty() { String::new() } else { format!(" ({places})") };
        body.push_str(&format!("- {}: {}{at}\n", finding.fingerprint, defuse::line(&finding.title, 160)));
    }
    if let Some(fix) = group.iter().find_map(|finding| finding.fix.as_deref()) {
        body.push_str(&format!("\n## Fix\n\n{}", defuse::quote(fix, 4_000)));
    }
    body.push_str("\n## Acceptance criteria\n\n- [ ] One solution exists that every package above can use\n- [ ] It is tested and documented where it lives\n");
    draft::assemble(Parts {
        fingerprint,
        word,
        scope: &draft::scope_name(paths),
        subject: title,
        body,
        labels,
    })
}

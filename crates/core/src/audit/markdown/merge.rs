//! Makes findings of candidates: those that tell of the same thing become one, and each gets what the others add.

use std::collections::{BTreeSet, HashMap};

use super::candidate::{Candidate, Harvest, Origin, Settled, Standing};
use super::prefix;
use crate::audit::assess::{Known, one_line};
use crate::audit::{Finding, FindingStatus, FindingType, Location, Severity, location};

/// Most comparisons of titles in one report; beyond that only equal ids and titles are matched.
const MAX_COMPARISONS: usize = 200_000;

/// Findings of everything that a walk found, in the order of the report.
pub(crate) fn findings(harvest: Harvest, audit: &str, is_clean: bool) -> Vec<Finding> {
    let Harvest { candidates, settled, rated } = harvest;
    let (mut kept, summaries) = choose(candidates, is_clean);
    join_equal_ids(&mut kept);
    let unmatched = join_rows(&mut kept, summaries);
    kept.extend(unmatched);
    settle(&mut kept, &settled);
    let letters = letters_of(&kept);
    kept.sort_by_key(|candidate| candidate.line);
    let mut known: Vec<Known> = kept
        .into_iter()
        .map(|candidate| {
            let severity = severity_of(&candidate, &letters).or_else(|| {
                let groups = rated.iter().map(|rated| (stems(&rated.group), rated));
                let trail = stems(&candidate.trail);
                let likeness = |group: &BTreeSet<String>| group.intersection(&trail).count();
                let best = groups.filter(|(group, _)| likeness(group) > 0);
                best.max_by_key(|(group, rated)| {
                    (likeness(group) * 100 / group.len().max(1), std::cmp::Reverse(rated.severity as u8))
                })
                .map(|(_, rated)| rated.severity)
            });
            known(candidate, severity, audit)
        })
        .collect();
    let mut places: Vec<&mut Vec<Location>> = known.iter_mut().map(|known| &mut known.locations).collect();
    location::tidy(&mut places);
    known.into_iter().map(Known::judged).collect()
}

/// Parts the candidates that are findings in this report from those that only tell more of one.
fn choose(candidates: Vec<Candidate>, is_clean: bool) -> (Vec<Candidate>, Vec<Candidate>) {
    let any = |standing: Standing| candidates.iter().any(|candidate| candidate.standing == standing);
    let accepted = match (any(Standing::Sure), any(Standing::Box)) {
        (true, _) => Standing::Sure,
        (false, true) => Standing::Box,
        // A report that says that it is clean means it.
        (false, false) if is_clean || any(Standing::Index) => Standing::Sure,
        (false, false) => Standing::Remark,
    };
    let (summaries, rest): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|candidate| candidate.standing >= Standing::Index);
    (rest.into_iter().filter(|candidate| candidate.standing == accepted).collect(), summaries)
}

/// Joins candidates with one id, unless they name different places: then the id is that of a rule.
fn join_equal_ids(kept: &mut Vec<Candidate>) {
    let mut first: HashMap<String, Vec<usize>> = HashMap::new();
    let mut joined: Vec<Candidate> = Vec::with_capacity(kept.len());
    for candidate in kept.drain(..) {
        let Some(id) = candidate.head.id.clone() else {
            joined.push(candidate);
            continue;
        };
        let known = first.entry(id).or_default();
        let same = known.iter().copied().take(16).find(|&at| may_be_one(&joined[at], &candidate));
        match same {
            Some(at) => add(&mut joined[at], candidate),
            None => {
                known.push(joined.len());
                joined.push(candidate);
            }
        }
    }
    *kept = joined;
}

fn may_be_one(a: &Candidate, b: &Candidate) -> bool {
    let (places_a, places_b) = (a.places(), b.places());
    let same = |a: &Location, b: &Location| {
        a.path == b.path && (a.lines.is_none() || b.lines.is_none() || a.lines == b.lines)
    };
    let apart = !places_a.is_empty()
        && !places_b.is_empty()
        && !places_a.iter().any(|place| places_b.iter().any(|other| same(place, other)));
    // Two headings with one id and different titles are two findings of a careless author.
    let titles = a.origin == b.origin && stems(&a.head.title).is_disjoint(&stems(&b.head.title));
    !apart && !titles
}

/// Adds rows to the findings that they sum up. Rows of tables among the findings stay if they sum up nothing; rows of
/// summaries stay if they have an id and a severity, or if there is nothing else in the report.
fn join_rows(kept: &mut Vec<Candidate>, summaries: Vec<Candidate>) -> Vec<Candidate> {
    let has_body = kept.iter().any(|candidate| candidate.origin != Origin::Row);
    let (rows, mut body): (Vec<_>, Vec<_>) =
        kept.drain(..).partition(|candidate| candidate.origin == Origin::Row && has_body);
    let nothing_else = body.is_empty() && rows.is_empty();
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, candidate) in body.iter().enumerate() {
        if let Some(id) = &candidate.head.id {
            by_id.entry(id.clone()).or_default().push(at);
        }
    }
    let titles: Vec<BTreeSet<String>> = body.iter().map(|candidate| stems(&candidate.head.title)).collect();
    let rows: Vec<Candidate> = rows.into_iter().chain(summaries).collect();
    let compares = rows.len().saturating_mul(titles.len()) <= MAX_COMPARISONS;
    let mut unmatched = Vec::new();
    for row in rows {
        let of_id = row.head.id.as_ref().and_then(|id| by_id.get(id));
        let by_title = || {
            let title = stems(&row.head.title);
            let likest = titles
                .iter()
                .enumerate()
                .map(|(at, other)| (likeness(&title, other), at))
                .max_by_key(|&(likeness, at)| (likeness, std::cmp::Reverse(at)));
            likest.filter(|&(likeness, _)| compares && likeness >= 65).map(|(_, at)| vec![at])
        };
        match of_id.cloned().or_else(by_title) {
            Some(found) => {
                for at in found {
                    add_row(&mut body[at], &row);
                }
            }
            None => {
                let told = row.head.id.is_some() && row.content.severity.is_some();
                let stays = match row.standing {
                    Standing::Sure | Standing::Box | Standing::Remark => true,
                    Standing::Index => {
                        told || nothing_else
                            && (row.content.severity.is_some() || row.band.is_some())
                            && row.head.title.len() > 8
                    }
                    Standing::Echo => false,
                };
                if stays {
                    unmatched.push(row);
                }
            }
        }
    }
    *kept = body;
    unmatched
}

fn add_row(to: &mut Candidate, row: &Candidate) {
    to.listed_severity = to.listed_severity.or(row.content.severity);
    to.listed_status = to.listed_status.or(row.content.status).or(row.head.status);
    if to.places().is_empty() {
        to.content.stated = row.places().to_vec();
    }
    if to.content.fix.is_empty() {
        to.content.fix.clone_from(&row.content.fix);
    }
}

fn add(to: &mut Candidate, mut other: Candidate) {
    // The one that tells more is the finding; the other one adds to it.
    if other.origin < to.origin
        || (other.origin == to.origin && other.content.text.len() > to.content.text.len() * 2)
    {
        std::mem::swap(to, &mut other);
        to.line = to.line.min(other.line);
    }
    to.listed_severity = to.listed_severity.or(other.content.severity).or(other.listed_severity);
    to.band = to.band.or(other.band);
    to.listed_status =
        to.listed_status.or(other.content.status).or(other.head.status).or(other.listed_status);
    if to.places().is_empty() {
        to.content.stated = other.places().to_vec();
    }
    if to.content.fix.is_empty() {
        to.content.fix = other.content.fix;
    }
    if to.content.acceptance.is_empty() {
        to.content.acceptance = other.content.acceptance;
    }
}

/// Applies what lists of things done say: by id, by the names in code that an entry and a finding share, by title.
fn settle(kept: &mut [Candidate], settled: &[Settled]) {
    if kept.len().saturating_mul(settled.len()) > MAX_COMPARISONS {
        return;
    }
    let open = |candidate: &Candidate| {
        candidate.content.status.or(candidate.head.status).or(candidate.listed_status).is_none()
    };
    let titles: Vec<BTreeSet<String>> = kept.iter().map(|candidate| stems(&candidate.head.title)).collect();
    let names: Vec<BTreeSet<String>> = kept
        .iter()
        .map(|candidate| {
            let places =
                candidate.places().iter().map(|place| place.path.as_str()).collect::<Vec<_>>().join(" ");
            code_names(&format!("{} {places}", candidate.head.title))
        })
        .collect();
    for entry in settled {
        let line = entry.text.lines().next().unwrap_or_default();
        let lead = line
            .split([" - ", " — ", " – "].iter().find(|dash| line.contains(**dash)).copied().unwrap_or("\n"))
            .next()
            .unwrap_or(line);
        let words: BTreeSet<String> = stems(line);
        let in_code = code_names(lead);
        let ids: BTreeSet<&str> = line
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ':' | '[' | ']'))
            .filter(|word| prefix::is_id(word, false))
            .collect();
        for (at, candidate) in kept.iter_mut().enumerate() {
            let by_id = candidate.head.id.as_deref().is_some_and(|id| ids.contains(id));
            let by_name = in_code.len() >= 2 && in_code.is_subset(&names[at]);
            let shared = titles[at].intersection(&words).count();
            let by_title = shared >= 2 && shared * 10 >= titles[at].len() * 6;
            if (by_id || by_name || by_title) && open(candidate) {
                candidate.listed_status = Some(entry.status);
            }
        }
    }
}

/// Names of files and functions in a text.
fn code_names(text: &str) -> BTreeSet<String> {
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/')));
    parts
        .filter(|part| part.len() > 3 && (part.contains('_') || part.contains('.') || part.contains('/')))
        .map(|part| part.trim_matches('.').rsplit('/').next().unwrap_or(part).to_lowercase())
        .take(40)
        .collect()
}

fn likeness(a: &BTreeSet<String>, b: &BTreeSet<String>) -> usize {
    let smaller = a.len().min(b.len());
    if smaller < 2 {
        return if smaller == 1 && a == b { 100 } else { 0 };
    }
    a.intersection(b).count() * 100 / smaller
}

/// Beginnings of the words that carry meaning.
fn stems(text: &str) -> BTreeSet<String> {
    const EMPTY: &[&str] = &[
        "the", "and", "for", "with", "not", "are", "from", "has", "have", "that", "this", "issue", "issues",
        "fix", "add", "use", "all", "via", "into",
    ];
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.chars().count() >= 3 || !word.is_ascii());
    words.filter(|word| !EMPTY.contains(word)).take(40).map(|word| word.chars().take(6).collect()).collect()
}

/// The single letters that ids of the report begin with: `C-1` is critical only beside `H-1`.
fn letters_of(kept: &[Candidate]) -> BTreeSet<char> {
    let ids = kept.iter().filter_map(|candidate| candidate.head.id.as_deref());
    ids.filter(|id| id.chars().nth(1).is_some_and(|c| !c.is_ascii_alphabetic()))
        .filter_map(|id| id.chars().next())
        .collect()
}

fn severity_of_id(id: &str, letters: &BTreeSet<char>) -> Option<Severity> {
    let word: String = id.chars().take_while(char::is_ascii_alphabetic).collect();
    let rates = letters.contains(&'H') || letters.contains(&'M') || letters.contains(&'L');
    match word.as_str() {
        "CRITICAL" | "CRIT" => Some(Severity::Critical),
        "C" if rates => Some(Severity::Critical),
        "HIGH" | "H" => Some(Severity::High),
        "MEDIUM" | "MED" | "M" => Some(Severity::Medium),
        "LOW" | "L" | "INFO" => Some(Severity::Low),
        "I" | "N" | "G" | "NC" | "QA" | "GAS" if rates || word.len() > 1 => Some(Severity::Low),
        _ => None,
    }
}

/// The field of the finding, then its title, a summary, its id, the group, a CVSS score.
fn severity_of(candidate: &Candidate, letters: &BTreeSet<char>) -> Option<Severity> {
    let by_id = candidate.head.id.as_deref().and_then(|id| severity_of_id(id, letters));
    candidate
        .content
        .severity
        .or(candidate.head.severity.filter(|_| candidate.head.rated))
        .or(candidate.listed_severity)
        .or(by_id)
        .or(candidate.head.severity)
        .or(candidate.band)
        .or(candidate.content.cvss)
}

fn known(candidate: Candidate, severity: Option<Severity>, audit: &str) -> Known {
    let locations = candidate.places().to_vec();
    let Candidate { head, content, listed_status, trail, line, .. } = candidate;
    let status = content.status.or(head.status).or(listed_status).unwrap_or(FindingStatus::Open);
    let category = [head.category.as_deref().unwrap_or_default(), content.category.as_str()].join(" ");
    let fix = content.fix.trim();
    let advisory =
        |id: &String| ["CVE-", "GHSA-", "RUSTSEC-", "GO-", "CWE-"].iter().any(|start| id.starts_with(start));
    let kind = head.id.as_ref().filter(|id| advisory(id)).map(|_| FindingType::Security);
    Known {
        title: one_line(&head.title, 200),
        id: head.id,
        text: content.text,
        severity,
        kind,
        category,
        headings: trail,
        audit: audit.to_owned(),
        status: Some(status),
        locations,
        fix: (!fix.is_empty()).then(|| fix.to_owned()),
        acceptance: content.acceptance,
        effort: content.effort,
        line,
    }
}

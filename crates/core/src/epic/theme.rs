//! Which theme an issue belongs to, and which themes are near each other (E3). Looks at labels and at the head of the title.

use super::plan::{AUDIT, MAX_CHILDREN};
use crate::{
    id::Number,
    intent::{NEEDS_INTERVENTION, Theme},
    signals::{IssueFacts, TitleKind},
    text::ScopeWord,
};
use std::collections::{BTreeMap, BTreeSet};

use super::Checklist;

/// How the theme of an issue is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Its title begins with `feat`.
    Feature,
    /// One of its labels.
    Label,
    /// The word that its title begins with.
    Title,
    /// Neither says anything.
    Nothing,
    /// It comes from an audit, and the repository has few of those (E3).
    FewAudits,
}

/// Labels that name a theme. An issue with several belongs to the first: the narrower matter before the wider.
const LABELS: [(&str, Theme); 6] = [
    ("security", Theme::Security),
    ("performance", Theme::Performance),
    ("testing", Theme::Testing),
    ("docs", Theme::Documentation),
    ("documentation", Theme::Documentation),
    ("quality", Theme::Quality),
];

/// Where issues of a theme go when they are too few: the first of these that has an epic. Nearest is what the same person
/// would review with the same eyes. Features are near to features alone: they wait for approval and would hold others back.
static NEAREST: [(Theme, [Theme; 5]); 5] = {
    use Theme::{Audit, Documentation, Performance, Quality, Security, Testing};
    [
        (Security, [Quality, Performance, Testing, Documentation, Audit]),
        (Quality, [Performance, Testing, Security, Documentation, Audit]),
        (Performance, [Quality, Testing, Security, Documentation, Audit]),
        (Testing, [Quality, Documentation, Performance, Security, Audit]),
        (Documentation, [Quality, Testing, Performance, Security, Audit]),
    ]
};

/// The theme of one issue, by itself.
pub(super) fn theme_of(issue: &IssueFacts) -> (Theme, Ground) {
    if issue.title.kind == Some(TitleKind::Feat) {
        return (Theme::Feature(issue.title.scope.clone().unwrap_or_else(general)), Ground::Feature);
    }
    if let Some((_, theme)) = LABELS.iter().find(|(label, _)| issue.has_label(label)) {
        return (theme.clone(), Ground::Label);
    }
    match issue.title.kind {
        Some(TitleKind::Security) => (Theme::Security, Ground::Title),
        Some(TitleKind::Perf) => (Theme::Performance, Ground::Title),
        Some(TitleKind::Test) => (Theme::Testing, Ground::Title),
        Some(TitleKind::Docs) => (Theme::Documentation, Ground::Title),
        Some(TitleKind::Quality | TitleKind::Fix) => (Theme::Quality, Ground::Title),
        Some(TitleKind::Audit | TitleKind::Epic | TitleKind::Feat) | None => {
            (Theme::Quality, Ground::Nothing)
        }
    }
}

/// Whether an issue came from an audit. A feature never counts as such: it needs an approval of its own.
pub(super) fn from_audit(issue: &IssueFacts) -> bool {
    issue.has_label(AUDIT) && issue.title.kind != Some(TitleKind::Feat)
}

/// The subsystem of features that name none.
fn general() -> ScopeWord {
    #[expect(clippy::expect_used, reason = "a constant of the required shape, checked by a test")]
    ScopeWord::new("general").expect("a valid scope word")
}

/// Of the themes that are there, the one nearest to `theme`. `size`: how many issues or how much room a theme has; among
/// features the largest is taken, then the first by name.
pub(super) fn nearest<'a>(theme: &Theme, there: &BTreeMap<&'a Theme, usize>) -> Option<&'a Theme> {
    if let Theme::Feature(_) = theme {
        let features =
            there.iter().filter(|(other, _)| matches!(other, Theme::Feature(_)) && **other != theme);
        return features.min_by_key(|(other, size)| (usize::MAX - **size, **other)).map(|(other, _)| *other);
    }
    let (_, order) = NEAREST.iter().find(|(from, _)| from == theme)?;
    order.iter().find_map(|near| there.keys().find(|other| **other == near).copied())
}

/// An open epic that can take more children (E2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    /// The epic.
    pub(super) epic: Number,
    /// The theme that most of its children have; of several, the first in the order of E3.
    pub(super) theme: Theme,
    /// All its children come from audits.
    pub(super) audit: bool,
    /// How many more it takes.
    pub(super) room: usize,
    /// How many of its children name each package.
    scopes: BTreeMap<ScopeWord, usize>,
}

impl Home {
    /// How well an issue of that package fits.
    pub(super) fn fits(&self, scope: Option<&ScopeWord>) -> usize {
        scope.and_then(|scope| self.scopes.get(scope)).copied().unwrap_or_default()
    }

    /// Whether it is of the theme. Its title is not read: the children's labels say it.
    pub(super) fn takes(&self, theme: &Theme) -> bool {
        if *theme == Theme::Audit { self.audit } else { self.theme == *theme }
    }
}

/// Open epics by number, with the theme of their children. An epic that is full stays in the list (its theme is taken) with no room;
/// one on which nothing can go on by itself, all its children being closed or waiting for a person, gets no more.
pub(super) fn homes(
    issues: &BTreeMap<Number, &IssueFacts>,
    existing: &[(IssueFacts, Checklist)],
) -> Vec<Home> {
    let stuck = stuck(issues);
    let mut homes: Vec<Home> = existing
        .iter()
        .filter(|(epic, _)| epic.open && !epic.has_label(NEEDS_INTERVENTION))
        .filter_map(|(epic, list)| {
            let children: Vec<&IssueFacts> =
                list.entries.iter().filter_map(|e| issues.get(&e.child).copied()).collect();
            let mut themes: BTreeMap<Theme, usize> = BTreeMap::new();
            let mut scopes: BTreeMap<ScopeWord, usize> = BTreeMap::new();
            for child in &children {
                *themes.entry(theme_of(child).0).or_default() += 1;
                if let Some(scope) = &child.title.scope {
                    *scopes.entry(scope.clone()).or_default() += 1;
                }
            }
            let (theme, _) = themes.into_iter().rev().max_by_key(|(_, count)| *count)?;
            let alive = children.iter().any(|c| c.open && !stuck.contains(&c.number));
            Some(Home {
                epic: epic.number,
                theme,
                audit: children.iter().all(|c| from_audit(c)),
                room: if alive { MAX_CHILDREN.saturating_sub(list.entries.len()) } else { 0 },
                scopes,
            })
        })
        .collect();
    homes.sort_by_key(|home| home.epic);
    homes.dedup_by_key(|home| home.epic);
    homes
}

/// Open issues that wait for a person, or for an issue that does (X8).
fn stuck(issues: &BTreeMap<Number, &IssueFacts>) -> BTreeSet<Number> {
    let open = || issues.values().filter(|i| i.open);
    let mut stuck: BTreeSet<Number> =
        open().filter(|i| i.has_label(NEEDS_INTERVENTION)).map(|i| i.number).collect();
    loop {
        let before = stuck.len();
        let more: Vec<Number> =
            open().filter(|i| i.blocked_by.iter().any(|b| stuck.contains(b))).map(|i| i.number).collect();
        stuck.extend(more);
        if stuck.len() == before {
            return stuck;
        }
    }
}

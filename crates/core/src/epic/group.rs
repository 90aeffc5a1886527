//! From issues with a theme to epics of 3 to 10 children (E3): fill epics that exist, merge what is too small, split what is too
//! large. Every choice is made in the order of themes and numbers, so that the same issues always give the same epics.

use super::{
    plan::{MAX_CHILDREN, MIN_CHILDREN},
    theme::{Home, nearest},
};
use crate::{id::Number, intent::Theme, text::ScopeWord};
use std::collections::{BTreeMap, BTreeSet};

/// Issues of each theme.
pub(super) type Groups = BTreeMap<Theme, BTreeSet<Number>>;

/// The children of one epic, not yet in phases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parcel {
    /// Its theme.
    pub(super) theme: Theme,
    /// Number of the part when the theme was split.
    pub(super) part: Option<u32>,
    /// The epic that is extended.
    pub(super) extends: Option<Number>,
    /// Its children.
    pub(super) children: BTreeSet<Number>,
}

/// Where every issue goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grouping {
    /// Into an epic.
    pub(super) parcels: Vec<Parcel>,
    /// To an implementer without one.
    pub(super) direct: BTreeSet<Number>,
}

/// Groups issues. `scope`: the package that an issue's title names.
pub(super) fn group(
    mut groups: Groups,
    mut homes: Vec<Home>,
    scope: impl Fn(Number) -> Option<ScopeWord>,
) -> Grouping {
    let mut filled: BTreeMap<Number, BTreeSet<Number>> = BTreeMap::new();
    let mut grouping = Grouping::default();

    for (theme, members) in &mut groups {
        let room = homes.iter().filter(|h| h.takes(theme)).map(|h| h.room).sum();
        let taken = fill(&mut homes, |h| h.takes(theme), members, take(members.len(), room), &scope);
        keep(&mut filled, taken);
    }
    groups.retain(|_, members| !members.is_empty());
    // A9: a repository with one or two findings needs no epic for them.
    if groups.get(&Theme::Audit).is_some_and(|few| few.len() < MIN_CHILDREN) {
        grouping.direct.extend(groups.remove(&Theme::Audit).unwrap_or_default());
    }
    for (theme, mut members) in merge(&mut groups) {
        while let Some(near) = nearest_home(&theme, &homes) {
            let room = homes.iter().filter(|h| h.theme == near).map(|h| h.room).sum::<usize>();
            let wanted = room.min(members.len());
            let taken = fill(&mut homes, |h| h.theme == near, &mut members, wanted, &scope);
            keep(&mut filled, taken);
            if members.is_empty() {
                break;
            }
        }
        grouping.direct.extend(members);
    }
    for home in &homes {
        if let Some(children) = filled.remove(&home.epic) {
            let theme = home.theme.clone();
            grouping.parcels.push(Parcel { theme, part: None, extends: Some(home.epic), children });
        }
    }
    for (theme, members) in groups {
        let before = homes.iter().filter(|h| h.takes(&theme)).count();
        split(theme, members, before, &scope, &mut grouping.parcels);
    }
    grouping.parcels.sort_by(|a, b| (a.theme.whole(), a).cmp(&(b.theme.whole(), b)));
    grouping
}

/// How many of a theme's issues go into its epics that exist: all that fit, but what is left must be enough for an epic or nothing.
fn take(members: usize, room: usize) -> usize {
    match members.checked_sub(room) {
        None | Some(0) => members,
        Some(rest) if rest < MIN_CHILDREN && members >= MIN_CHILDREN => members - MIN_CHILDREN,
        Some(_) => room,
    }
}

fn keep(filled: &mut BTreeMap<Number, BTreeSet<Number>>, taken: Vec<(Number, Number)>) {
    for (epic, child) in taken {
        filled.entry(epic).or_default().insert(child);
    }
}

/// Moves `wanted` members into the homes that `takes` allows: each to the one with most of its package, else to the oldest. Those
/// that fit best go first. Pairs of epic and child.
fn fill(
    homes: &mut [Home],
    takes: impl Fn(&Home) -> bool,
    members: &mut BTreeSet<Number>,
    wanted: usize,
    scope: &impl Fn(Number) -> Option<ScopeWord>,
) -> Vec<(Number, Number)> {
    let mut order: Vec<(bool, Number)> = members
        .iter()
        .map(|n| {
            let word = scope(*n);
            (!homes.iter().any(|h| takes(h) && h.room > 0 && h.fits(word.as_ref()) > 0), *n)
        })
        .collect();
    order.sort_unstable();
    let mut taken = Vec::new();
    for (_, child) in order.into_iter().take(wanted) {
        let word = scope(child);
        let best = homes
            .iter_mut()
            .filter(|h| takes(h) && h.room > 0)
            .min_by_key(|h| (usize::MAX - h.fits(word.as_ref()), h.epic));
        if let Some(home) = best {
            home.room -= 1;
            members.remove(&child);
            taken.push((home.epic, child));
        }
    }
    taken
}

/// Merges groups that are too small into the nearest one, the smallest first. What no group is near to is taken out and returned.
fn merge(groups: &mut Groups) -> Groups {
    let mut alone = Groups::new();
    loop {
        let smallest =
            groups.iter().filter(|(_, m)| m.len() < MIN_CHILDREN).min_by_key(|(t, m)| (m.len(), *t));
        let Some(theme) = smallest.map(|(theme, _)| theme.clone()) else { return alone };
        let members = groups.remove(&theme).unwrap_or_default();
        let there = groups.iter().map(|(t, m)| (t, m.len())).collect();
        match nearest(&theme, &there).cloned() {
            Some(near) => groups.entry(near).or_default().extend(members),
            None => {
                alone.insert(theme, members);
            }
        }
    }
}

/// The theme of the nearest epic with room: the same theme first.
fn nearest_home(theme: &Theme, homes: &[Home]) -> Option<Theme> {
    let mut there: BTreeMap<&Theme, usize> = BTreeMap::new();
    for home in homes.iter().filter(|h| h.room > 0) {
        *there.entry(&home.theme).or_default() += home.room;
    }
    there.contains_key(theme).then_some(theme).or_else(|| nearest(theme, &there)).cloned()
}

/// Cuts a group into epics of at most [`MAX_CHILDREN`]: by package where a package has enough, the others together, and what is still
/// too large into parts of equal size. `before`: epics of this theme that exist, so that parts are counted on.
fn split(
    theme: Theme,
    members: BTreeSet<Number>,
    before: usize,
    scope: &impl Fn(Number) -> Option<ScopeWord>,
    into: &mut Vec<Parcel>,
) {
    if members.len() <= MAX_CHILDREN || matches!(theme, Theme::Feature(_)) {
        return parts(theme, members, before, into);
    }
    let mut packages: BTreeMap<ScopeWord, BTreeSet<Number>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    for child in members {
        match scope(child) {
            Some(word) => packages.entry(word).or_default().insert(child),
            None => others.insert(child),
        };
    }
    packages.retain(|_, package| {
        let enough = package.len() >= MIN_CHILDREN;
        if !enough {
            others.append(package);
        }
        enough
    });
    // One or two that are left over make no epic: they go with the smallest package, under the theme's own name.
    if (1..MIN_CHILDREN).contains(&others.len()) {
        let smallest = packages.iter().min_by_key(|(word, package)| (package.len(), *word));
        if let Some(word) = smallest.map(|(word, _)| word.clone()) {
            others.extend(packages.remove(&word).unwrap_or_default());
        }
    }
    if !others.is_empty() {
        parts(theme.clone(), others, before, into);
    }
    for (word, package) in packages {
        parts(Theme::Package(Box::new(theme.clone()), word), package, 0, into);
    }
}

fn parts(theme: Theme, members: BTreeSet<Number>, before: usize, into: &mut Vec<Parcel>) {
    let members: Vec<Number> = members.into_iter().collect();
    let count = members.len().div_ceil(MAX_CHILDREN);
    let (each, longer) = (members.len() / count.max(1), members.len() % count.max(1));
    let mut rest = members.as_slice();
    for part in 0..count {
        let (children, tail) = rest.split_at(each + usize::from(part < longer));
        rest = tail;
        let number = (count > 1 || before > 0).then(|| u32::try_from(before + part + 1).unwrap_or(u32::MAX));
        let children = children.iter().copied().collect();
        into.push(Parcel { theme: theme.clone(), part: number, extends: None, children });
    }
}

//! Phases of planned children (E5). Links of the forge win over guesses: a child comes in a later phase than what blocks it, as far
//! as three phases can say that; the rest of a long chain shares the last one, where dispatch respects the links themselves.

use super::theme::theme_of;
use crate::{
    id::Number,
    intent::{Phase, Theme},
    signals::IssueFacts,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Label of an issue that spans packages (A5, A7).
const FRAMEWORK: &str = "framework";

/// Why a child is in its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It spans packages.
    Framework,
    /// That child waits for it.
    Blocks(Number),
    /// It waits for that issue.
    After(Number),
    /// It is documentation.
    Documentation,
    /// Nothing stands before or behind it.
    Independent,
}

/// The links between open issues.
pub(super) struct Links<'a> {
    open: BTreeMap<Number, &'a IssueFacts>,
    blocks: BTreeMap<Number, BTreeSet<Number>>,
}

impl<'a> Links<'a> {
    /// Reads the links among issues. A blocker that is closed or not among them blocks nothing here.
    pub(super) fn new(issues: &BTreeMap<Number, &'a IssueFacts>) -> Self {
        let open: BTreeMap<Number, &IssueFacts> =
            issues.iter().filter(|(_, i)| i.open).map(|(n, i)| (*n, *i)).collect();
        let mut blocks: BTreeMap<Number, BTreeSet<Number>> = BTreeMap::new();
        for (number, issue) in &open {
            for blocker in issue.blocked_by.iter().filter(|b| open.contains_key(b)) {
                blocks.entry(*blocker).or_default().insert(*number);
            }
        }
        Self { open, blocks }
    }

    /// Open issues that wait for this one, ascending.
    pub(super) fn waiting_for(&self, blocker: Number) -> impl Iterator<Item = Number> + '_ {
        self.blocks.get(&blocker).into_iter().flatten().copied()
    }

    /// The shortest circle through the lowest of these issues that is in one, from its lowest number, each blocking the next.
    pub(super) fn circle(&self, of: &BTreeSet<Number>) -> Option<Vec<Number>> {
        of.iter().find_map(|start| {
            let mut came_from: BTreeMap<Number, Number> = BTreeMap::new();
            let mut queue = VecDeque::from([*start]);
            while let Some(at) = queue.pop_front() {
                for next in self.waiting_for(at) {
                    if next == *start {
                        let mut circle = vec![at];
                        while let Some(last) = circle.last().filter(|last| *last != start) {
                            circle.push(came_from[last]);
                        }
                        circle.reverse();
                        let lowest = circle.iter().enumerate().min_by_key(|(_, n)| **n).map_or(0, |(i, _)| i);
                        circle.rotate_left(lowest);
                        return Some(circle);
                    }
                    came_from.entry(next).or_insert_with(|| {
                        queue.push_back(next);
                        at
                    });
                }
            }
            None
        })
    }

    /// The phase of each planned child and why. `fixed`: children of epics that exist, with their phases; other issues are looked
    /// through: what stands behind them comes after what stands before them.
    pub(super) fn phases(
        &self,
        planned: &BTreeSet<Number>,
        fixed: &BTreeMap<Number, Phase>,
    ) -> BTreeMap<Number, (Phase, Turn)> {
        let is_child = |n: &Number| planned.contains(n) || fixed.contains_key(n);
        let mut found: BTreeMap<Number, (Phase, Turn)> = self
            .open
            .iter()
            .map(|(number, issue)| {
                let guess = || match self.waiting_for(*number).find(|n| is_child(n)) {
                    Some(waiting) => (Phase::Blockers, Turn::Blocks(waiting)),
                    None if theme_of(issue).0 == Theme::Documentation => {
                        (Phase::Cleanup, Turn::Documentation)
                    }
                    None if issue.has_label(FRAMEWORK) => (Phase::Blockers, Turn::Framework),
                    None => (Phase::Parallel, Turn::Independent),
                };
                let turn = match fixed.get(number) {
                    Some(phase) => (*phase, Turn::Independent),
                    None if planned.contains(number) => guess(),
                    None => (Phase::Blockers, Turn::Independent),
                };
                (*number, turn)
            })
            .collect();
        let mut queue: VecDeque<Number> = self.open.keys().copied().collect();
        while let Some(blocker) = queue.pop_front() {
            let (before, _) = found[&blocker];
            let at_least = if is_child(&blocker) { after(before) } else { before };
            for waiting in self.waiting_for(blocker).filter(|n| !fixed.contains_key(n)) {
                if let Some(turn) = found.get_mut(&waiting)
                    && turn.0 < at_least
                {
                    *turn = (at_least, Turn::After(blocker));
                    queue.push_back(waiting);
                }
            }
        }
        found.retain(|number, _| planned.contains(number));
        found
    }
}

fn after(phase: Phase) -> Phase {
    match phase {
        Phase::Blockers => Phase::Parallel,
        Phase::Parallel | Phase::Cleanup => Phase::Cleanup,
    }
}

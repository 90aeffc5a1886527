//! Which implementer gets which child of an epic that is a benchmark: in turn, phase by phase, so that each gets its part of every phase.
//! The turn begins with another one in each epic.

use crate::{epic::Checklist, id::Number, text::EngineName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the names of stored assignments begin with.
const KEY: &str = "benchmark:";

/// Who gets which child. Stored once, before the first dispatch; children that come later are dealt on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The implementers, in the order of the turn.
    pub implementers: Vec<EngineName>,
    /// Who gets a child.
    pub children: BTreeMap<Number, EngineName>,
}

/// A benchmark compares two implementers at least, each named once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a benchmark needs at least two different implementers")]
pub struct NoImplementers;

impl Assignment {
    /// Name of the stored plan of an epic.
    pub fn key(epic: Number) -> String {
        format!("{KEY}{epic}")
    }

    /// Whether a stored plan of that name is an assignment.
    pub fn is_key(key: &str) -> bool {
        key.starts_with(KEY)
    }

    /// Deals the children of an epic.
    pub fn deal(
        epic: Number,
        checklist: &Checklist,
        implementers: &[EngineName],
    ) -> Result<Self, NoImplementers> {
        let mut different: Vec<&EngineName> = implementers.iter().collect();
        different.sort();
        different.dedup();
        if different.len() < 2 || different.len() < implementers.len() {
            return Err(NoImplementers);
        }
        let mut order: Vec<_> = checklist.entries.iter().map(|entry| (entry.phase, entry.child)).collect();
        order.sort_unstable();
        let first = usize::try_from(epic.0 % implementers.len() as u64).unwrap_or(0);
        let turn = implementers.iter().cycle().skip(first);
        let children = order.into_iter().zip(turn).map(|((_, child), name)| (child, name.clone())).collect();
        Ok(Self { implementers: implementers.to_vec(), children })
    }

    /// Who gets a child. One that came to the epic later is dealt by its number.
    pub fn of(&self, child: Number) -> Option<&EngineName> {
        self.children.get(&child).or_else(|| {
            let count = u64::try_from(self.implementers.len()).ok().filter(|count| *count > 0)?;
            self.implementers.get(usize::try_from(child.0 % count).ok()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{epic::Entry, intent::Phase};

    #[test]
    fn every_phase_is_dealt_evenly_and_the_same_each_time() {
        let name = |text: &str| EngineName::new(text).unwrap();
        let entry = |child, phase| Entry { child: Number(child), phase, ticked: false };
        let checklist = Checklist {
            entries: vec![
                entry(9, Phase::Parallel),
                entry(4, Phase::Blockers),
                entry(3, Phase::Blockers),
                entry(5, Phase::Parallel),
            ],
        };
        let dealt = Assignment::deal(Number(1), &checklist, &[name("a"), name("b")]).unwrap();
        let told: Vec<_> = dealt.children.iter().map(|(n, e)| (n.0, e.as_str())).collect();
        assert_eq!(told, [(3, "b"), (4, "a"), (5, "b"), (9, "a")]);
        assert_eq!(dealt.of(Number(11)).unwrap().as_str(), "b");
        assert!(Assignment::deal(Number(1), &checklist, &[name("a"), name("a")]).is_err());
        assert!(Assignment::deal(Number(1), &checklist, &[name("a")]).is_err());
    }
}

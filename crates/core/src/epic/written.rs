//! A plan as people edit it (E4): the shape in a file, and what is wrong with a plan that came from one.

use super::plan::{EpicPlan, MAX_CHILDREN, PlannedEpic, is_work};
use crate::{
    id::Number,
    intent::{EpicDraft, NEEDS_INTERVENTION, Phase, PhaseDraft, Theme},
    signals::IssueFacts,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// An epic in a file: a theme in words and a list of numbers per phase. In TOML:
///
/// ```toml
/// direct = [9]
///
/// [[epics]]
/// theme = "security api"
/// blockers = [101]
/// parallel = [102, 103]
/// cleanup = [104]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenEpic {
    /// `security`, `quality`, `performance`, `testing`, `documentation`, `audit` or `feature <scope>`; a package may follow.
    pub theme: Theme,
    /// Number of the part when a theme was split, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// The existing epic that gets these children instead of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Number>,
    /// Children of phase 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Number>,
    /// Children of phase 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parallel: Vec<Number>,
    /// Children of phase 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanup: Vec<Number>,
}

impl From<PlannedEpic> for WrittenEpic {
    fn from(planned: PlannedEpic) -> Self {
        let EpicDraft { theme, part, phases } = planned.epic;
        let (mut blockers, mut parallel, mut cleanup) = (Vec::new(), Vec::new(), Vec::new());
        for draft in phases {
            match draft.phase {
                Phase::Blockers => blockers.extend(draft.children),
                Phase::Parallel => parallel.extend(draft.children),
                Phase::Cleanup => cleanup.extend(draft.children),
            }
        }
        Self { theme, part, extends: planned.extends, blockers, parallel, cleanup }
    }
}

impl From<WrittenEpic> for PlannedEpic {
    fn from(written: WrittenEpic) -> Self {
        let WrittenEpic { theme, part, extends, blockers, parallel, cleanup } = written;
        let phases = [(Phase::Blockers, blockers), (Phase::Parallel, parallel), (Phase::Cleanup, cleanup)]
            .into_iter()
            .filter(|(_, children)| !children.is_empty())
            .map(|(phase, mut children)| {
                // The order inside a phase says nothing: all its children are independent (X2).
                children.sort_unstable();
                PhaseDraft { phase, children }
            })
            .collect();
        Self { epic: EpicDraft { theme, part, phases }, extends }
    }
}

/// Where in a plan something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the list of direct dispatches.
    Direct,
    /// In an epic.
    Epic {
        /// Its position in the plan, from 1.
        position: usize,
        /// Its theme.
        theme: Theme,
        /// In that phase; `None`: the epic as a whole.
        phase: Option<Phase>,
    },
}

/// What cannot be carried out in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such issue.
    NoSuchIssue(Number),
    /// The issue is closed.
    Closed(Number),
    /// The issue is an audit or an epic.
    NotWork(Number),
    /// The issue belongs to an epic already.
    HasEpic(Number, Number),
    /// The issue stands there already.
    Twice(Number, Place),
    /// The child comes before the issue that blocks it.
    BeforeBlocker(Number, Number),
    /// The epic has no children.
    NoChildren,
    /// The epic has more than [`MAX_CHILDREN`] children.
    TooMany(usize),
    /// Phases are empty, double or not in their order.
    PhaseOrder,
    /// There is no such open epic that could be extended.
    NoSuchEpic(Number),
    /// Another epic of the plan extends it as well.
    ExtendedTwice(Number),
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// A plan that cannot be carried out; everything that is wrong with it, in the order of the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct InvalidPlan(pub Vec<PlanFault>);

impl EpicPlan {
    /// Whether the plan can be carried out on these issues (those of the repository, its epics among them).
    pub fn validate(&self, issues: &[IssueFacts]) -> Result<(), InvalidPlan> {
        let issues: BTreeMap<Number, &IssueFacts> = issues.iter().map(|i| (i.number, i)).collect();
        let mut check = Check { issues, seen: BTreeMap::new(), faults: Vec::new() };
        let mut extended = Vec::new();
        for (index, planned) in self.epics.iter().enumerate() {
            check.epic(index + 1, planned);
            if let Some(epic) = planned.extends {
                if extended.contains(&epic) {
                    check.fault(whole(index + 1, planned), Fault::ExtendedTwice(epic));
                }
                extended.push(epic);
            }
        }
        for child in &self.direct {
            check.child(*child, Place::Direct);
        }
        check.order();
        if check.faults.is_empty() { Ok(()) } else { Err(InvalidPlan(check.faults)) }
    }
}

fn whole(position: usize, planned: &PlannedEpic) -> Place {
    Place::Epic { position, theme: planned.epic.theme.clone(), phase: None }
}

struct Check<'a> {
    issues: BTreeMap<Number, &'a IssueFacts>,
    seen: BTreeMap<Number, Place>,
    faults: Vec<PlanFault>,
}

impl Check<'_> {
    fn fault(&mut self, place: Place, fault: Fault) {
        self.faults.push(PlanFault { place, fault });
    }

    fn epic(&mut self, position: usize, planned: &PlannedEpic) {
        let phases = &planned.epic.phases;
        match planned.epic.children().count() {
            0 => self.fault(whole(position, planned), Fault::NoChildren),
            n if n > MAX_CHILDREN => self.fault(whole(position, planned), Fault::TooMany(n)),
            _ => {}
        }
        if phases.iter().any(|d| d.children.is_empty()) || !phases.is_sorted_by(|a, b| a.phase < b.phase) {
            self.fault(whole(position, planned), Fault::PhaseOrder);
        }
        if let Some(epic) = planned.extends
            && !self
                .issues
                .get(&epic)
                .is_some_and(|i| i.open && !is_work(i) && !i.has_label(NEEDS_INTERVENTION))
        {
            self.fault(whole(position, planned), Fault::NoSuchEpic(epic));
        }
        for draft in phases {
            for child in &draft.children {
                let theme = planned.epic.theme.clone();
                self.child(*child, Place::Epic { position, theme, phase: Some(draft.phase) });
            }
        }
    }

    fn child(&mut self, child: Number, place: Place) {
        let fault = match self.issues.get(&child) {
            None => Some(Fault::NoSuchIssue(child)),
            Some(issue) if !issue.open => Some(Fault::Closed(child)),
            Some(issue) if !is_work(issue) => Some(Fault::NotWork(child)),
            Some(issue) => issue.parent.map(|epic| Fault::HasEpic(child, epic)),
        };
        if let Some(fault) = fault {
            self.fault(place.clone(), fault);
        }
        match self.seen.get(&child) {
            Some(first) => {
                let first = first.clone();
                self.fault(place, Fault::Twice(child, first));
            }
            None => {
                self.seen.insert(child, place);
            }
        }
    }

    /// Nothing stands in an earlier phase than what blocks it, in whichever epic: the two would wait for each other.
    fn order(&mut self) {
        let phase = |place: &Place| match place {
            Place::Epic { phase, .. } => *phase,
            Place::Direct => None,
        };
        let mut early = Vec::new();
        for (child, place) in &self.seen {
            let blockers = self.issues.get(child).map(|i| i.blocked_by.as_slice()).unwrap_or_default();
            for blocker in blockers {
                if let (Some(own), Some(before)) = (phase(place), self.seen.get(blocker).and_then(phase))
                    && own < before
                {
                    early.push(PlanFault {
                        place: place.clone(),
                        fault: Fault::BeforeBlocker(*child, *blocker),
                    });
                }
            }
        }
        self.faults.append(&mut early);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Epic { position, theme, phase } => {
                write!(f, "epic {position} ({theme})")?;
                phase.map_or(Ok(()), |phase| write!(f, ", {}", phase.word()))
            }
        }
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match &self.fault {
            Fault::NoSuchIssue(n) => write!(f, "there is no issue #{n}"),
            Fault::Closed(n) => write!(f, "#{n} is closed"),
            Fault::NotWork(n) => write!(f, "#{n} is an audit or an epic"),
            Fault::HasEpic(n, epic) => write!(f, "#{n} belongs to epic #{epic} already"),
            Fault::Twice(n, place) => write!(f, "#{n} stands in {place} already"),
            Fault::BeforeBlocker(n, blocker) => {
                write!(f, "#{n} is blocked by #{blocker}, which comes in a later phase")
            }
            Fault::NoChildren => f.write_str("it has no children"),
            Fault::TooMany(n) => write!(f, "it has {n} children, at most {MAX_CHILDREN} are allowed"),
            Fault::PhaseOrder => f.write_str("its phases are empty, double or out of order"),
            Fault::NoSuchEpic(n) => write!(f, "#{n} is no open epic that could be extended"),
            Fault::ExtendedTwice(n) => write!(f, "#{n} is extended by another epic of the plan already"),
        }
    }
}

//! What an epic needs next, against a small model of the world: random events, carried-out steps, and the promises X2, X3, X8, X9, X13.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    epic::{Checklist, ChildFacts, ChildStatus, Entry, EpicFacts, EpicStep, next_steps},
    id::{ActorId, Number},
    intent::{APPROVED, Phase},
    signals::{IssueFacts, PullState, TitleHead},
    text::{Label, Sha},
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

const AT: Timestamp = Timestamp::UNIX_EPOCH;
/// An open issue outside the epic.
const OUTSIDE: Number = Number(900);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pull {
    None,
    Open,
    Merged,
    Closed,
}

#[derive(Debug, Clone)]
struct Child {
    number: Number,
    phase: Phase,
    feature: bool,
    approved: bool,
    blocked_by: Vec<Number>,
    open: bool,
    dispatched: bool,
    escalated: bool,
    ticked: bool,
    pull: Pull,
}

/// What happens by itself to one child.
#[derive(Debug, Clone, Copy)]
enum Event {
    PullOpens,
    Merges,
    MergesAndCloses,
    PullCloses,
    Escalates,
    PersonHelps,
    PersonCloses,
    PersonApproves,
    OutsideCloses,
}

#[derive(Debug, Clone)]
struct World {
    children: Vec<Child>,
    outside_open: bool,
    commits: bool,
    pull: Pull,
    open: bool,
    gave_up: bool,
}

fn sha() -> Sha {
    Sha::new(&"a".repeat(40)).unwrap()
}

fn pull_state(pull: Pull) -> Option<PullState> {
    match pull {
        Pull::None => None,
        Pull::Open => Some(PullState::Open),
        Pull::Merged => Some(PullState::Merged { at: AT, commit: sha() }),
        Pull::Closed => Some(PullState::Closed { at: AT }),
    }
}

impl World {
    fn child(&mut self, number: Number) -> &mut Child {
        self.children.iter_mut().find(|c| c.number == number).unwrap()
    }

    fn is_open(&self, number: Number) -> bool {
        if number == OUTSIDE {
            self.outside_open
        } else {
            self.children.iter().any(|c| c.number == number && c.open)
        }
    }

    fn facts(&self) -> EpicFacts {
        let entries =
            self.children.iter().map(|c| Entry { child: c.number, phase: c.phase, ticked: c.ticked });
        let children: BTreeMap<Number, ChildFacts> = self
            .children
            .iter()
            .map(|c| {
                let issue = IssueFacts {
                    number: c.number,
                    open: c.open,
                    labels: if c.approved { vec![Label::new(APPROVED).unwrap()] } else { vec![] },
                    author: ActorId(1),
                    title: TitleHead::read(if c.feature { "feat: x" } else { "fix: x" }),
                    blocked_by: c.blocked_by.iter().copied().filter(|b| self.is_open(*b)).collect(),
                    parent: None,
                    created_at: AT,
                    closed_at: None,
                };
                let pull = pull_state(c.pull).map(|state| (Number(c.number.0 + 100), state));
                (c.number, ChildFacts { issue, pull, dispatched: c.dispatched, escalated: c.escalated })
            })
            .collect();
        EpicFacts {
            open: self.open,
            checklist: Checklist { entries: entries.collect() },
            children,
            pull: pull_state(self.pull).map(|state| (Number(500), state)),
            branch_head: Some(sha()),
            has_commits: self.commits,
        }
    }

    /// An escalated child, or an undispatched one that waits for such a one (X8).
    fn skipped(&self, number: Number, depth: usize) -> bool {
        let Some(c) = self.children.iter().find(|c| c.number == number && c.open && c.pull != Pull::Merged)
        else {
            return false;
        };
        c.escalated
            || (!c.dispatched && depth > 0 && c.blocked_by.iter().any(|b| self.skipped(*b, depth - 1)))
    }

    fn is_skipped(&self, number: Number) -> bool {
        self.skipped(number, self.children.len())
    }

    /// Carries out a step after checking that it is allowed.
    fn carry_out(&mut self, step: &EpicStep) {
        match step {
            EpicStep::FlagApproval(n) => {
                let child = self.child(*n);
                assert!(child.feature && !child.approved && child.open && !child.dispatched);
            }
            EpicStep::Dispatch(n) => {
                let child = self.child(*n).clone();
                assert!(child.open && !child.dispatched, "dispatched twice: {child:?}");
                assert!(!child.feature || child.approved, "X3: {child:?}");
                assert!(child.blocked_by.iter().all(|b| !self.is_open(*b)), "blocked: {child:?}");
                for other in self.children.iter().filter(|c| c.phase < child.phase) {
                    assert!(!other.open || self.is_skipped(other.number), "X2: {child:?} before {other:?}");
                }
                self.child(*n).dispatched = true;
            }
            EpicStep::Tick(numbers) => {
                assert!(!numbers.is_empty() && numbers.is_sorted_by(|a, b| a != b));
                for n in numbers {
                    let child = self.child(*n);
                    assert!(!child.ticked && (!child.open || child.pull == Pull::Merged), "X9: {child:?}");
                    child.ticked = true;
                }
            }
            EpicStep::CloseChild(n) => {
                let child = self.child(*n);
                assert!(child.open && child.pull == Pull::Merged);
                child.open = false;
            }
            EpicStep::OpenPull => {
                assert!(self.commits && self.pull == Pull::None && self.finished());
                self.pull = Pull::Open;
            }
            EpicStep::Close { merged } => {
                assert!(self.finished());
                assert_eq!(merged.is_some(), self.pull == Pull::Merged);
                assert!(merged.is_some() || !self.commits);
                self.open = false;
            }
            EpicStep::GiveUp => self.gave_up = true,
        }
    }

    fn finished(&self) -> bool {
        self.children.iter().all(|c| (!c.open && c.ticked) || self.is_skipped(c.number))
    }

    fn happen(&mut self, event: Event, at: usize) {
        let at = at % self.children.len();
        let child = &mut self.children[at];
        match event {
            Event::PullOpens if child.dispatched && matches!(child.pull, Pull::None | Pull::Closed) => {
                child.pull = Pull::Open;
            }
            Event::Merges if child.pull == Pull::Open => {
                child.pull = Pull::Merged;
                self.commits = true;
            }
            Event::MergesAndCloses if child.pull == Pull::Open => {
                (child.pull, child.open) = (Pull::Merged, false);
                self.commits = true;
            }
            Event::PullCloses if child.pull == Pull::Open => child.pull = Pull::Closed,
            Event::Escalates if child.dispatched => child.escalated = true,
            Event::PersonHelps => child.escalated = false,
            Event::PersonCloses => child.open = false,
            Event::PersonApproves => child.approved = true,
            Event::OutsideCloses => self.outside_open = false,
            _ => {}
        }
    }

    /// One look: the steps are carried out in their order. Comes back with whether anything changed.
    fn look(&mut self) -> bool {
        let steps = next_steps(&self.facts());
        for step in &steps {
            self.carry_out(step);
        }
        steps.iter().any(|s| !matches!(s, EpicStep::FlagApproval(_) | EpicStep::GiveUp))
    }

    /// From here on everything goes well: implementers deliver, people approve and merge what is in their hands.
    fn settle(&mut self) {
        for _ in 0..200 {
            self.outside_open = false;
            self.gave_up = false;
            let mut moved = self.look();
            for child in &mut self.children {
                child.approved = true;
                if child.open && child.dispatched && !child.escalated && child.pull != Pull::Merged {
                    (child.pull, self.commits, moved) = (Pull::Merged, true, true);
                }
            }
            if self.pull == Pull::Open {
                (self.pull, moved) = (Pull::Merged, true);
            }
            if !self.open {
                return;
            }
            if !moved {
                // One more look with all approvals given.
                self.gave_up = false;
                if !self.look() {
                    return;
                }
            }
        }
        panic!("never ends: {self:?}");
    }
}

fn events() -> impl Strategy<Value = Vec<(Event, usize)>> {
    let event = prop::sample::select(vec![
        Event::PullOpens,
        Event::PullOpens,
        Event::Merges,
        Event::Merges,
        Event::MergesAndCloses,
        Event::MergesAndCloses,
        Event::PullCloses,
        Event::Escalates,
        Event::PersonHelps,
        Event::PersonCloses,
        Event::PersonApproves,
        Event::OutsideCloses,
    ]);
    prop::collection::vec((event, 0..8usize), 0..60)
}

/// An epic of up to eight children. `ordered`: nothing is blocked by what comes in a later phase, and there are no circles.
fn world(ordered: bool) -> impl Strategy<Value = World> {
    let child = (0..3usize, prop::bool::weighted(0.2), prop::collection::vec(0..9usize, 0..2));
    prop::collection::vec(child, 1..8).prop_map(move |rows| {
        let phases: Vec<usize> = rows.iter().map(|(phase, ..)| *phase).collect();
        let children = rows.into_iter().enumerate().map(|(index, (phase, feature, blockers))| {
            let allowed = |b: &usize| !ordered || phases[*b] < phase || (phases[*b] == phase && *b < index);
            let blocked_by = blockers
                .iter()
                .filter_map(|b| match b {
                    8 => Some(OUTSIDE),
                    b if *b < phases.len() && allowed(b) => Some(Number(*b as u64 + 1)),
                    _ => None,
                })
                .collect();
            Child {
                number: Number(index as u64 + 1),
                phase: Phase::ALL[phase],
                feature,
                approved: false,
                blocked_by,
                open: true,
                dispatched: false,
                escalated: false,
                ticked: false,
                pull: Pull::None,
            }
        });
        World {
            children: children.collect(),
            outside_open: true,
            commits: false,
            pull: Pull::None,
            open: true,
            gave_up: false,
        }
    })
}

fn walk(world: &mut World, events: &[(Event, usize)]) {
    for (event, at) in events {
        world.look();
        world.happen(*event, *at);
    }
}

#[test]
fn a_link_against_the_phases_calls_a_person() {
    let mut cleanup_first = World {
        children: Vec::new(),
        outside_open: true,
        commits: false,
        pull: Pull::None,
        open: true,
        gave_up: false,
    };
    let child = |number, phase, by: &[u64]| Child {
        number: Number(number),
        phase,
        feature: false,
        approved: false,
        blocked_by: by.iter().map(|n| Number(*n)).collect(),
        open: true,
        dispatched: false,
        escalated: false,
        ticked: false,
        pull: Pull::None,
    };
    cleanup_first.children =
        vec![child(1, Phase::Parallel, &[2]), child(2, Phase::Cleanup, &[]), child(3, Phase::Parallel, &[])];
    assert_eq!(next_steps(&cleanup_first.facts()), [EpicStep::Dispatch(Number(3))]);
    cleanup_first.children[2].open = false;
    cleanup_first.children[2].ticked = true;
    assert_eq!(next_steps(&cleanup_first.facts()), [EpicStep::GiveUp]);
    // Waiting for an issue outside the epic is no circle.
    cleanup_first.children[0].blocked_by = vec![OUTSIDE];
    assert_eq!(next_steps(&cleanup_first.facts()), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn an_epic_ends_once_all_children_are_done_or_skipped(mut world in world(true), events in events()) {
        walk(&mut world, &events);
        world.settle();
        let left: Vec<&Child> =
            world.children.iter().filter(|c| c.open && !world.is_skipped(c.number)).collect();
        prop_assert!(left.is_empty(), "{left:?}");
        // It closes, or a person is called because there is nothing to merge or its pull request was refused.
        prop_assert!(!world.open || (world.gave_up && !world.commits), "{world:?}");
    }

    #[test]
    fn whatever_the_links_an_epic_never_hangs_in_silence(mut world in world(false), events in events()) {
        walk(&mut world, &events);
        world.settle();
        prop_assert!(!world.open || world.gave_up, "{world:?}");
    }

    #[test]
    fn statuses_agree_with_the_model(mut world in world(false), events in events()) {
        walk(&mut world, &events);
        for (number, _, status) in world.facts().statuses() {
            let skipped = world.is_skipped(number);
            let child = world.child(number);
            prop_assert_eq!(status == ChildStatus::Done, !child.open);
            prop_assert_eq!(
                matches!(status, ChildStatus::Merged(_)), child.open && child.pull == Pull::Merged
            );
            prop_assert_eq!(status == ChildStatus::Skipped, skipped);
        }
    }

    #[test]
    fn a_closed_epic_needs_nothing(mut world in world(false), events in events()) {
        walk(&mut world, &events);
        world.open = false;
        prop_assert!(next_steps(&world.facts()).is_empty());
    }
}

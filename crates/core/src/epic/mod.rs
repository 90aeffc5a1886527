//! Epics: the checklist that is read back by pattern, the plan that makes them (E1 to E6) and the pure function that
//! derives what an epic needs next.

mod checklist;
mod plan;
mod progress;

pub use checklist::{Checklist, Entry, append, render, tick};
pub use plan::{EpicPlan, PlanError, PlannedEpic, Reason, plan_epics};
pub use progress::{ChildFacts, ChildStatus, EpicFacts, EpicStep, next_steps};

//! Epics: the checklist that is read back by pattern, the plan that makes them (E1 to E6) and the pure function that
//! derives what an epic needs next.

mod checklist;
mod explain;
mod group;
mod phase;
mod plan;
mod progress;
mod theme;
mod written;

pub use checklist::{Checklist, Entry, append, render, tick};
pub use plan::{
    AUDIT, EpicPlan, FEW_AUDITS, MAX_CHILDREN, MIN_CHILDREN, PlanError, PlannedEpic, Reason, is_candidate,
    plan_epics,
};
pub use progress::{ChildFacts, ChildStatus, EpicFacts, EpicStep, next_steps};
pub use written::{Fault, InvalidPlan, Place, PlanFault, WrittenEpic};

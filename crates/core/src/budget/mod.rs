//! The budget (60-budget.md): who may spend how much in which window, what was spent, and when the daily runs are due. Pure: the books
//! are kept by a store behind [`crate::port::budget::Budget`], and time is an argument.

pub mod cadence;
pub mod charge;
pub mod days;
pub mod forecast;
pub mod import;
pub mod pacing;
pub mod plan;
pub mod quota;
pub mod reservation;
pub mod team;
pub mod triggers;
pub mod window;

pub use charge::{Account, Charge, Held, Limit, PlanDay, Usage};
pub use quota::{Cost, Provider, Quota, Unit};
pub use team::Team;
pub use window::{Period, Span, Window, Zone};

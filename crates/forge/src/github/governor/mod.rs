//! Keeps Banksman under GitHub's limits before they are hit (X15): primary and secondary ones, on REST and GraphQL, shared by all loops of one
//! credential. Pure: time comes in with each call, waiting is the caller's. Every request asks first and tells afterwards:
//!
//! ```
//! # use banksman_forge::github::governor::{Cost, Effect, Governor, Heard, Turn};
//! # let (mut governor, now) = (Governor::default(), jiff::Timestamp::UNIX_EPOCH);
//! match governor.ask(now, None, Cost::Rest(Effect::Read)) {
//!     Turn::Go(ticket) => {
//!         // ... send; then, whatever came of it:
//!         governor.told(now, ticket, &Heard::nothing());
//!     }
//!     Turn::Wait(until) => {
//!         // ... ask again then
//!         # let _ = until;
//!     }
//! }
//! ```
//!
//! **Reserves.** Reads leave a tenth of the hourly budgets to writes and to the reads that settle them, so that what is under way can be
//! finished. **Fairness.** Who waits is not overtaken for ever: half of each window is kept, in equal parts, for the repositories that wait for
//! it. **Time** is GitHub's: answers carry their date, and a clock of this host that jumps is noticed by it (see `steady`). All windows are
//! a little longer and their limits a little lower than GitHub's.

mod budget;
mod cost;
mod heard;
mod judge;
mod pause;
mod steady;
mod view;
mod window;

pub use cost::{Cost, Effect, Resource};
pub use heard::{Answer, Heard, Rate};
pub use judge::{Governor, Pace, Ticket, Turn};
pub use view::{BudgetView, GovernorView, PauseView, PauseWhy, WindowView};

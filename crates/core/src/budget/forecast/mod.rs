//! The forecast (B10): when each open epic and all of them will be done, as quantiles of simulated futures. Pure: the same record and
//! seed give the same forecast on the same kind of machine.
//!
//! What is learned from the record, and how each future is drawn:
//!
//! - A child passes one round and, if it needs fixes, more. A round ends at a rate per hour that depends on how long it lasts already
//!   (piecewise exponential, five steps of age): agents' pull requests are merged at once or after a review, and no one curve fits both. Rounds
//!   that are still open count with the time they lasted so far.
//! - Days differ, together for all children: each day of the history, those without any merge included, has a factor, merged children
//!   against those to be expected from the work that was in hand. Future days draw theirs from days of the same kind (working day or weekend) in
//!   runs (stationary bootstrap: Politis and Romano, 1994), weighted anew for each future (Bayesian bootstrap: Rubin, 1981).
//! - Repositories differ: a factor each, drawn towards 1 while little is known. So do epics.
//! - Every rate, factor and probability is drawn from its posterior for each future, so that a short history gives wide intervals. What
//!   stands in for a history that is missing is in [`Priors`], with its source.
//! - Then the phases run: a phase begins when the one before is settled, at most so many children at once, at most so many
//!   dispatched in a day. Escalated children settle too: the epic goes on without them (X8).

mod ages;
mod backtest;
mod bottleneck;
mod dice;
mod due;
mod learn;
mod outlook;
mod prior;
mod record;
mod trial;

pub use backtest::{Backtest, Case, Level, backtest, backtest_one};
pub use bottleneck::Bottleneck;
pub use dice::Dice;
pub use due::{Dates, Due};
pub use outlook::{
    BurnDay, ENOUGH_CHILDREN, ENOUGH_DAYS, EpicForecast, Forecast, History, Options, forecast,
};
pub use prior::Priors;
pub use record::{Capacity, ChildPast, Children, End, EpicPast, Record, Way};

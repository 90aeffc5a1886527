//! What Banksman does: the loops that take findings to merged pull requests, over the ports of `core`. Async, but time,
//! ids and the world come in through the ports: this is the crate that the simulator runs.

#[cfg(feature = "seeded-bugs")]
pub mod bugs;
mod cadence;
mod capture;
mod echo;
mod intake;
mod pipeline;
mod run;
mod stop;
mod trouble;
mod worker;

pub use cadence::{RUN_TTL, take_due};
pub use echo::{Echo, Told};
pub use intake::{Drafts, IssueOrder};
pub use pipeline::{Awaited, EpicView, Fix, Fixed, Look, Orchestrator, Outlook, Picture, PullView};
pub use run::Until;
pub use stop::Stop;
pub use trouble::Trouble;
pub use worker::{EngineRoom, Ran, Worker, WorkerSetup};

/// Whether a deliberate bug is switched on; always false in builds without the feature `seeded-bugs`.
macro_rules! bug {
    ($name:ident) => {{
        #[cfg(feature = "seeded-bugs")]
        let on = $crate::bugs::on($crate::bugs::Bug::$name);
        #[cfg(not(feature = "seeded-bugs"))]
        let on = false;
        on
    }};
}
pub(crate) use bug;

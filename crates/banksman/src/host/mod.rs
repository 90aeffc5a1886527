//! The wiring: this host's store, forge, engines and clock as one world, and the loops that run in it. The one place that knows all
//! implementors of the ports.

mod clock;
mod drafts;
mod guess;
mod journals;
mod open;
mod repository;
mod run;
mod stop;
mod summary;
mod world;

pub(crate) use drafts::PlanDrafts;
pub(crate) use guess::guess_check;
pub(crate) use open::{Host, Hosted};
pub(crate) use repository::Repository;
pub(crate) use run::Ended;
pub(crate) use summary::{Summary, describe};

use std::future::Future;

/// Runs a command's asynchronous part.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

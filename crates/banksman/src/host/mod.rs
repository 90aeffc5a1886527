//! The wiring: this host's store, forge, engines and clock as one world, and the loops that run in it. The one place that knows all
//! implementors of the ports.

mod bells;
mod books;
mod captures;
mod clock;
mod drafts;
mod forge;
mod github;
mod guess;
pub(crate) mod journals;
mod logs;
mod loops;
mod open;
mod others;
mod queue;
mod repository;
mod run;
mod stop;
mod summary;
mod sweeps;
mod token;
mod troubles;
mod watch;
mod worker;
mod world;

pub(crate) use captures::open_sinks;
pub(crate) use drafts::PlanDrafts;
pub(crate) use forge::{EmbeddedForge, is_embedded};
pub(crate) use github::{Access, Explained, GithubRepository, explain, explain_trouble, workable};
pub(crate) use guess::guess_check;
#[cfg(test)]
pub(crate) use loops::Hour;
pub(crate) use loops::{Limits, Loops};
pub(crate) use open::{Host, Hosted};
pub(crate) use others::Rings;
pub(crate) use queue::{find_job, open_store, person};
pub(crate) use repository::Repository;
pub(crate) use run::Ended;
pub(crate) use stop::interrupted;
pub(crate) use summary::{Summary, describe};
pub(crate) use token::{TokenFacts, examine};
#[cfg(test)]
pub(crate) use troubles::Trouble;
pub(crate) use worker::WorkerUntil;

use std::future::Future;

/// Runs a command's asynchronous part.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

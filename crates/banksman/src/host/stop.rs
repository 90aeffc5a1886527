//! Ctrl-C: the first one drains, the second one ends at once.

use anstream::eprintln;
use banksman_orchestrator::Stop;
use std::{future::Future, time::Duration};
use tokio::{select, signal, time};

/// How long running attempts may go on after the wish to stop; then they are ended, and go on at the next start.
const GRACE: Duration = Duration::from_secs(10);

/// How work under Ctrl-C ended.
#[derive(Debug)]
pub(crate) enum Drained<T> {
    /// By itself.
    Finished(T),
    /// Somebody wanted it to stop.
    Interrupted,
}

/// Runs work until it ends or somebody presses Ctrl-C (or sends SIGTERM). What was acknowledged is in the store either way.
pub(crate) async fn until_interrupted<T>(stop: &Stop, work: impl Future<Output = T>) -> Drained<T> {
    tokio::pin!(work);
    select! {
        done = &mut work => return Drained::Finished(done),
        () = interrupted() => {}
    }
    stop.stop();
    eprintln!("stopping: running attempts get {} s, Ctrl-C again ends them now", GRACE.as_secs());
    select! {
        _ = &mut work => {}
        () = interrupted() => {}
        () = time::sleep(GRACE) => {}
    }
    Drained::Interrupted
}

async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
        select! {
            _ = signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = signal::ctrl_c().await;
}

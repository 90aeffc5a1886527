//! The embedded tracker of a home: its files, and serving it.

use super::CommandClock;
use crate::{home::Home, output::Failure};
use anyhow::Context as _;
use banksman_store::items::SqliteItems;
use banksman_tracker::{
    Secret,
    serve::{Gate, Hosts, Listening, kept_token, router},
};
use std::{future::Future, net::SocketAddr, path::PathBuf};

/// Where the embedded tracker keeps what is its own.
#[derive(Debug, Clone)]
pub(crate) struct TrackerPlaces {
    /// Its items.
    pub(crate) database: PathBuf,
    /// Its token, mode 600.
    pub(crate) token: PathBuf,
}

impl TrackerPlaces {
    /// Those of a home.
    pub(crate) fn of(home: &Home) -> Self {
        let at = |name| home.folder().join(name);
        Self { database: at("tracker.db"), token: at("tracker-token") }
    }

    /// Opens the items; makes the file if it is missing.
    pub(crate) fn items(&self) -> anyhow::Result<SqliteItems> {
        SqliteItems::open(&self.database).with_context(|| format!("cannot open {}", self.database.display()))
    }

    /// The token; made on the first call.
    pub(crate) fn token(&self) -> anyhow::Result<Secret> {
        kept_token(&self.token).with_context(|| self.token.display().to_string())
    }
}

/// Serves the items until stopped. `ready` is told the address before the first request is taken.
pub(crate) async fn serve_tracker(
    items: SqliteItems,
    token: &Secret,
    address: SocketAddr,
    names: Vec<String>,
    ready: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let listening = Listening::on(address).await.map_err(|error| {
        let what = format!("cannot listen on {address}: {error}");
        Failure::new(what, "another program may use the port: choose one with --listen ADDRESS:PORT")
    })?;
    let address = listening.address()?;
    let gate = Gate::new(token, Hosts::of(address.ip(), names));
    let app = router(items, CommandClock, gate);
    ready(address)?;
    listening.serve(app, stop).await;
    Ok(())
}

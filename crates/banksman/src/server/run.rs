//! `serve`: all parts in one process, begun together and drained together (O1).

use super::{
    CommandClock, TrackerPlaces,
    forge::Facade,
    health::{self, Readiness},
    inventory::changed,
    parts::{Part, Parts, Running},
    socket::Socket,
    webhooks::{self, Heard, Receiver},
    write::{self, WriteDoor},
};
use crate::{
    config::{Settings, influx_token, webhook_secret},
    host::{Host, Rings, WorkerUntil, interrupted},
    output::Failure,
};
use anyhow::Context as _;
use axum::{Router, body::Body};
use banksman_core::text::Login;
use banksman_forge::github::webhook::HookKey;
use banksman_sink::TokenError;
use banksman_tracker::{
    AnyTracker, Secret,
    serve::{Gate, Hosts, Listening, kept_token, router as items},
};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use std::{future::Future, net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc};
use tokio::sync::watch;

/// What is served, and where.
pub(crate) struct Serve {
    /// The parts.
    pub(crate) parts: Parts,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Further names under which the server is called.
    pub(crate) names: Vec<String>,
    /// The owner of this home.
    pub(crate) owner: Login,
    /// What the inventory said when the host was opened.
    pub(crate) inventory: String,
    /// Its embedded tracker's token, and the tracker that the workers echo to.
    pub(crate) token: Secret,
    pub(crate) tracker: Option<AnyTracker>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// Somebody stopped it.
    Stopped,
    /// The inventory is another one now: it begins again, at the same address.
    InventoryChanged(SocketAddr),
}

/// Where it is served, for people and scripts. Whatever is off is `None`.
#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    /// The address.
    pub(crate) url: String,
    /// The embedded tracker's base.
    pub(crate) tracker: Option<String>,
    /// Where GitHub's webhooks go.
    pub(crate) webhooks: Option<String>,
    /// The Unix socket of the embedded forge.
    pub(crate) forge_socket: Option<PathBuf>,
    /// The file of the owner's token, which the embedded forge asks for over TCP.
    pub(crate) forge_token_file: Option<PathBuf>,
    /// The file of Banksman's own token, for another home that works on this one as on GitHub.
    pub(crate) forge_own_token_file: Option<PathBuf>,
    /// Where line protocol goes, and the file of the token that it asks for.
    pub(crate) write: Option<String>,
    /// `None`: it is the token of InfluxDB, from the environment or its file.
    pub(crate) write_token_file: Option<PathBuf>,
    /// Parts that run without being seen.
    pub(crate) captures: Running,
    /// The same.
    pub(crate) workers: Running,
    /// The same.
    pub(crate) sweeps: Running,
    /// What does not run though nobody left it out, and why.
    pub(crate) remarks: Vec<String>,
}

type Work<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// Serves until SIGTERM or Ctrl-C, or until the inventory changes, then drains: requests under way are answered, nothing new is claimed, what runs gets its grace period.
pub(crate) async fn serve(
    host: &Arc<Host>,
    settings: &Settings,
    serve: Serve,
    ready: impl FnOnce(&Ready) -> anyhow::Result<()>,
) -> anyhow::Result<Served> {
    let Serve { parts, listen, names, owner, inventory, token, tracker } = serve;
    // Sweeps need the home's lock: of two processes the second one is refused here, with the pid of the first.
    let _lock = if parts.has(Part::Sweeps) { Some(host.recover().await?) } else { None };
    let listening = Listening::on(listen).await.map_err(|error| {
        let what = format!("cannot listen on {listen}: {error}");
        Failure::new(what, "another program may use the port: choose one with --listen ADDRESS:PORT")
    })?;
    let address = listening.address()?;
    let url = format!("http://{address}");
    let readiness = Readiness::default();
    let mut told = Ready {
        url: url.clone(),
        tracker: None,
        webhooks: None,
        forge_socket: None,
        forge_token_file: None,
        forge_own_token_file: None,
        write: None,
        write_token_file: None,
        captures: parts.running(Part::Captures),
        workers: parts.running(Part::Workers),
        sweeps: parts.running(Part::Sweeps),
        remarks: Vec::new(),
    };
    let mut app = health::router(readiness.clone());
    match webhook_secret(settings)? {
        Some(secret) if parts.has(Part::Webhooks) => {
            let key = HookKey::new(secret.expose_secret().as_bytes()).ok_or_else(|| {
                Failure::new(
                    "the webhook secret is empty",
                    "set the one that stands in the settings of the webhook",
                )
            })?;
            let (host, rings) = (Arc::clone(host), Rings::of(&host.home));
            // Without loops of its own this process passes it on to the one that has them.
            let own_loops = parts.has(Part::Sweeps);
            let ring: webhooks::Ring = Box::new(move |name| match host.called(name) {
                Some(repo) if own_loops => {
                    host.shared.bells.ring(repo);
                    Heard::Here
                }
                Some(repo) => {
                    rings.leave(repo);
                    Heard::Here
                }
                None => Heard::Nowhere,
            });
            app = app.merge(webhooks::router(Receiver::new(key, ring)));
            told.webhooks = Some(format!("{url}/webhooks/github"));
        }
        None if parts.insists(Part::Webhooks) => {
            return Err(Failure::new(
                "there is no webhook secret, so no delivery could be believed",
                "export BANKSMAN_GITHUB_WEBHOOK_SECRET=..., or set github.webhook_secret_file (mode 600) in the configuration",
            ));
        }
        None if parts.has(Part::Webhooks) => {
            told.remarks.push(
                "no webhook secret is configured: repositories are looked at on schedule alone".to_owned(),
            );
        }
        Some(_) | None => {}
    }
    if parts.has(Part::Tracker) {
        let gate = Gate::new(&token, Hosts::of(address.ip(), names.clone()));
        let items = items(TrackerPlaces::of(&host.home).items()?, CommandClock, gate).into_service::<Body>();
        app = app.route_service("/items", items.clone()).route_service("/items/{*rest}", items);
        told.tracker = Some(url.clone());
    }
    if parts.has(Part::Write) {
        refuse_circle(settings, address)?;
        let (token, file) = write_token(host, settings)?;
        let hosts = Hosts::of(address.ip(), names.clone());
        let door = WriteDoor::new(host.shared.store.clone(), host.outlet(), &token, hosts, crate::clock::now);
        app = app.merge(write::router(door));
        told.write = Some(format!("{url}/api/v2/write"));
        told.write_token_file = file;
    }
    let mut socket = None;
    if parts.has(Part::Forge) {
        let facade = Facade::of(host, &host.home, &owner, &names)?;
        let (at, listening) = Socket::listen(&host.home)?;
        told.forge_socket = Some(at.path().to_owned());
        told.forge_token_file = Some(facade.token_file);
        told.forge_own_token_file = Some(facade.own_token_file);
        app = app.fallback_service(facade.tcp.into_service::<Body>());
        let own = health::router(readiness.clone()).fallback_service(facade.socket.into_service::<Body>());
        socket = Some((at, listening, own));
    }
    let delivery = host.deliver();
    let (end, ending) = watch::channel(());
    let work = Box::pin(work(host, settings, &parts, tracker, &ending));
    let web = web(listening, app, socket, &ending);
    // Listened for before anybody is told, so that nothing that comes right afterwards ends the process undrained.
    let mut stop = Box::pin(interrupted());
    if futures_util::poll!(&mut stop).is_ready() {
        return Ok(Served::Stopped);
    }
    ready(&told)?;
    readiness.begun();
    let all = async {
        tokio::try_join!(work, web)?;
        Ok(())
    };
    tokio::pin!(all);
    let why = tokio::select! {
        ended = &mut all => return ended.map(|()| Served::Stopped),
        () = stop => Served::Stopped,
        () = changed(host, &inventory, &parts) => Served::InventoryChanged(address),
    };
    readiness.ending();
    host.shared.stopping.notify_waiters();
    drop(end);
    tokio::select! {
        ended = &mut all => {
            host.shared.engine.stop();
            delivery.end().await;
            ended.map(|()| why)
        }
        () = interrupted() => Err(Failure::new("stopped at once", "the next start goes on where this one was")),
    }
}

/// Refuses a sink that is this server itself: every point would come back for ever.
fn refuse_circle(settings: &Settings, address: SocketAddr) -> anyhow::Result<()> {
    let own = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}:{}", address.port()));
    match &settings.training.influx_url {
        Some(url) if own.iter().any(|own| url.starts_with(own.as_str())) => Err(Failure::new(
            format!("training.influx_url is this server itself, {url}"),
            "name an InfluxDB there, or leave out the part that takes in training data: --without write",
        )),
        Some(_) | None => Ok(()),
    }
}

/// The token that writers need: that of InfluxDB if there is one, so that scripts go on with theirs, else one of this home with its file.
fn write_token(host: &Host, settings: &Settings) -> anyhow::Result<(String, Option<PathBuf>)> {
    match influx_token(&settings.training) {
        Ok(token) => Ok((token.expose().to_owned(), None)),
        Err(TokenError::Missing(_)) => {
            let file = host.home.folder().join("write-token");
            kept_token(&file).with_context(|| file.display().to_string())?;
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            Ok((text.trim().to_owned(), Some(file)))
        }
        Err(error) => Err(Failure::new(
            error.to_string(),
            "or leave out the part that takes in training data: --without write",
        )),
    }
}

/// Answers requests until the end; the socket's file goes with it.
async fn web(
    tcp: Listening,
    app: Router,
    socket: Option<(Socket, Listening, Router)>,
    ending: &watch::Receiver<()>,
) -> anyhow::Result<()> {
    let on_socket = async {
        if let Some((at, listening, app)) = socket {
            listening.serve(app, ended(ending.clone())).await;
            drop(at);
        }
    };
    tokio::join!(tcp.serve(app, ended(ending.clone())), on_socket);
    Ok(())
}

/// Runs the parts that work on jobs and repositories, until the end.
async fn work(
    host: &Arc<Host>,
    settings: &Settings,
    parts: &Parts,
    tracker: Option<AnyTracker>,
    ending: &watch::Receiver<()>,
) -> anyhow::Result<()> {
    let mut all: Vec<Work<'_>> = Vec::new();
    if parts.has(Part::Workers) {
        all.push(Box::pin(host.work(settings, tracker, WorkerUntil::Stopped, ended(ending.clone()))));
    }
    if parts.has(Part::Sweeps) {
        all.push(Box::pin(host.sweep_until(ended(ending.clone()))));
        all.push(Box::pin(crate::cadence::keep(host, settings, ended(ending.clone()))));
    }
    if parts.has(Part::Captures) {
        all.push(Box::pin(host.capture_until(&settings.training, ended(ending.clone()))));
    }
    futures_util::future::try_join_all(all).await?;
    // Without loops the process serves until it is stopped.
    ended(ending.clone()).await;
    Ok(())
}

/// Returns when everything is to end.
async fn ended(mut ending: watch::Receiver<()>) {
    // The sender only ever goes away.
    while ending.changed().await.is_ok() {}
}

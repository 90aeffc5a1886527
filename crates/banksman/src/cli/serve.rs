//! `serve`: everything in one process: workers, sweeps, webhooks, the embedded tracker and forge (O1).

use crate::{
    app::App,
    config::Settings,
    home::{Home, Inventory},
    host::{Host, Hosted, block_on, interrupted, workable},
    output::{Exit, Failure},
    server::{Part, Parts, Ready, Running, Serve, Served, TrackerPlaces, serve, serve_tracker, written},
    surface::Surface,
};
use banksman_core::repo::Sweeps;
use banksman_tracker::{AnyTracker, Secret};
use clap::Args;
use serde::Serialize;
use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// Run workers, sweeps, the webhook receiver, the embedded tracker and forge until Ctrl-C or SIGTERM, which drains.
#[derive(Debug, Args)]
#[command(
    after_help = "The first start makes tokens and keeps them in the home; their files are printed, never the tokens. Where \
$AQ_TRACKER_TOKEN is set, that is the tracker's token. The embedded forge needs no token on its Unix socket, which only you can open:\n\n    \
mkdir -p gh; echo \"http_unix_socket: HOME/serve.sock\" > gh/config.yml\n    \
GH_CONFIG_DIR=gh GH_TOKEN=x gh issue list --repo $USER/NAME"
)]
pub(crate) struct ServeArgs {
    /// Run this part alone; may be repeated [default: all].
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Leave this part out; may be repeated.
    #[arg(long, value_enum, value_name = "PART")]
    without: Vec<Part>,
    /// Where to listen [default: 127.0.0.1:7878; 127.0.0.1:4003 for the tracker alone].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Listen beyond this host. The connection is not encrypted: put a proxy with TLS in front.
    #[arg(long)]
    beyond_this_host: bool,
    /// A further name under which this server is called; may be repeated.
    #[arg(long, value_name = "HOST")]
    name: Vec<String>,
    /// Say nothing about what the loops do.
    #[arg(short, long)]
    quiet: bool,
}

/// Where the tracker alone is served, for scripts.
#[derive(Serialize)]
struct Shown {
    tracker: String,
    token_file: Option<PathBuf>,
}

pub(super) fn run(args: &ServeArgs, app: &App) -> anyhow::Result<Exit> {
    let parts = Parts::of(&args.only, &args.without);
    if parts.is_empty() {
        return Err(Failure::usage(
            "every part is left out",
            "name at least one with --only, or leave out fewer",
        ));
    }
    let usual = if parts.is_only(Part::Tracker) { 4003 } else { 7878 };
    let listen = args.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, usual).into());
    if !listen.ip().is_loopback() && !args.beyond_this_host {
        return Err(Failure::usage(
            format!("{listen} can be reached from other hosts, and nothing is encrypted"),
            "listen on 127.0.0.1, or add --beyond-this-host and put a proxy with TLS in front",
        ));
    }
    let mut settings = app.config()?.settings;
    if parts.has(Part::Webhooks) && settings.github.has_webhook_secret() {
        settings.github.usual_sweeps = Sweeps::HEARD;
    }
    let home = Home::at(&settings.home);
    home.make()?;
    let tracker = app.tracker(&settings)?;
    let (token, token_file) = token(&home, tracker.as_ref().and_then(|tracker| tracker.token.clone()))?;
    if parts.is_only(Part::Tracker) {
        return tracker_alone(args, app, &home, listen, &token, token_file);
    }
    let surface = if args.quiet { Surface::silent() } else { Surface::plain(&app.page) };
    let mut again = None;
    loop {
        let inventory = written(&home);
        let hosted = hosted(&home, &settings)?;
        let tracker = tracker.as_ref().map(AnyTracker::open).transpose()?;
        let wanted = Serve {
            parts: parts.clone(),
            listen: again.unwrap_or(listen),
            names: args.name.clone(),
            owner: app.user(),
            inventory,
            token: token.clone(),
            tracker,
        };
        let served = block_on(async {
            let (hosted, missing) = workable(&settings, hosted);
            if let Some(missing) = missing {
                surface.note(&format!("note: repositories on GitHub are left alone: {missing}"));
            }
            let policy = Host::sandbox_policy(&settings);
            let host =
                Arc::new(Host::open(&settings, policy, hosted, Default::default(), surface.clone()).await?);
            let ready = |ready: &Ready| match again {
                None => app.page.write(ready, |ready| text(ready, token_file.as_ref())),
                Some(_) => {
                    surface.note(&format!("the inventory has changed: {} repositories", host.hosted.len()));
                    Ok(())
                }
            };
            serve(&host, &settings, wanted, ready).await
        });
        match served {
            Ok(Served::InventoryChanged(address)) => again = Some(address),
            ended => {
                surface.finish();
                return ended.map(|_| Exit::Success);
            }
        }
    }
}

/// All repositories of the inventory, with their rules.
fn hosted(home: &Home, settings: &Settings) -> anyhow::Result<Vec<Hosted>> {
    let inventory = Inventory::read(&home.inventory())?;
    let hosted = inventory.all().map(|(repo, entry)| {
        let rules = entry.rules(&repo, settings)?;
        Ok(Hosted { repo, entry: entry.clone(), rules })
    });
    hosted.collect()
}

/// The tracker's token: the configured one, else the one of this home with its file.
fn token(home: &Home, configured: Option<Secret>) -> anyhow::Result<(Secret, Option<PathBuf>)> {
    let places = TrackerPlaces::of(home);
    Ok(match configured {
        // The one of this home counts as configured once it is there.
        Some(token) if !(places.token.exists() && places.token()?.is(&token)) => (token, None),
        Some(_) | None => (places.token()?, Some(places.token)),
    })
}

fn tracker_alone(
    args: &ServeArgs,
    app: &App,
    home: &Home,
    listen: SocketAddr,
    token: &Secret,
    token_file: Option<PathBuf>,
) -> anyhow::Result<Exit> {
    let items = TrackerPlaces::of(home).items()?;
    block_on(async {
        let ready = |address: SocketAddr| {
            let shown = Shown { tracker: format!("http://{address}"), token_file };
            app.page.write(&shown, |shown| {
                let token = of_tracker(shown.token_file.as_ref());
                format!("tracker: {}\n{token}\nCtrl-C stops\n", shown.tracker)
            })
        };
        serve_tracker(items, token, listen, args.name.clone(), ready, interrupted()).await?;
        Ok(Exit::Success)
    })
}

fn of_tracker(token_file: Option<&PathBuf>) -> String {
    match token_file {
        Some(file) => format!("its token is in {}; export AQ_TRACKER_TOKEN=$(cat {0})", file.display()),
        None => "its token is the configured one".to_owned(),
    }
}

fn text(ready: &Ready, token_file: Option<&PathBuf>) -> String {
    let mut text = format!("serving at {}\n", ready.url);
    let mut line = |name: &str, what: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<10}{what}");
    };
    let runs = |running| if running == Running::On { "running" } else { "off" };
    line("workers", runs(ready.workers));
    line("sweeps", runs(ready.sweeps));
    line("webhooks", ready.webhooks.as_deref().unwrap_or("off"));
    match &ready.tracker {
        Some(url) => line("tracker", &format!("{url}/items; {}", of_tracker(token_file))),
        None => line("tracker", "off"),
    }
    match (&ready.forge_socket, &ready.forge_token_file) {
        (Some(socket), Some(token)) => {
            line("forge", &format!("{}; over TCP with the token in {}", socket.display(), token.display()));
        }
        _ => line("forge", "off"),
    }
    if let Some(token) = &ready.forge_own_token_file {
        line("", &format!("Banksman of another home works on it with the token in {}", token.display()));
    }
    match (&ready.write, &ready.write_token_file) {
        (Some(url), Some(token)) => line("write", &format!("{url}; its token is in {}", token.display())),
        (Some(url), None) => line("write", &format!("{url}; its token is the one of InfluxDB")),
        (None, _) => line("write", "off"),
    }
    line("captures", runs(ready.captures));
    for remark in &ready.remarks {
        let _ = writeln!(text, "note: {remark}");
    }
    text.push_str("Ctrl-C drains\n");
    text
}

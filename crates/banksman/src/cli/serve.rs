//! `serve`: what Banksman offers to others over HTTP; now the embedded tracker.

use crate::{
    app::App,
    home::Home,
    host::{block_on, interrupted},
    output::{Exit, Failure},
    server::{TrackerPlaces, serve_tracker},
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf};

/// Serve the embedded tracker's items API until Ctrl-C.
#[derive(Debug, Args)]
#[command(
    after_help = "The first start makes a token and keeps it in the home; its file is printed, never the token. Where \
$AQ_TRACKER_TOKEN is set, that is the token."
)]
pub(crate) struct ServeArgs {
    /// Serve this alone.
    #[arg(long, value_enum)]
    only: Part,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4003")]
    listen: SocketAddr,
    /// Listen beyond this host. The connection is not encrypted: put a proxy with TLS in front.
    #[arg(long)]
    beyond_this_host: bool,
    /// A further name under which this server is called; may be repeated.
    #[arg(long, value_name = "HOST")]
    name: Vec<String>,
}

/// What can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The embedded tracker.
    Tracker,
}

/// Where it is served, for scripts.
#[derive(Serialize)]
struct Shown {
    tracker: String,
    token_file: Option<PathBuf>,
}

pub(super) fn run(args: &ServeArgs, app: &App) -> anyhow::Result<Exit> {
    let Part::Tracker = args.only;
    if !args.listen.ip().is_loopback() && !args.beyond_this_host {
        return Err(Failure::usage(
            format!("{} can be reached from other hosts, and nothing is encrypted", args.listen),
            "listen on 127.0.0.1, or add --beyond-this-host and put a proxy with TLS in front",
        ));
    }
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    home.make()?;
    let places = TrackerPlaces::of(&home);
    let configured = app.tracker(&settings)?.and_then(|tracker| tracker.token);
    let (token, token_file) = match configured {
        // The one of this home counts as configured once it is there.
        Some(token) if !(places.token.exists() && places.token()?.is(&token)) => (token, None),
        Some(_) | None => (places.token()?, Some(places.token.clone())),
    };
    let items = places.items()?;
    block_on(async {
        let ready = |address: SocketAddr| {
            let shown = Shown { tracker: format!("http://{address}"), token_file };
            app.page.write(&shown, |shown| {
                let token = match &shown.token_file {
                    Some(file) => {
                        format!("its token is in {}; export AQ_TRACKER_TOKEN=$(cat {0})", file.display())
                    }
                    None => "its token is the configured one".to_owned(),
                };
                format!("tracker: {}\n{token}\nCtrl-C stops\n", shown.tracker)
            })
        };
        serve_tracker(items, &token, args.listen, args.name.clone(), ready, interrupted()).await?;
        Ok(Exit::Success)
    })
}

//! The embedded forge as GitHub shows itself: the facade over this home's forge, for the Unix socket and for TCP.

use super::ForgeTokens;
use crate::{
    home::Home,
    host::{EmbeddedForge, Host},
};
use anyhow::Context as _;
use axum::Router;
use banksman_core::text::Login;
use banksman_engine::EngineHost;
use banksman_facade::{Access, Holds};
use banksman_store::book::SqliteBook;
use std::{path::PathBuf, sync::Arc};

/// The forge of a home.
struct Embedded(Arc<Host>);

impl Holds for Embedded {
    type Book = SqliteBook;
    type Checker = Arc<EngineHost>;

    fn forge(&self) -> &EmbeddedForge {
        self.0.shared.forge.embedded()
    }
}

/// The facade for both ways in, and the files of its tokens.
pub(super) struct Facade {
    /// For the socket: whoever can open it is the owner.
    pub(super) socket: Router,
    /// For TCP: with a token only.
    pub(super) tcp: Router,
    /// The owner's token.
    pub(super) token_file: PathBuf,
    /// That of Banksman itself, for another home that works on this one as on GitHub.
    pub(super) own_token_file: PathBuf,
}

impl Facade {
    /// Over the forge of this home. `names` are further names under which the server is called.
    pub(super) fn of(host: &Arc<Host>, home: &Home, owner: &Login, names: &[String]) -> anyhow::Result<Self> {
        let tokens = || ForgeTokens::of(home, owner);
        let token_file = tokens().owners()?.to_owned();
        let own_token_file = tokens().banksmans()?;
        let router = |access| {
            let front = Arc::new(Embedded(Arc::clone(host)));
            banksman_facade::router(front, access, owner.clone(), Arc::new(crate::clock::now))
                .context("cannot build the facade")
        };
        Ok(Self {
            socket: router(Access::socket(owner.clone(), tokens()))?,
            tcp: router(Access::tcp(tokens(), names.to_vec()))?,
            token_file,
            own_token_file,
        })
    }
}

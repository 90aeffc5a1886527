//! The embedded forge as GitHub shows itself: the facade over this home's forge, for the Unix socket and for TCP.

use crate::{
    home::Home,
    host::{EmbeddedForge, Host},
};
use anyhow::Context as _;
use axum::Router;
use banksman_core::{port::book::Who, text::Login};
use banksman_engine::EngineHost;
use banksman_facade::{Access, Holds, Token};
use banksman_store::book::SqliteBook;
use banksman_tracker::serve::kept_token;
use secrecy::SecretString;
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

/// The facade for both ways in, and the file of its token.
pub(super) struct Facade {
    /// For the socket: whoever can open it is the owner.
    pub(super) socket: Router,
    /// For TCP: with the token only.
    pub(super) tcp: Router,
    /// A file of mode 600.
    pub(super) token_file: PathBuf,
}

impl Facade {
    /// Over the forge of this home. `names` are further names under which the server is called.
    pub(super) fn of(host: &Arc<Host>, home: &Home, owner: &Login, names: &[String]) -> anyhow::Result<Self> {
        let token_file = home.folder().join("forge-token");
        kept_token(&token_file).with_context(|| token_file.display().to_string())?;
        let text = std::fs::read_to_string(&token_file)
            .with_context(|| format!("cannot read {}", token_file.display()))?;
        let token = Token::of(&SecretString::from(text.trim().to_owned()));
        let tokens = || vec![(token.clone(), Who::Person(owner.clone()))];
        let router = |access| {
            let front = Arc::new(Embedded(Arc::clone(host)));
            banksman_facade::router(front, access, owner.clone(), Arc::new(crate::clock::now))
                .context("cannot build the facade")
        };
        Ok(Self {
            socket: router(Access::socket(owner.clone(), tokens()))?,
            tcp: router(Access::tcp(tokens(), names.to_vec()))?,
            token_file,
        })
    }
}

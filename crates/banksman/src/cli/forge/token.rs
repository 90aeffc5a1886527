//! `forge token`: who may speak to the embedded forge over TCP, and in whose name.

use crate::{
    app::App,
    home::Home,
    output::{Exit, Failure},
    server::ForgeTokens,
};
use banksman_core::text::Login;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Give somebody a token for `banksman serve`, or take it back. The token stands in a file that only you can read; it is never printed.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// Whose.
    login: Login,
    /// Take it back.
    #[arg(long)]
    take_back: bool,
}

#[derive(Serialize)]
struct Given<'a> {
    login: &'a Login,
    /// `None`: it was taken back.
    token_file: Option<PathBuf>,
}

pub(super) fn run(args: &TokenArgs, app: &App) -> anyhow::Result<Exit> {
    let home = Home::at(&app.config()?.settings.home);
    home.make()?;
    let tokens = ForgeTokens::of(&home, &app.user());
    let login = &args.login;
    let token_file = if args.take_back {
        if !tokens.take_back(login)? {
            return Err(Failure::new(
                format!("{login} has no token"),
                "`banksman forge token LOGIN` gives one",
            ));
        }
        None
    } else {
        Some(tokens.of_login(login)?)
    };
    app.page.write(&Given { login, token_file }, |given| match &given.token_file {
        Some(file) => format!("the token of {login} is in {}\n", file.display()),
        None => format!("{login} has no token any more\n"),
    })?;
    Ok(Exit::Success)
}

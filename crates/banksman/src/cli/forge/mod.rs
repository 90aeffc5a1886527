//! `forge`: the embedded forge from the command line, in the name of a person: everything that a small GitHub offers. All text
//! that is shown is foreign and cleaned (S20).

mod branch;
mod export;
mod issue;
mod label;
mod open;
mod pull;
mod shown;
mod token;
mod view;

use crate::{
    app::App,
    host::block_on,
    output::{Exit, Failure, Page},
};
use banksman_core::{
    id::Number,
    port::Refusal,
    text::{Login, RepoName},
};
use banksman_forge::local::LocalError;
use clap::{Args, Subcommand};
use serde::Serialize;

/// Look at and change the embedded forge: issues, pull requests, labels, branches.
#[derive(Debug, Args)]
pub(crate) struct ForgeArgs {
    /// The repository: its name or path [default: the one you are in, or the only one].
    #[arg(long, global = true)]
    repo: Option<String>,
    /// Whose name to act in [default: your user name].
    #[arg(long = "as", global = true, value_name = "LOGIN")]
    person: Option<Login>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Issues.
    #[command(subcommand)]
    Issue(issue::IssueCommand),
    /// Pull requests.
    #[command(subcommand)]
    Pull(pull::PullCommand),
    /// Labels.
    #[command(subcommand)]
    Label(label::LabelCommand),
    /// Branches.
    #[command(subcommand)]
    Branch(branch::BranchCommand),
    /// Everything of the forge as one document.
    Export,
    /// Tokens for `serve`.
    Token(token::TokenArgs),
}

/// What a command on the forge works with.
struct Counter<'a> {
    repo: RepoName,
    desk: open::PeopleDesk<'a>,
    page: Page,
}

pub(super) fn run(args: ForgeArgs, app: &App) -> anyhow::Result<Exit> {
    if let What::Token(args) = &args.what {
        return token::run(args, app);
    }
    block_on(async {
        let opened = open::open(app, args.repo.as_deref(), args.person).await?;
        let desk = opened.desk().await?;
        let counter = Counter { repo: opened.repo.clone(), desk, page: app.page };
        match args.what {
            What::Issue(command) => issue::run(command, &counter).await?,
            What::Pull(command) => pull::run(command, &counter).await?,
            What::Label(command) => label::run(command, &counter).await?,
            What::Branch(command) => branch::run(command, &counter).await?,
            What::Export => export::run(&counter).await?,
            What::Token(args) => return token::run(&args, app),
        }
        Ok(Exit::Success)
    })
}

impl Counter<'_> {
    /// Says what was done to an issue or pull request.
    fn did(&self, number: Number, what: &str) -> anyhow::Result<()> {
        self.page.write(&Done { number, done: what }, |done| format!("#{} {}\n", done.number, done.done))
    }
}

/// Something that was done.
#[derive(Serialize)]
struct Done<'a> {
    number: Number,
    done: &'a str,
}

/// A refusal with what to do about it.
fn explain(error: LocalError) -> anyhow::Error {
    let LocalError::Refused(refusal) = &error else { return error.into() };
    let help = match refusal {
        Refusal::HeadMoved => "Look at it again (`banksman forge pull view N`) and repeat the command.",
        Refusal::Conflict => "Merge the base into the branch, resolve the conflict and push, then try again.",
        Refusal::NotAllowed => {
            "`banksman forge pull view N` shows checks and approvals. Nobody reviews their own work, and no issue waits for itself or is \
             its own parent, not in a circle either."
        }
        Refusal::NotFound => {
            "`banksman forge issue list --state all` and `banksman forge pull list --state all` list what is there."
        }
        Refusal::Ended => "It was merged or closed before; a closed one can be opened again.",
        Refusal::WorkTreeDirty => "Commit or stash what is in the work tree, then try again.",
        Refusal::Nothing => "The branch has no commit that its base lacks.",
        Refusal::BadCredential | Refusal::NoScope(_) | Refusal::SsoRequired | Refusal::Archived => {
            "The embedded forge has no credentials and archives nothing."
        }
    };
    Failure::new(error.to_string(), help)
}

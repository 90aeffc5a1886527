//! Opens the forge for a person. No engine and no check runs in these commands: the process with the loops does that.

use crate::{
    app::App,
    home::{Home, Inventory},
    output::Failure,
};
use anyhow::Context;
use banksman_core::{
    port::{CheckOrder, CheckReport, Checker, EngineError},
    text::{Login, RepoName},
};
use banksman_forge::local::{Desk, LocalError, LocalForge};
use banksman_store::book::SqliteBook;
use std::sync::Arc;

/// Runs no checks.
pub(super) struct NoChecks;

impl Checker for NoChecks {
    async fn check(&self, _: &CheckOrder) -> Result<Vec<CheckReport>, EngineError> {
        Err(EngineError::Host("checks are run by the process with the loops"))
    }
}

pub(super) type PeopleDesk<'a> = Desk<'a, SqliteBook, NoChecks>;

/// The opened forge.
pub(super) struct Opened {
    forge: LocalForge<SqliteBook, NoChecks>,
    pub(super) repo: RepoName,
    person: Login,
}

impl Opened {
    pub(super) async fn desk(&self) -> anyhow::Result<PeopleDesk<'_>> {
        self.forge.desk(&self.repo, self.person.clone()).await.map_err(|error| match error {
            LocalError::Refused(_) => Failure::usage(
                format!("{} is no name for a person here", self.person),
                "Names that end in [bot] are those of engines; choose another one with --as LOGIN.",
            ),
            other => other.into(),
        })
    }
}

/// Opens the forge at one repository.
pub(super) async fn open(app: &App, repo: Option<&str>, person: Option<Login>) -> anyhow::Result<Opened> {
    let config = app.config()?;
    let home = Home::at(&config.settings.home);
    let inventory = Inventory::read(&home.inventory())?;
    let (repo, entry) = inventory.find(repo)?;
    home.make()?;
    let path = home.book();
    let book = SqliteBook::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let Some(rules) = entry.local_repo(&repo, config.settings.check_timeout) else {
        return Err(Failure::new(
            format!("{repo} is on GitHub: `banksman forge` is about repositories of the embedded forge"),
            format!("`gh` works on it: gh issue list --repo {repo}"),
        ));
    };
    let forge = LocalForge::open(vec![rules], book, NoChecks, Arc::new(crate::clock::now)).await?;
    Ok(Opened { forge, repo, person: person.unwrap_or_else(|| app.user()) })
}

//! `budget`: what may be spent, what was, and what to do with the rest (60-budget.md). One file per subcommand; here is what they share.

mod cadence;
mod forecast;
mod history;
mod import_team;
mod log;
mod look;
mod overview;
mod plan;
mod record;
mod stands;
mod suggest;
mod team;

pub(crate) use forecast::date_words;
pub(crate) use history::{days, text as days_text};
pub(crate) use look::looked;
pub(crate) use plan::{plan_of, shares};
pub(crate) use record::record;
pub(crate) use stands::stands_of;
pub(crate) use suggest::suggestion_words;

use stands::{Stands, stands};

use crate::{
    app::App,
    config::Settings,
    home::{Home, Inventory, read_team},
    host::{block_on, open_store},
    output::Exit,
};
use banksman_core::{budget::Team, text::RepoName};
use banksman_store::Chosen;
use clap::{Args, Subcommand};

/// Look at the quotas and the ledger, or write into it.
#[derive(Debug, Args)]
#[command(after_help = "Members and quotas stand in HOME/team.toml:\n\n    zone = \"Europe/Berlin\"\n\n    \
[[member]]\n    name = \"ann\"\n\n    [[member.quota]]\n    provider = \"jules\"\n    tasks = 300\n    per = \"day\"\n\n\
Without that file nothing is limited.")]
pub(crate) struct BudgetArgs {
    #[command(flatten)]
    overview: overview::OverviewArgs,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    Plan(plan::PlanArgs),
    Forecast(forecast::ForecastArgs),
    Log(log::LogArgs),
    Team(team::TeamArgs),
    History(history::HistoryArgs),
    ImportTeam(import_team::ImportTeamArgs),
    Cadence(cadence::CadenceArgs),
}

pub(super) fn run(args: BudgetArgs, app: &App) -> anyhow::Result<Exit> {
    match args.what {
        None => overview::run(&args.overview, app),
        Some(What::Plan(args)) => plan::run(&args, app),
        Some(What::Forecast(args)) => forecast::run(&args, app),
        Some(What::Log(args)) => log::run(&args, app),
        Some(What::Team(args)) => team::run(&args, app),
        Some(What::History(args)) => history::run(&args, app),
        Some(What::ImportTeam(args)) => import_team::run(&args, app),
        Some(What::Cadence(args)) => cadence::run(&args, app),
    }
}

/// What every subcommand works on.
pub(crate) struct Desk {
    /// The configuration.
    pub(crate) settings: Settings,
    /// The home.
    pub(crate) home: Home,
    /// Whose quotas there are.
    pub(crate) team: Team,
    /// The repositories.
    pub(crate) inventory: Inventory,
}

impl Desk {
    /// Reads the files of the home.
    pub(crate) fn open(app: &App) -> anyhow::Result<Self> {
        Self::of(app.config()?.settings)
    }

    /// The same with a configuration that was read already.
    pub(crate) fn of(settings: Settings) -> anyhow::Result<Self> {
        let home = Home::at(&settings.home);
        let team = read_team(&settings.home)?;
        let inventory = Inventory::read(&home.inventory())?;
        Ok(Self { settings, home, team, inventory })
    }

    /// Opens the store and works on it.
    pub(crate) fn with_store<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        work: impl FnOnce(Chosen) -> F,
    ) -> anyhow::Result<T> {
        block_on(async { work(open_store(&self.settings, &self.home).await?).await })
    }

    /// The full name of a repository that is written without its owner: the one of the inventory, if there is one alone.
    pub(crate) fn full_name(&self, name: &str, owner: Option<&str>) -> Result<RepoName, String> {
        if let Some(owner) = owner {
            return RepoName::new(&format!("{owner}/{name}")).map_err(|error| error.to_string());
        }
        let known: Vec<RepoName> = self
            .inventory
            .all()
            .map(|(repo, _)| repo)
            .filter(|repo| repo.as_str().rsplit('/').next() == Some(name))
            .collect();
        match known.as_slice() {
            [one] => Ok(one.clone()),
            [] => crate::home::repo_name(name).map_err(|error| error.to_string()),
            _ => Err(format!(
                "`{}` may be {}: write it with its owner",
                crate::output::clean(name),
                known.iter().map(RepoName::as_str).collect::<Vec<_>>().join(" or ")
            )),
        }
    }
}

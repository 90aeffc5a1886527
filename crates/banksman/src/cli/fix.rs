//! `fix`: one step about one pull request by hand, with the guards of the loop.

use super::{monitor::hosted, subject::Subject};
use crate::{
    app::App,
    home::{Home, Inventory, short},
    host::{Host, block_on, explain_trouble},
    output::{Exit, Failure},
    surface::Surface,
};
use banksman_core::id::Number;
use banksman_orchestrator::{Fix, Fixed, Trouble};
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Do one step about a pull request by hand, with the same guards as the loop.
#[derive(Debug, Args)]
pub(crate) struct FixArgs {
    /// What to mend.
    what: Wanted,
    /// The pull request, as NUMBER or REPO#NUMBER.
    pull: Subject,
    /// The repository: its name (shop, acme/shop) or path [default: the one you are in, or the only one].
    #[arg(long)]
    repo: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    /// Ask for the reviews to be answered.
    Reviews,
    /// Ask for the conflict to be removed, or remove it here.
    Conflicts,
    /// Resolve the threads that a newer commit answers.
    Threads,
}

/// What came of it, for scripts.
#[derive(Serialize)]
struct FixShown {
    pull: Number,
    what: Wanted,
    result: &'static str,
    action: Option<&'static str>,
}

pub(super) fn run(args: &FixArgs, app: &App) -> anyhow::Result<Exit> {
    let home = app.config()?.settings.home;
    let inventory = Inventory::read(&Home::at(&home).inventory())?;
    let (repo, _) = inventory.find(Subject::repo(Some(&args.pull), args.repo.as_deref())?)?;
    let pull = args.pull.number;
    let (settings, hosted) = hosted(app, &[short(&repo).to_owned()])?;
    let fix = match args.what {
        Wanted::Reviews => Fix::Reviews,
        Wanted::Conflicts => Fix::Conflicts,
        Wanted::Threads => Fix::Threads,
    };
    let fixed = block_on(async {
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), Surface::kept()).await?;
        let _lock = host.recover().await?;
        let rules = host.rules().remove(0);
        match host.orchestrator()?.fix(&rules, pull, fix).await {
            Ok(fixed) => Ok(fixed),
            Err(trouble @ Trouble::Forge(_)) => Err(explain_trouble(&rules.repo, trouble)),
            Err(trouble) if trouble.passes() => Err(Failure::new(
                trouble.to_string(),
                "a running `monitor`, `onboard` or `epic run` does this by itself; stop it to do it by hand",
            )),
            Err(trouble) => Err(trouble.into()),
        }
    })?;
    let (result, text, exit) = match fixed {
        Fixed::Did(action) => {
            ("done", format!("#{pull}: {action}; `banksman monitor` carries on"), Exit::Success)
        }
        Fixed::Already => ("already", format!("#{pull}: done before, nothing new since"), Exit::Success),
        Fixed::Nothing => ("nothing", format!("#{pull}: nothing of that kind to mend"), Exit::Success),
        Fixed::LimitReached => {
            let text = format!("#{pull}: the limit of requests is reached, a person has to look");
            ("limit_reached", text, Exit::Failed)
        }
        Fixed::NotOurs => {
            return Err(Failure::new(
                format!("#{pull} is no open pull request that Banksman looks after"),
                "`banksman forge pull list` shows all pull requests",
            ));
        }
        Fixed::Refused(reason) => {
            ("refused", format!("#{pull}: refused, {}", reason.describe()), Exit::Failed)
        }
        Fixed::Unclear => {
            ("unclear", format!("#{pull}: no clear answer, the next look settles it"), Exit::Failed)
        }
    };
    let action = match fixed {
        Fixed::Did(action) => Some(action.as_str()),
        _ => None,
    };
    app.page.write(&FixShown { pull, what: args.what, result, action }, |_| format!("{text}\n"))?;
    Ok(exit)
}

//! A repository on GitHub: the token and the repository are looked at before anything else, findings come from its audit issues or from
//! files, and the plan is shown with its cost before anything is written there.

use super::{
    OnboardArgs, PlanShown, apply, carry_out, confirmed, plan_text, preview, refuse_nothing, reports,
};
use crate::{
    app::App,
    cli::audit::from_forge,
    home::{Entry, Home, Inventory, short},
    host::{GithubRepository, Host, Hosted, block_on},
    output::{Exit, Form},
    surface::Surface,
};
use banksman_core::{audit, text::RepoName};

pub(super) fn run(args: &OnboardArgs, name: &RepoName, app: &App) -> anyhow::Result<Exit> {
    let files = reports(args)?;
    if !files.is_empty() {
        refuse_nothing(&files)?;
    }
    let mut settings = app.config()?.settings;
    settings.daily_tasks = args.max_tasks.or(settings.daily_tasks);
    let mut inventory = Inventory::read(&Home::at(&settings.home).inventory())?;
    block_on(async {
        let found = GithubRepository::inspect(&settings, name).await?;
        for note in &found.notes {
            anstream::eprintln!("note: {note}");
        }
        let mut entry = entry(&found, &inventory, args);
        apply(args, &mut entry)?;
        let repo = found.name.clone();
        let rules = entry.rules(&repo, &settings)?;
        let hosted = vec![Hosted { repo: repo.clone(), entry: entry.clone(), rules: rules.clone() }];
        let surface = Surface::fitting(&app.page);
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), surface).await?;
        let reports = if files.is_empty() { from_forge(&host, &repo, None).await? } else { files };
        refuse_nothing(&reports)?;
        let plan = match host.shared.engine.paths(&repo, &entry.default_branch).await {
            Ok(paths) => audit::plan(&reports, &|path| paths.contains(path.trim_end_matches('/'))),
            Err(error) => {
                anstream::eprintln!(
                    "note: whether the findings' places are still there is not known: {error}"
                );
                audit::plan(&reports, &|_| true)
            }
        };
        let preview = preview(&plan)?;
        let shown = PlanShown::new(&rules, &entry, &reports, &plan, &preview, None);
        if app.page.form == Form::Text || args.dry_run {
            app.page.write(&shown, plan_text)?;
        }
        if args.dry_run {
            return Ok(Exit::Success);
        }
        let level = host.check_engines().await?;
        if !args.yes && !confirmed(&shown, level)? {
            return Ok(Exit::Failed);
        }
        let _lock = host.recover().await?;
        inventory.put(short(&repo), entry.clone())?;
        carry_out(&host, &rules, &reports, &plan, app).await
    })
}

/// The inventory's entry, or a new one.
fn entry(found: &GithubRepository, inventory: &Inventory, args: &OnboardArgs) -> Entry {
    let known = inventory.all().find(|(repo, _)| *repo == found.name);
    known.map_or_else(|| found.entry(args.default_branch.as_ref()), |(_, entry)| entry.clone())
}

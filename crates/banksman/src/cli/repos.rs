//! `repos`: the inventory. Lists, adds, changes and removes repositories; their files are never touched.

use super::{
    standing::{Known, Standing, standings},
    target::{Implementer, Target},
};
use crate::{
    app::App,
    config::Settings,
    home::{Entry, Home, Inventory, Lock, Merge, short},
    host::{GithubRepository, Repository, block_on},
    output::{Cell, Exit, Failure, Table, clean, style},
};
use banksman_core::text::{BranchName, CheckName, EngineName, Login};
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde::Serialize;
use std::path::PathBuf;

/// Look at the repositories that Banksman works on, or change how.
#[derive(Debug, Args)]
pub(crate) struct ReposArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all repositories (the default).
    List,
    /// Show how one is run.
    Show {
        /// The repository: its name (shop, acme/shop) or path.
        repo: Option<String>,
    },
    /// Add a repository, and start nothing.
    Add {
        /// Its folder, or OWNER/NAME of one on GitHub.
        #[arg(value_name = "PATH|OWNER/NAME")]
        target: Target,
        /// Its name here [default: the folder's name; on GitHub its name there, always].
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Change how a repository is run; what is not named stays.
    Edit {
        /// The repository: its name (shop, acme/shop) or path.
        repo: String,
        /// Where it lies now.
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Take a repository out of the inventory. Its folder and everything about it in the home stay.
    Remove {
        /// The repository: its name (shop, acme/shop) or path.
        repo: String,
    },
}

/// How a repository is run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct How {
    /// The branch that epics are merged into.
    #[arg(long, value_name = "BRANCH")]
    pub(crate) default_branch: Option<BranchName>,
    /// Engine that implements; may be given several times, the first one is the default.
    #[arg(long = "engine", value_name = "NAME")]
    pub(crate) engines: Vec<EngineName>,
    /// Who implements by default: an engine, or a hosted agent (jules, copilot, or NAME:LABEL:LOGIN of another one).
    #[arg(long, value_name = "NAME")]
    pub(crate) implementer: Option<Implementer>,
    /// App whose checks count on GitHub, by its id; may be given several times [default: GitHub Actions].
    #[arg(long = "check-app", value_name = "ID")]
    pub(crate) check_apps: Vec<u64>,
    /// How children are merged, where it differs from the host's way.
    #[arg(long, value_enum, value_name = "WAY")]
    pub(crate) merge: Option<Merge>,
    /// Engine that reviews every new head; may be given several times.
    #[arg(long = "reviewer", value_name = "NAME")]
    pub(crate) reviewers: Vec<EngineName>,
    /// A check that has to pass before a merge; may be given several times.
    #[arg(long = "check", value_name = "NAME=COMMAND", value_parser = check)]
    pub(crate) checks: Vec<(CheckName, String)>,
    /// Approvals that a merge needs.
    #[arg(long, value_name = "N")]
    pub(crate) required_approvals: Option<u32>,
    /// Whether a head has to contain its base's head before it is merged.
    #[arg(long, value_name = "BOOL")]
    pub(crate) require_up_to_date: Option<bool>,
    /// Login whose issues may go to local engines; may be given several times.
    #[arg(long = "allow", value_name = "LOGIN")]
    pub(crate) allowed: Vec<Login>,
    /// Further path that engines and checks may read in the sandbox, such as ~/.cargo; may be given several times.
    #[arg(long = "read-only", value_name = "PATH")]
    pub(crate) read_only: Vec<PathBuf>,
    /// Further path that they may write, such as a cache; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub(crate) writable: Vec<PathBuf>,
    /// Whether checks keep the host's network.
    #[arg(long, value_name = "BOOL")]
    pub(crate) check_network: Option<bool>,
    /// Files of which a merge takes the lines of both sides, as in .gitattributes; may be given several times.
    #[arg(long = "union-merge", value_name = "PATTERN")]
    pub(crate) union_merge: Vec<String>,
    /// How much it matters, in a word of your own.
    #[arg(long, value_name = "WORD")]
    pub(crate) tier: Option<String>,
    /// Its main language.
    #[arg(long, value_name = "WORD")]
    pub(crate) language: Option<String>,
    /// Its share where repositories compete.
    #[arg(long, value_name = "N")]
    pub(crate) weight: Option<u32>,
    /// Most tasks in 24 hours.
    #[arg(long, value_name = "N")]
    pub(crate) daily_tasks: Option<u32>,
    /// Attempts at one piece of work.
    #[arg(long, value_name = "N")]
    pub(crate) attempts: Option<u32>,
    /// Time that an implementer has to answer a request, such as 30m.
    #[arg(long, value_name = "TIME")]
    pub(crate) response_time: Option<SignedDuration>,
    /// Review requests for one pull request.
    #[arg(long, value_name = "N")]
    pub(crate) review_requests: Option<u32>,
    /// Conflict requests for one pull request.
    #[arg(long, value_name = "N")]
    pub(crate) conflict_requests: Option<u32>,
    /// Red checks without a new commit for this long call a person, such as 24h.
    #[arg(long, value_name = "TIME")]
    pub(crate) red_checks: Option<SignedDuration>,
    /// A hosted agent that opened no pull request for this long calls a person, such as 24h.
    #[arg(long, value_name = "TIME")]
    pub(crate) no_pull: Option<SignedDuration>,
}

/// `NAME=COMMAND`.
pub(crate) fn check(text: &str) -> Result<(CheckName, String), String> {
    let (name, command) =
        text.split_once('=').ok_or("a check is written NAME=COMMAND, such as 'test=make test'")?;
    if command.trim().is_empty() {
        return Err("the command of the check is empty".to_owned());
    }
    let name = CheckName::new(name.trim()).map_err(|error| error.to_string())?;
    Ok((name, command.trim().to_owned()))
}

impl How {
    /// Puts what was named into an entry.
    pub(crate) fn apply(self, entry: &mut Entry) {
        fn take<T>(slot: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *slot = value;
            }
        }
        fn take_list<T>(slot: &mut Vec<T>, list: Vec<T>) {
            if !list.is_empty() {
                *slot = list;
            }
        }
        take(&mut entry.default_branch, self.default_branch);
        take_list(&mut entry.implementers, self.engines);
        if let Some(implementer) = &self.implementer {
            implementer.put_first(entry);
        }
        take_list(&mut entry.check_apps, self.check_apps);
        entry.merge = self.merge.or(entry.merge);
        take_list(&mut entry.reviewers, self.reviewers);
        take_list(&mut entry.checks.0, self.checks);
        take_list(&mut entry.allowed, self.allowed);
        take_list(&mut entry.read_only, self.read_only);
        take_list(&mut entry.writable, self.writable);
        take_list(&mut entry.union_merge, self.union_merge);
        take(&mut entry.check_network, self.check_network);
        take(&mut entry.required_approvals, self.required_approvals);
        take(&mut entry.require_up_to_date, self.require_up_to_date);
        entry.tier = self.tier.or(entry.tier.take());
        entry.language = self.language.or(entry.language.take());
        entry.weight = self.weight.or(entry.weight);
        entry.daily_tasks = self.daily_tasks.or(entry.daily_tasks);
        entry.attempts = self.attempts.or(entry.attempts);
        let own = &mut entry.policy;
        own.response_time = self.response_time.or(own.response_time);
        own.review_requests = self.review_requests.or(own.review_requests);
        own.conflict_requests = self.conflict_requests.or(own.conflict_requests);
        own.red_checks = self.red_checks.or(own.red_checks);
        own.no_pull = self.no_pull.or(own.no_pull);
    }
}

/// A repository as scripts get it.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    repo: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    /// Why its standing is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
}

pub(super) fn run(args: &ReposArgs, app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let home = Home::at(&config.settings.home);
    let mut inventory = Inventory::read(&home.inventory())?;
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => list(&config.settings, &inventory, &home, app)?,
        What::Show { repo } => {
            let (name, entry) = inventory.find(repo.as_deref())?;
            show(short(&name), entry, app)?;
        }
        What::Add { target, name, how } => {
            let (name, mut entry) = match target {
                Target::Folder(path) => {
                    let found = Repository::inspect(path, how.default_branch.as_ref())?;
                    let name = name.clone().unwrap_or_else(|| default_name(&found.path));
                    (name, Entry::new(found.path, found.default_branch))
                }
                Target::Github(repo) => {
                    if name.is_some() {
                        return Err(Failure::usage(
                            "a repository on GitHub keeps its name",
                            "leave --name away",
                        ));
                    }
                    let found = block_on(GithubRepository::inspect(&config.settings, repo))?;
                    for note in &found.notes {
                        anstream::eprintln!("note: {note}");
                    }
                    (found.name.to_string(), found.entry(how.default_branch.as_ref()))
                }
            };
            new_name(&inventory, &name, &entry)?;
            home.make()?;
            how.clone().apply(&mut entry);
            inventory.put(&name, entry)?;
            show(&name, inventory.find(Some(&name))?.1, app)?;
        }
        What::Edit { repo, path, how } => {
            let (name, entry) = inventory.find(Some(repo))?;
            let (name, mut entry) = (short(&name).to_owned(), entry.clone());
            // The running loops keep what they started with: a change would only seem to take effect.
            let _lock = Lock::take(home.folder())?;
            match (entry.folder(), path) {
                (None, Some(_)) => {
                    return Err(Failure::usage(
                        format!("{name} is on GitHub and has no folder"),
                        "leave --path away",
                    ));
                }
                (Some(_), Some(path)) => {
                    let wanted = how.default_branch.as_ref().unwrap_or(&entry.default_branch).clone();
                    entry.move_to(Repository::inspect(path, Some(&wanted))?.path);
                }
                (Some(folder), None) => {
                    if let Some(wanted) = &how.default_branch {
                        Repository::inspect(folder, Some(wanted))?;
                    }
                }
                (None, None) => {}
            }
            how.clone().apply(&mut entry);
            inventory.put(&name, entry)?;
            show(&name, inventory.find(Some(&name))?.1, app)?;
        }
        What::Remove { repo } => {
            let name = short(&inventory.find(Some(repo))?.0).to_owned();
            let _lock = Lock::take(home.folder())?;
            inventory.remove(&name)?;
            app.page.write(&serde_json::json!({ "removed": name }), |_| {
                format!("{name} is out of the inventory\n")
            })?;
        }
    }
    Ok(Exit::Success)
}

/// The folder's name as a name for the inventory.
pub(crate) fn default_name(path: &std::path::Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = name.trim_end_matches(".git").chars().map(kept).take(60).collect();
    let name = name.trim_matches(['-', '.']).to_owned();
    if name.is_empty() { "repo".to_owned() } else { name }
}

/// Refuses a name or a place that the inventory has already.
fn new_name(inventory: &Inventory, name: &str, new: &Entry) -> anyhow::Result<()> {
    if crate::home::repo_name(name).is_err() {
        return Err(Failure::usage(
            format!("`{name}` is no name for a repository"),
            "Use letters, digits, `-`, `_` and `.`; not `-` or `.` first.",
        ));
    }
    for (known, entry) in inventory.all() {
        if entry.place() == new.place() {
            let what = format!("{} is in the inventory already, as {}", new.place_words(), short(&known));
            return Err(Failure::new(what, format!("`banksman repos edit {}` changes it.", short(&known))));
        }
        if short(&known) == name {
            let what = format!("the name {name} is taken by {}", entry.place_words());
            return Err(Failure::new(what, "Choose another one with --name."));
        }
    }
    Ok(())
}

fn list(settings: &Settings, inventory: &Inventory, home: &Home, app: &App) -> anyhow::Result<()> {
    let names: Vec<_> = inventory.all().collect();
    let standings = standings(settings, home, inventory)?;
    let shown: Vec<Shown<'_>> = names
        .iter()
        .map(|(repo, entry)| Shown {
            name: short(repo),
            repo: repo.as_str(),
            entry,
            standing: match standings.get(repo) {
                Some(Known::Standing(standing)) => Some(*standing),
                Some(Known::Unknown(_)) | None => None,
            },
            trouble: match standings.get(repo) {
                Some(Known::Unknown(why)) => Some(why),
                Some(Known::Standing(_)) | None => None,
            },
        })
        .collect();
    app.page.write(&shown, |shown| {
        if shown.is_empty() {
            return "no repositories yet: `banksman repos add PATH` (or OWNER/NAME) or `banksman onboard` adds one\n"
                .to_owned();
        }
        let mut table =
            Table::new(&["name", "stage", "issues", "audits", "epics", "pulls", "implementer", "checks", "place"]);
        for repo in shown {
            let names =
                |list: &[EngineName]| list.iter().map(EngineName::as_str).collect::<Vec<_>>().join(" ");
            let count = |n: Option<usize>| Cell::from(n.map_or("?".to_owned(), |n| n.to_string()));
            let stage = match (repo.standing, repo.trouble) {
                (Some(standing), _) => standing.stage.word().into(),
                (None, why) => Cell::new(clean(why.unwrap_or("not known")), style::BAD),
            };
            let checks = repo.entry.checks.0.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(" ");
            table.row([
                Cell::new(repo.name, style::HEAD),
                stage,
                count(repo.standing.map(|s| s.open_issues)),
                count(repo.standing.map(|s| s.open_audits)),
                count(repo.standing.map(|s| s.open_epics)),
                count(repo.standing.map(|s| s.open_pulls)),
                names(&repo.entry.implementers).into(),
                if repo.entry.folder().is_none() {
                    Cell::new("GitHub's", style::DIM)
                } else if checks.is_empty() { Cell::new("none", style::WARN) } else { checks.into() },
                Cell::new(repo.entry.place_words(), style::DIM),
            ]);
        }
        table.text()
    })
}

fn show(name: &str, entry: &Entry, app: &App) -> anyhow::Result<()> {
    let repo = crate::home::repo_name(name)?;
    let key = if name.contains('/') { format!("\"{name}\"") } else { name.to_owned() };
    let written = toml::to_string(entry)?.replace("\n[policy]", &format!("\n[repos.{key}.policy]"));
    app.page.write(&Shown { name, repo: repo.as_str(), entry, standing: None, trouble: None }, |_| {
        format!("[repos.{key}]\n{written}")
    })
}

//! `budget log`: writes lines into the ledger by hand, or imports those of an older one (B3). All or nothing.

use super::Desk;
use crate::{
    app::App,
    clock::now,
    home::short,
    output::{Cell, Exit, Failure, Table, clean, moment, style},
};
use banksman_core::{
    budget::{Cost, Team, import::ledger_lines},
    id::Number,
    port::{Budget, LedgerEntry, budget::NewLedgerLine},
    text::{EngineName, MemberName, ProviderName, RepoName},
};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Append a line to the ledger by hand, import older ones, or show the last ones.
#[derive(Debug, Args)]
#[command(
    after_help = "A file for --import has lines such as\n\n    2026-02-05T10:00Z core-mcp #29 jules #12\n\n\
time, repository, issue, implementer and, where it is known, epic. The same line is imported once."
)]
pub(super) struct LogArgs {
    /// The repository: a name of the inventory, or OWNER/NAME.
    #[arg(requires = "issue", conflicts_with = "import")]
    repo: Option<String>,
    /// The issue that somebody was given.
    #[arg(requires = "implementer")]
    issue: Option<String>,
    /// Who works on it.
    #[arg(long, value_name = "NAME")]
    implementer: Option<EngineName>,
    /// The epic that it belongs to.
    #[arg(long, value_name = "NUMBER")]
    epic: Option<u64>,
    /// Whose quota it used [default: nobody's in particular; it counts for the pool].
    #[arg(long, value_name = "NAME")]
    member: Option<MemberName>,
    /// When [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Tasks that it cost.
    #[arg(long, default_value_t = 1, value_name = "N")]
    tasks: u32,
    /// Money that it cost, in cents.
    #[arg(long, default_value_t = 0, value_name = "N")]
    cents: u64,
    /// Tokens that it cost.
    #[arg(long, default_value_t = 0, value_name = "N")]
    tokens: u64,
    /// Import the lines of a file.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Owner of the repositories that an imported line names without one.
    #[arg(long, value_name = "NAME", requires = "import")]
    owner: Option<String>,
    /// Lines to show where nothing is written.
    #[arg(short = 'n', long, default_value_t = 20, value_name = "LINES")]
    rows: usize,
}

/// What was written, for scripts.
#[derive(Serialize)]
struct Written {
    added: u64,
    known: u64,
}

pub(super) fn run(args: &LogArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    let now = now();
    known_member(&desk.team, args.member.as_ref())?;
    let lines = match (&args.import, &args.repo) {
        (Some(file), _) => imported(file, args, &desk, now)?,
        (None, Some(repo)) => vec![by_hand(repo, args, &desk, now)?],
        (None, None) => return last(args.rows, &desk, now, app),
    };
    let wanted = lines.len() as u64;
    let added = desk.with_store(|store| async move { Ok(store.append_ledger(lines).await?) })?;
    app.page.write(&Written { added, known: wanted - added }, |written| match written {
        Written { added, known: 0 } => format!("{added} written\n"),
        Written { added, known } => format!("{added} written, {known} were there already\n"),
    })?;
    Ok(Exit::Success)
}

/// Refuses a member that the team does not have.
fn known_member(team: &Team, member: Option<&MemberName>) -> anyhow::Result<()> {
    match member {
        Some(member) if !team.members.contains(member) => {
            let names: Vec<&str> = team.members.iter().map(MemberName::as_str).collect();
            let help = if names.is_empty() {
                "there is no team.toml; leave --member away, or write one (`banksman budget --help`)"
                    .to_owned()
            } else {
                format!("the members in team.toml are {}", names.join(", "))
            };
            Err(Failure::usage(format!("{member} is no member of the team"), help))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses what has not happened yet.
fn not_later(at: Timestamp, now: Timestamp) -> Result<(), String> {
    if at > now + SignedDuration::from_mins(5) {
        return Err(format!("{at} is in the future"));
    }
    Ok(())
}

/// The pool that an implementer counts in.
fn pool(team: &Team, implementer: &EngineName) -> Result<ProviderName, String> {
    match team.provider_of(implementer) {
        Some(provider) => Ok(provider.name.clone()),
        None => Team::unlisted(implementer)
            .map(|provider| provider.name)
            .ok_or_else(|| format!("{implementer} is no name of an implementer")),
    }
}

fn by_hand(repo: &str, args: &LogArgs, desk: &Desk, now: Timestamp) -> anyhow::Result<NewLedgerLine> {
    let usage = |what: String| Failure::usage(what, "banksman budget log REPO ISSUE --implementer NAME");
    let repo = if repo.contains('/') {
        RepoName::new(repo).map_err(|error| usage(error.to_string()))?
    } else {
        desk.full_name(repo, None).map_err(usage)?
    };
    let issue = args.issue.as_deref().unwrap_or_default();
    let number = issue.trim_start_matches('#').parse().ok().filter(|n| (1..=i64::MAX as u64).contains(n));
    let issue = Number(number.ok_or_else(|| usage(format!("`{}` is no issue: write 29", clean(issue))))?);
    let Some(implementer) = args.implementer.clone() else {
        return Err(usage("--implementer says who works on it".to_owned()));
    };
    let at = args.at.unwrap_or(now);
    not_later(at, now).map_err(usage)?;
    Ok(NewLedgerLine {
        key: format!("hand:{at}:{repo}:{issue}:{implementer}"),
        at,
        repo,
        issue,
        provider: pool(&desk.team, &implementer).map_err(usage)?,
        implementer,
        epic: args.epic.map(Number),
        member: args.member.clone(),
        cost: Cost { tasks: args.tasks, money: args.cents, tokens: args.tokens },
    })
}

fn imported(
    file: &PathBuf,
    args: &LogArgs,
    desk: &Desk,
    now: Timestamp,
) -> anyhow::Result<Vec<NewLedgerLine>> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(
            format!("{}: {error}", file.display()),
            "name a file of ledger lines; nothing was imported",
        )
    })?;
    let named = |name: &str| desk.full_name(name, args.owner.as_deref());
    let refused = |told: Vec<(usize, String)>| {
        let told: Vec<String> =
            told.iter().map(|(line, what)| format!("{}:{line}: {what}", file.display())).collect();
        Failure::new(told.join("\n"), "nothing was imported: mend these lines and import the file again")
    };
    let lines = ledger_lines(&text, &named)
        .map_err(|mistakes| refused(mistakes.into_iter().map(|m| (m.line, m.what)).collect()))?;
    // Equal lines are told apart by their order, so that a file may say the same twice and be imported again.
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for line in lines {
        let key = format!("import:{}:{}:{}:{}", line.at, line.repo, line.issue, line.implementer);
        let nth = seen.entry(key.clone()).and_modify(|n| *n += 1).or_insert(1);
        if let Err(what) = not_later(line.at, now) {
            wrong.push((line.line, what));
            continue;
        }
        let provider = match pool(&desk.team, &line.implementer) {
            Ok(provider) => provider,
            Err(what) => {
                wrong.push((line.line, what));
                continue;
            }
        };
        all.push(NewLedgerLine {
            key: format!("{key}:{nth}"),
            at: line.at,
            repo: line.repo,
            issue: line.issue,
            implementer: line.implementer,
            provider,
            epic: line.epic,
            member: args.member.clone(),
            cost: Cost::TASK,
        });
    }
    if wrong.is_empty() { Ok(all) } else { Err(refused(wrong)) }
}

/// The last lines of the ledger.
fn last(rows: usize, desk: &Desk, now: Timestamp, app: &App) -> anyhow::Result<Exit> {
    let until = now + SignedDuration::from_hours(24);
    let mut entries = desk
        .with_store(|store| async move { Ok(store.ledger_between(Timestamp::UNIX_EPOCH, until).await?) })?;
    let all = entries.len();
    entries.drain(..all.saturating_sub(rows));
    app.page.write(&entries, |entries| table(entries, all))?;
    Ok(Exit::Success)
}

fn table(entries: &[LedgerEntry], all: usize) -> String {
    if entries.is_empty() {
        return "the ledger is empty\n".to_owned();
    }
    let mut table =
        Table::new(&["time", "repository", "issue", "implementer", "epic", "member", "tasks", "state"]);
    for entry in entries {
        table.row([
            Cell::new(moment(entry.at), style::DIM),
            short(&entry.repo).to_owned().into(),
            format!("#{}", entry.issue).into(),
            entry.implementer.to_string().into(),
            entry.epic.map(|epic| format!("#{epic}")).unwrap_or_default().into(),
            entry.member.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            entry.cost.to_string().into(),
            format!("{:?}", entry.state).to_lowercase().into(),
        ]);
    }
    let more =
        if all > entries.len() { format!("the last {} of {all}\n", entries.len()) } else { String::new() };
    format!("{}{more}", table.text())
}

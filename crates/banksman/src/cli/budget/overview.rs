//! `budget` alone: used, reserved and left of each pool and member, when it is reset, how much is ready, and what to do next (B6, B12).

use super::{Desk, Stands, stands, suggestion_words};
use crate::{
    app::App,
    clock::now,
    home::short,
    output::{Cell, Exit, Table, span_words, style},
};
use banksman_core::{
    budget::{
        Quota, Span, Team, Unit,
        triggers::{DAYS_READY, Suggestion, is_shallow, ready, suggestions},
    },
    port::{
        Budget, LedgerEntry,
        budget::{MemberUse, Shares},
    },
    text::{MemberName, ProviderName, RepoName},
};
use clap::Args;
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Args)]
pub(super) struct OverviewArgs {
    /// Do not look at the repositories: nothing is said of what is ready.
    #[arg(long)]
    quick: bool,
}

/// The budget, for scripts.
#[derive(Serialize)]
struct Shown {
    now: Timestamp,
    pools: Vec<PoolShown>,
    /// Tasks of the day of providers that nobody limits.
    unlimited: BTreeMap<ProviderName, u32>,
    plan: Option<PlanShown>,
    ready: Option<u32>,
    daily_rate: Option<u32>,
    shallow: bool,
    suggestions: Vec<Suggestion>,
    not_looked_at: BTreeMap<RepoName, String>,
}

#[derive(Serialize)]
struct PoolShown {
    provider: ProviderName,
    unit: Unit,
    per: &'static str,
    #[serde(flatten)]
    sum: Sum,
    reset_at: Timestamp,
    members: Vec<MemberShown>,
}

#[derive(Serialize)]
struct MemberShown {
    member: Option<MemberName>,
    #[serde(flatten)]
    sum: Sum,
    reset_at: Timestamp,
}

/// One line of numbers.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Sum {
    quota: u64,
    used: u64,
    reserved: u64,
    left: u64,
}

#[derive(Serialize)]
struct PlanShown {
    day: Date,
    shares: BTreeMap<RepoName, ShareShown>,
}

#[derive(Serialize)]
struct ShareShown {
    share: u32,
    spent: u32,
}

pub(super) fn run(args: &OverviewArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    let looked = if args.quick { None } else { Some(stands(&desk)?) };
    let now = now();
    let at = &desk;
    let shown = desk.with_store(|store| async move { gather(at, &store, looked, now).await })?;
    app.page.write(&shown, |shown| text(shown, now))?;
    Ok(Exit::Success)
}

async fn gather<B: Budget>(
    desk: &Desk,
    store: &B,
    looked: Option<Stands>,
    now: Timestamp,
) -> anyhow::Result<Shown> {
    let team = &desk.team;
    let day = team.plan_day(now);
    let today = store.ledger_between(day.span.start, day.span.end).await?;
    let shares = store.allocation(day.date).await?;
    let planned: Option<u32> = shares.as_ref().map(|shares| shares.values().sum());
    let daily_rate = planned.or_else(|| team.tasks_a_day(now));
    let (known, missing) = looked.map_or((None, BTreeMap::new()), |l| (Some(l.known), l.missing));
    let depth = known.as_deref().map(ready);
    Ok(Shown {
        now,
        pools: pools(team, store, now).await?,
        unlimited: unlimited(team, &today),
        plan: shares.map(|shares| plan(day.date, &shares, &today)),
        ready: depth,
        daily_rate,
        shallow: depth.zip(daily_rate).is_some_and(|(ready, rate)| is_shallow(ready, rate)),
        suggestions: known.as_deref().map(suggestions).unwrap_or_default(),
        not_looked_at: missing,
    })
}

/// What today was spent where no quota counts.
fn unlimited(team: &Team, today: &[LedgerEntry]) -> BTreeMap<ProviderName, u32> {
    let mut spent: BTreeMap<ProviderName, u32> = BTreeMap::new();
    for entry in today.iter().filter(|e| !team.quotas.iter().any(|q| q.provider == e.provider)) {
        *spent.entry(entry.provider.clone()).or_default() += entry.cost;
    }
    spent
}

fn plan(day: Date, shares: &Shares, today: &[LedgerEntry]) -> PlanShown {
    let spent = |repo: &RepoName| today.iter().filter(|e| e.repo == *repo).map(|e| e.cost).sum();
    let shares = shares.iter().map(|(repo, share)| {
        let shown = ShareShown { share: *share, spent: spent(repo) };
        (repo.clone(), shown)
    });
    PlanShown { day, shares: shares.collect() }
}

async fn pools<B: Budget>(team: &Team, store: &B, now: Timestamp) -> anyhow::Result<Vec<PoolShown>> {
    let mut shown = Vec::new();
    for pool in team.pools() {
        let mut members = Vec::new();
        let mut whole: Option<Span> = None;
        for quota in &pool.quotas {
            let span = quota.window.around(now);
            let used = store.used(&pool.provider.name, span).await?;
            members.push(member(quota, span, &used));
            whole = Some(
                whole.map_or(span, |w| Span { start: w.start.min(span.start), end: w.end.min(span.end) }),
            );
        }
        let mut sum = Sum { quota: pool.most(), ..Sum::default() };
        for line in &members {
            sum.used += line.sum.used;
            sum.reserved += line.sum.reserved;
            sum.left += line.sum.left;
        }
        if let Some(span) = whole {
            let used = store.used(&pool.provider.name, span).await?;
            let strays = strays(team, &pool.provider.name, pool.unit, span, &used);
            if let Some(strays) = strays {
                sum.used += strays.sum.used;
                sum.reserved += strays.sum.reserved;
                sum.left = sum.left.saturating_sub(strays.sum.used + strays.sum.reserved);
                members.push(strays);
            }
        }
        shown.push(PoolShown {
            provider: pool.provider.name.clone(),
            unit: pool.unit,
            per: pool.quotas.first().map_or("day", |quota| quota.window.period.word()),
            sum,
            reset_at: whole.map_or(now, |span| span.end),
            members,
        });
    }
    Ok(shown)
}

fn member(quota: &Quota, span: Span, used: &[MemberUse]) -> MemberShown {
    let of = used.iter().find(|line| line.member.as_ref() == Some(&quota.member));
    let (used, reserved) =
        of.map_or((0, 0), |line| (line.settled.of(quota.unit), line.reserved.of(quota.unit)));
    MemberShown {
        member: Some(quota.member.clone()),
        sum: Sum { quota: quota.most, used, reserved, left: quota.most.saturating_sub(used + reserved) },
        reset_at: span.end,
    }
}

/// What is on nobody's account: lines written by hand, members that left.
fn strays(
    team: &Team,
    provider: &ProviderName,
    unit: Unit,
    span: Span,
    used: &[MemberUse],
) -> Option<MemberShown> {
    let mut sum = Sum::default();
    for line in used {
        let own = |quota: &Quota| quota.provider == *provider && Some(&quota.member) == line.member.as_ref();
        if team.quotas.iter().any(own) {
            continue;
        }
        sum.used += line.settled.of(unit);
        sum.reserved += line.reserved.of(unit);
    }
    let any = sum.used + sum.reserved > 0;
    any.then_some(MemberShown { member: None, sum, reset_at: span.end })
}

fn text(shown: &Shown, now: Timestamp) -> String {
    let mut out = String::new();
    if shown.pools.is_empty() {
        out.push_str("no quotas: nothing is limited (`banksman budget --help` shows a team.toml)\n");
    } else {
        let mut table = Table::new(&["pool", "per", "quota", "used", "reserved", "left", "reset in"]);
        for pool in &shown.pools {
            let name = format!("{} {}", pool.provider, pool.unit.word());
            table.row(row(Cell::new(name, style::HEAD), pool.per, &pool.sum, pool.reset_at, now));
            for line in &pool.members {
                let name = line.member.as_ref().map_or("  (nobody)".to_owned(), |m| format!("  {m}"));
                table.row(row(Cell::new(name, style::DIM), "", &line.sum, line.reset_at, now));
            }
        }
        out.push_str(&table.text());
    }
    for (provider, tasks) in &shown.unlimited {
        out.push_str(&format!("{provider}: {tasks} tasks today, not limited\n"));
    }
    if let Some(plan) = &shown.plan {
        out.push_str(&format!("\nplan of {}\n", plan.day));
        let mut table = Table::new(&["repository", "share", "spent", "left"]);
        for (repo, share) in &plan.shares {
            table.row([
                short(repo).to_owned().into(),
                share.share.to_string().into(),
                share.spent.to_string().into(),
                share.share.saturating_sub(share.spent).to_string().into(),
            ]);
        }
        out.push_str(&table.text());
    }
    if let Some(ready) = shown.ready {
        let against = match shown.daily_rate {
            Some(rate) if rate > 0 => {
                format!(", {:.1} days at {rate} a day", f64::from(ready) / f64::from(rate))
            }
            Some(_) | None => String::new(),
        };
        out.push_str(&format!("\nready to dispatch: {ready}{against}\n"));
    }
    if shown.shallow {
        let warn = style::WARN;
        out.push_str(&format!(
            "{warn}warning:{warn:#} less than {DAYS_READY} days' worth is ready: the agents will run dry\n"
        ));
    }
    for suggestion in &shown.suggestions {
        out.push_str(&format!("next: {}\n", suggestion_words(suggestion)));
    }
    for (repo, why) in &shown.not_looked_at {
        out.push_str(&format!("note: {} was not looked at: {}\n", short(repo), crate::output::clean(why)));
    }
    out
}

fn row(name: Cell, per: &str, sum: &Sum, reset_at: Timestamp, now: Timestamp) -> [Cell; 7] {
    let tight = sum.quota > 0 && sum.left == 0;
    [
        name,
        per.to_owned().into(),
        sum.quota.to_string().into(),
        sum.used.to_string().into(),
        sum.reserved.to_string().into(),
        Cell::new(sum.left.to_string(), if tight { style::WARN } else { style::PLAIN }),
        span_words(reset_at.duration_since(now)).into(),
    ]
}

//! `budget forecast`: when each epic and all of them will be done, what holds the end back, and how such forecasts held before (B10).

use super::{
    Desk,
    look::{Seen, look},
    record::record,
};
use crate::{
    app::App,
    home::short,
    output::{
        Cell, Exit, Table,
        plot::{self, BurnUp},
        style,
    },
};
use banksman_core::{
    budget::forecast::{
        Backtest, Bottleneck, ChildPast, Due, ENOUGH_CHILDREN, ENOUGH_DAYS, Forecast, History, Options,
        Priors, Record, backtest, forecast,
    },
    text::RepoName,
};
use clap::Args;
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Futures of each forecast of a replay.
const REPLAYED: u32 = 2_000;
/// Most days of the past on the picture.
const PAST_DAYS: i32 = 30;
/// Columns of a bar.
const BAR: usize = 24;

/// Forecast when the open epics will be done.
#[derive(Debug, Args)]
pub(super) struct ForecastArgs {
    /// Days of the burn-up that are shown, today included.
    #[arg(default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// Where chance begins; the same seed gives the same forecast.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Simulated futures.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    trials: u32,
    /// Draw the burn-up with the forecast as a picture.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Replay the past instead: how often the dates of forecasts would have held.
    #[arg(long)]
    calibration: bool,
}

/// A forecast, for scripts.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    forecast: Forecast,
    not_looked_at: BTreeMap<RepoName, String>,
}

pub(super) fn run(args: &ForecastArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    let (record, missing) = look(&desk, |seen| async {
        let record = record(&desk, &seen, &seen.host.shared.store).await?;
        Ok((record, seen.missing))
    })?;
    let options = Options { trials: args.trials, seed: args.seed, days: args.days };
    if args.calibration {
        let test = backtest(&record, &Options { trials: args.trials.min(REPLAYED), ..options });
        if let Some(file) = &args.plot {
            plot::save(&plot::calibration(&test), file)?;
        }
        app.page.write(&test, calibration_text)?;
        return Ok(Exit::Success);
    }
    let shown = Shown { forecast: forecast(&record, &options), not_looked_at: missing };
    if let Some(file) = &args.plot {
        plot::save(&plot::burn_up(&burn_up(&record, &shown.forecast)), file)?;
    }
    app.page.write(&shown, |shown| text(shown, &record))?;
    Ok(Exit::Success)
}

/// Settled children of the open epics by day, and what is to come.
fn burn_up<'a>(record: &'a Record, forecast: &'a Forecast) -> BurnUp<'a> {
    let today = record.zone.to_datetime(record.until).date();
    let open = || record.epics.iter().filter(|epic| epic.ended_at.is_none());
    let mut scope = 0;
    let mut before = 0;
    let mut by_day: BTreeMap<Date, u32> = BTreeMap::new();
    let oldest = today.checked_sub(PAST_DAYS.days()).unwrap_or(today);
    for (_, child) in open().flat_map(|epic| &epic.children) {
        scope += 1;
        match child {
            ChildPast::Gone => before += 1,
            ChildPast::Given(way) => {
                if let Some((at, _)) = way.end {
                    *by_day.entry(record.zone.to_datetime(at).date().max(oldest)).or_default() += 1;
                }
            }
            ChildPast::Waiting => {}
        }
    }
    let began = open().map(|epic| record.zone.to_datetime(epic.started_at).date()).min();
    let first = began.unwrap_or(today).min(today).max(oldest);
    let mut done = before;
    let past = first.series(1.day()).take_while(|date| *date <= today).map(|date| {
        done += by_day.get(&date).copied().unwrap_or(0);
        (date, done)
    });
    BurnUp {
        past: past.collect(),
        scope,
        days: &forecast.burn_up,
        all: forecast.all,
        now: record.until,
        zone: &record.zone,
    }
}

fn text(shown: &Shown, record: &Record) -> String {
    let forecast = &shown.forecast;
    let mut out = history_words(&forecast.history);
    let Some(all) = forecast.all else {
        out.push_str("no epic is open: there is nothing to forecast\n");
        out.push_str(&Seen::notes(&shown.not_looked_at));
        return out;
    };
    let zone = &record.zone;
    let mut table = Table::new(&["epic", "children left", "P50", "P85", "P95"]);
    let cell = |due: Due, style| Cell::new(date_words(due, zone), style);
    for epic in &forecast.epics {
        table.row([
            format!("{}#{}", short(&epic.repo), epic.epic).into(),
            epic.left.to_string().into(),
            cell(epic.dates.p50, style::DIM),
            cell(epic.dates.p85, style::PLAIN),
            cell(epic.dates.p95, style::DIM),
        ]);
    }
    let left: u32 = forecast.epics.iter().map(|epic| epic.left).sum();
    table.row([
        Cell::new("all", style::HEAD),
        left.to_string().into(),
        cell(all.p50, style::DIM),
        cell(all.p85, style::HEAD),
        cell(all.p95, style::DIM),
    ]);
    out.push_str(&table.text());
    if let Some(bottleneck) = &forecast.bottleneck {
        out.push_str(&format!("bottleneck: {}\n", bottleneck_words(bottleneck)));
    }
    out.push_str(&format!("\nsettled children by day, of {left}: P50, and P15 to P85\n"));
    let mut table = Table::new(&[]);
    let most = f64::from(left.max(1));
    for day in &forecast.burn_up {
        table.row([
            day.date.strftime("%a %b %e").to_string().into(),
            day.p50.to_string().into(),
            Cell::new(format!("{} to {}", day.p15, day.p85), style::DIM),
            Cell::new(plot::bar(f64::from(day.p50), most, BAR), style::BUSY),
        ]);
    }
    out.push_str(&table.text());
    out.push_str(&format!("{} futures, seed {}\n", forecast.trials, forecast.seed));
    out.push_str(&Seen::notes(&shown.not_looked_at));
    out
}

pub(crate) fn date_words(due: Due, zone: &TimeZone) -> String {
    let shown = |at: Timestamp| zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string();
    due.map_or_else(|| "not within two years".to_owned(), shown)
}

fn history_words(history: &History) -> String {
    let known = format!(
        "history: {} days ({} without a settled child), {} children settled",
        history.days, history.idle_days, history.settled
    );
    match &history.priors {
        None => format!("{known}\n"),
        Some(priors) => {
            let warn = style::WARN;
            format!(
                "{known}\n{warn}too little to go by{warn:#} (it takes {ENOUGH_DAYS} days and {ENOUGH_CHILDREN} children), so these stand in:\n{}",
                prior_words(priors)
            )
        }
    }
}

fn prior_words(priors: &Priors) -> String {
    format!(
        "  a third of pull requests by agents end in an hour, half in a day, three quarters in a week (7,122 of them, AIDev);\n  \
         {:.0} % of children need a fix round, {:.0} % of those another; {:.0} % end with a person; an epic ends {:.0} h after its last child\n",
        priors.again[0] * 100.0,
        priors.again[1] * 100.0,
        priors.skipped * 100.0,
        priors.landing_hours
    )
}

fn bottleneck_words(bottleneck: &Bottleneck) -> String {
    let days = |hours: &f64| format!("without it the P85 date comes {:.1} days earlier", hours / 24.0);
    match bottleneck {
        Bottleneck::DailyQuota { limit, hours } => {
            format!("the quota of {limit} tasks a day: {}", days(hours))
        }
        Bottleneck::AtOnce { limit, hours } => format!("only {limit} children at once: {}", days(hours)),
        Bottleneck::RepositoryQuota { repo, limit, hours } => {
            format!("{}'s cap of {limit} tasks a day: {}", short(repo), days(hours))
        }
        Bottleneck::RepositoryAtOnce { repo, limit, hours } => {
            format!("only {limit} children of {} at once: {}", short(repo), days(hours))
        }
        Bottleneck::Repository { repo, percent } => {
            format!(
                "{}: its epics end last in {percent} of 100 futures; no quota holds them back",
                short(repo)
            )
        }
    }
}

fn calibration_text(test: &Backtest) -> String {
    if test.cases.is_empty() {
        return format!(
            "no epic ended yet that had {ENOUGH_DAYS} days and {ENOUGH_CHILDREN} settled children before it ({} began earlier)\n",
            test.too_early
        );
    }
    let mut table = Table::new(&["date of", "held", "of", "share", ""]);
    for level in &test.levels {
        let share = 100.0 * f64::from(level.held) / f64::from(level.of.max(1));
        table.row([
            format!("P{}", level.percent).into(),
            level.held.to_string().into(),
            level.of.to_string().into(),
            format!("{share:.0} %").into(),
            Cell::new(plot::bar(share, 100.0, BAR), style::BUSY),
        ]);
    }
    format!("{} epics that ended, each forecast as of its beginning\n{}", test.cases.len(), table.text())
}

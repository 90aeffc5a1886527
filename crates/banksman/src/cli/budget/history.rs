//! `budget history`: what happened on each of the last days (B9).

use super::Desk;
use crate::{
    app::App,
    clock::now,
    output::{Cell, Exit, Table, plot, style},
};
use anyhow::Context as _;
use banksman_core::{
    budget::days::{DayCount, Happened, count_days, first_instant},
    intent::{Deed, IntentState},
    port::{Budget, OutcomeResult, Store},
};
use clap::Args;
use jiff::Timestamp;
use std::path::PathBuf;

/// Columns of the longest bar.
const WIDTH: u32 = 30;

/// Show what was dispatched and merged, what was stuck and where a person was called, day by day.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Days, today included.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    /// Draw it as a picture too.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

pub(super) fn run(args: &HistoryArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    let now = now();
    let at = &desk;
    let days = desk.with_store(|store| async move { days(at, &store, now, args.days).await })?;
    if let Some(file) = &args.plot {
        plot::save(&plot::history(&days), file)?;
    }
    app.page.write(&days, |days| text(days))?;
    Ok(Exit::Success)
}

/// The last days, from the store alone.
pub(crate) async fn days<S: Store + Budget>(
    desk: &Desk,
    store: &S,
    now: Timestamp,
    days: u16,
) -> anyhow::Result<Vec<DayCount>> {
    let day = &desk.team.day;
    let since = first_instant(day, now, days);
    let until = day.around(now).end;
    let mut events: Vec<(Timestamp, Happened)> = Vec::new();
    let ledger = store.ledger_between(since, until).await.context("cannot read the ledger")?;
    for entry in ledger {
        events.extend((0..entry.cost).map(|_| (entry.at, Happened::Dispatched)));
    }
    for repo in store.repos().await.context("cannot read the repositories")? {
        for outcome in store.outcomes(&repo).await? {
            if outcome.result == OutcomeResult::Success {
                events.push((outcome.at, Happened::Merged));
            }
        }
        for intent in store.intents(&repo).await? {
            let IntentState::Done { at } = intent.state else { continue };
            match intent.deed {
                Deed::RequestReviewFix { .. } | Deed::RequestConflictFix { .. } => {
                    events.push((at, Happened::Stuck));
                }
                Deed::Escalate { .. } => events.push((at, Happened::Escalated)),
                _ => {}
            }
        }
    }
    Ok(count_days(day, now, days, events))
}

/// A table with a bar for each day.
pub(crate) fn text(days: &[DayCount]) -> String {
    let most = days.iter().map(|day| day.dispatched.max(day.merged)).max().unwrap_or(0);
    let mut table = Table::new(&["day", "dispatched", "merged", "stuck", "escalated", ""]);
    for day in days {
        let bad =
            |count: u32, style| Cell::new(count.to_string(), if count > 0 { style } else { style::PLAIN });
        table.row([
            format!("{} {}", day.date.strftime("%a"), day.date).into(),
            day.dispatched.to_string().into(),
            day.merged.to_string().into(),
            bad(day.stuck, style::WARN),
            bad(day.escalated, style::BAD),
            Cell::new(bar(day, most), style::BUSY),
        ]);
    }
    let sum = |of: fn(&DayCount) -> u32| days.iter().map(of).sum::<u32>();
    table.row([
        Cell::new("all", style::HEAD),
        Cell::new(sum(|d| d.dispatched).to_string(), style::HEAD),
        Cell::new(sum(|d| d.merged).to_string(), style::HEAD),
        Cell::new(sum(|d| d.stuck).to_string(), style::HEAD),
        Cell::new(sum(|d| d.escalated).to_string(), style::HEAD),
        Cell::new("█ merged, ░ dispatched beyond", style::DIM),
    ]);
    table.text()
}

/// Merged as full blocks, what was dispatched beyond that as light ones.
fn bar(day: &DayCount, most: u32) -> String {
    let columns = |count: u32| {
        let scaled = u64::from(count) * u64::from(WIDTH.min(most)) / u64::from(most.max(1));
        // Whatever happened is seen.
        usize::try_from(scaled).unwrap_or(0).max(usize::from(count > 0))
    };
    let merged = columns(day.merged);
    format!("{}{}", "█".repeat(merged), "░".repeat(columns(day.dispatched).saturating_sub(merged)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_a_bar_and_the_last_line_sums_up() {
        let day = |date: &str, dispatched, merged, stuck, escalated| DayCount {
            date: date.parse().unwrap(),
            dispatched,
            merged,
            stuck,
            escalated,
        };
        let days =
            [day("2026-02-04", 60, 30, 0, 0), day("2026-02-05", 0, 0, 0, 0), day("2026-02-06", 3, 1, 2, 1)];
        let plain = anstream::adapter::strip_str(&text(&days)).to_string();
        let lines: Vec<String> =
            plain.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[1], format!("Wed 2026-02-04 60 30 0 0 {}{}", "█".repeat(15), "░".repeat(15)));
        assert_eq!(lines[2], "Thu 2026-02-05 0 0 0 0");
        assert_eq!(lines[3], "Fri 2026-02-06 3 1 2 1 █");
        assert_eq!(lines[4], "all 63 31 2 1 █ merged, ░ dispatched beyond");
    }
}

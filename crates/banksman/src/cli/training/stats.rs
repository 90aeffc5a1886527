//! `training stats`: how many flows ended and how, in how many cycles and hours, and how actions turned out (D10).

use crate::{
    app::App,
    home::Home,
    host::{block_on, journals},
    output::{Cell, Exit, Table, amount, clean, style},
};
use banksman_core::{
    journal::JournalEntry,
    port::{Store as _, Training as _, training::PointCounts},
};
use banksman_learn::{
    Flows,
    stats::{ActionCounts, ActionStats, FlowStats, GroupBy, JournalStats, journal_stats},
};
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Show statistics of finished flows and of actions.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// What to group finished flows by.
    #[arg(long, default_value = "implementer")]
    by: Grouping,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grouping {
    /// Engine or hosted agent, else the login that opened the pull request.
    Implementer,
    /// The repository.
    Repo,
}

/// The statistics, for scripts.
#[derive(Serialize)]
struct Shown {
    by: Grouping,
    journals: JournalStats,
    recorded: Recorded,
    actions: Vec<ActionStats>,
}

/// How much is recorded.
#[derive(Serialize, Default)]
struct Recorded {
    observations: u64,
    actions: u64,
    outcomes: u64,
    /// Pull requests.
    flows: u64,
    /// Those of them that ended.
    ended: u64,
}

pub(super) fn run(args: &StatsArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    let (entries, recorded, actions) = block_on(async {
        let Some(store) = super::store_if_any(&settings, &home).await? else {
            // Journals may have been brought here without a store.
            return Ok((journals::journals(&home)?.0, Recorded::default(), Vec::new()));
        };
        let mut entries: Vec<JournalEntry> = Vec::new();
        for repo in store.repos().await? {
            entries.extend(store.journal(&repo).await?);
        }
        let PointCounts { observations, actions, outcomes } = store.point_counts().await?;
        let mut counts = ActionCounts::default();
        let mut flows = Flows::of(&store, None, None);
        while let Some(flow) = flows.next().await? {
            counts.flow(&flow);
        }
        let (flows, ended) = counts.flows();
        Ok((entries, Recorded { observations, actions, outcomes, flows, ended }, counts.stats()))
    })?;
    let by = match args.by {
        Grouping::Implementer => GroupBy::Implementer,
        Grouping::Repo => GroupBy::Repo,
    };
    let shown = Shown { by: args.by, journals: journal_stats(&entries, by), recorded, actions };
    app.page.write(&shown, text)?;
    Ok(Exit::Success)
}

fn text(shown: &Shown) -> String {
    let journals = &shown.journals;
    let recorded = &shown.recorded;
    let mut text = String::new();
    if journals.total.flows == 0 {
        text.push_str("no child is finished yet\n");
    } else {
        let mut table = Table::new(&[
            "",
            "flows",
            "merged",
            "rate",
            "closed",
            "escalated",
            "reviews",
            "conflicts",
            "red",
            "hours to merge",
        ]);
        for group in &journals.groups {
            table.row(row(Cell::from(clean(&group.name)), &group.stats));
        }
        table.row(row(Cell::new("all", style::HEAD), &journals.total));
        text.push_str(&table.text());
        text.push_str("rate: merged of all; reviews, conflicts, red: median cycles and red commits of a flow; hours: median, mean\n");
    }
    if !journals.failing_checks.is_empty() {
        let mut table = Table::new(&["failing check", "commits", "flows"]);
        for check in &journals.failing_checks {
            let name = clean(check.name.as_str());
            table.row([name.into(), check.commits.to_string().into(), check.flows.to_string().into()]);
        }
        text.push_str(&format!("\n{}", table.text()));
    }
    text.push_str(&format!(
        "\nrecorded: {} observations, {} actions, {} outcomes of {} pull requests, {} ended\n",
        amount(recorded.observations),
        amount(recorded.actions),
        amount(recorded.outcomes),
        amount(recorded.flows),
        amount(recorded.ended),
    ));
    if !shown.actions.is_empty() {
        let mut table = Table::new(&["action", "taken", "flows", "ended", "success", "median h", "mean h"]);
        for action in &shown.actions {
            table.row([
                action.action.to_string().into(),
                amount(action.taken).into(),
                amount(action.flows).into(),
                amount(action.ended).into(),
                percent(action.success_rate).into(),
                action.median_resolution_hours.map(hours_words).unwrap_or_default().into(),
                action.mean_resolution_hours.map(hours_words).unwrap_or_default().into(),
            ]);
        }
        text.push_str(&format!("\n{}", table.text()));
    }
    text
}

fn row(name: Cell, stats: &FlowStats) -> Vec<Cell> {
    let hours = match (stats.median_hours_to_merge, stats.mean_hours_to_merge) {
        (Some(median), Some(mean)) => format!("{}, {}", hours_words(median), hours_words(mean)),
        _ => String::new(),
    };
    vec![
        name,
        stats.flows.to_string().into(),
        stats.merged.to_string().into(),
        percent(stats.merge_rate).into(),
        stats.closed.to_string().into(),
        stats.escalated.to_string().into(),
        number(stats.median_review_cycles).into(),
        number(stats.median_conflict_cycles).into(),
        number(stats.median_ci_failures).into(),
        hours.into(),
    ]
}

fn percent(share: Option<f64>) -> String {
    share.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default()
}

/// Hours with as many digits as say something.
fn hours_words(hours: f64) -> String {
    if hours < 1.0 { format!("{hours:.3}") } else { format!("{hours:.1}") }
}

fn number(number: Option<f64>) -> String {
    number.map(|number| format!("{number:.1}")).unwrap_or_default()
}

//! `insights`: what engines did in a period: totals and medians by engine, profile, place or day (Q22).

use crate::{
    app::App,
    clock::now,
    home::Home,
    host::{block_on, open_store},
    output::{Cell, Exit, Failure, Table, amount, clean, moment, span_words, style},
};
use banksman_core::{
    insights::{By, Insight, Insights},
    port::Queue as _,
};
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;

/// Show totals and medians of what engines did.
#[derive(Debug, Args)]
pub(crate) struct InsightsArgs {
    /// Start of the period: a duration back from now (`7d`, `12h`) or a time (`2026-11-01T00:00:00Z`).
    #[arg(long, default_value = "7d")]
    since: String,
    /// End of the period, in the same form [default: now].
    #[arg(long)]
    until: Option<String>,
    /// What to group by.
    #[arg(long, default_value = "engine")]
    by: Grouping,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Grouping {
    Engine,
    Profile,
    /// The repository or folder.
    Place,
    /// The day, in the time zone of the host.
    Day,
}

/// The insights, for scripts.
#[derive(Serialize)]
struct Shown {
    since: Timestamp,
    until: Timestamp,
    #[serde(flatten)]
    insights: Insights,
}

pub(super) fn run(args: &InsightsArgs, app: &App) -> anyhow::Result<Exit> {
    let now = now();
    let since = point("--since", &args.since, now)?;
    let until = args.until.as_deref().map_or(Ok(now), |text| point("--until", text, now))?;
    if until <= since {
        return Err(Failure::usage("the period ends before it begins", "--since has to be before --until"));
    }
    let by = match args.by {
        Grouping::Engine => By::Engine,
        Grouping::Profile => By::Profile,
        Grouping::Place => By::Place,
        Grouping::Day => By::Day,
    };
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    let attempts = if settings.store.is_none() && !home.store().exists() && home.orphaned_jobs() == 0 {
        Vec::new()
    } else {
        block_on(async {
            let store = open_store(&settings, &home).await?;
            Ok(store.attempts_between(since, until).await?)
        })?
    };
    let insights = Insights::of(&attempts, by, &TimeZone::system());
    app.page.write(&Shown { since, until, insights }, text)?;
    Ok(Exit::Success)
}

/// A point in time as people write it.
fn point(flag: &str, text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let wrong = || {
        Failure::usage(
            format!("{flag} {} is neither a duration nor a time", clean(text)),
            "write `7d`, `12h`, `30m`, or a time such as `2026-11-01T00:00:00Z`",
        )
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let span = match days {
        Some(days) if (0..=36_500).contains(&days) => SignedDuration::from_hours(days * 24),
        Some(_) => return Err(wrong()),
        None => text.parse::<SignedDuration>().map_err(|_| wrong())?,
    };
    now.checked_sub(span).map_err(|_| wrong())
}

fn text(shown: &Shown) -> String {
    let (since, until) = (moment(shown.since), moment(shown.until));
    if shown.insights.total.attempts == 0 {
        return format!("no attempt began between {since} and {until}\n");
    }
    let mut table = Table::new(&[
        "", "jobs", "attempts", "failed", "lost", "wall", "median", "cpu", "tokens", "cost", "lines",
    ]);
    for group in &shown.insights.groups {
        table.row(row(&clean(&group.name), &group.insight, style::PLAIN));
    }
    table.row(row("all", &shown.insights.total, style::HEAD));
    format!("{since} to {until}\n{}", table.text())
}

fn row(name: &str, insight: &Insight, style: anstyle::Style) -> Vec<Cell> {
    let span = |ms: u64| span_words(SignedDuration::from_millis(ms as i64));
    vec![
        Cell::new(name, style),
        insight.jobs.to_string().into(),
        insight.attempts.to_string().into(),
        insight.failed.to_string().into(),
        insight.lost.to_string().into(),
        span(insight.wall_ms.total).into(),
        insight.wall_ms.median.map(span).unwrap_or_default().into(),
        span(insight.cpu_ms.total).into(),
        format!("{} in, {} out", amount(insight.tokens_in.total), amount(insight.tokens_out.total)).into(),
        format!("${:.2}", insight.cost_usd).into(),
        format!("+{} -{}", insight.lines_added, insight.lines_removed).into(),
    ]
}

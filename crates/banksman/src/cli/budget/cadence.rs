//! `budget cadence`: when the daily runs are due, and one of them by hand (B13). `serve` runs them by itself.

use super::Desk;
use crate::{
    app::App,
    cadence::{Report, run_once, schedules},
    clock::now,
    host::block_on,
    output::{Cell, Exit, Table, moment, style},
};
use banksman_core::{
    budget::cadence::Cadence,
    port::{Budget, budget::ScheduledRun},
};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

/// Show when the daily runs are due, or run one now.
#[derive(Debug, Args)]
#[command(
    after_help = "The times stand in the configuration: cadence.morning, cadence.midday, cadence.evening (such as \"08:00\") and \
cadence.zone; a run without a time is off. `serve` runs each slot once, whatever is restarted; what was missed while nothing ran is run at \
the next start. Reports are written to HOME/reports."
)]
pub(super) struct CadenceArgs {
    /// Run this one now, beside its schedule.
    #[arg(long, value_enum, value_name = "RUN")]
    now: Option<Run>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Run {
    /// Tick, unstick, plan.
    Morning,
    /// Conflicts and pacing.
    Midday,
    /// Report and forecast.
    Evening,
}

/// A schedule, for scripts.
#[derive(Serialize)]
struct Line {
    run: Cadence,
    at: Option<String>,
    zone: String,
    next: Option<Timestamp>,
    last: Option<ScheduledRun>,
}

pub(super) fn run(args: &CadenceArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    match args.now {
        Some(run) => {
            let run = match run {
                Run::Morning => Cadence::Morning,
                Run::Midday => Cadence::Midday,
                Run::Evening => Cadence::Evening,
            };
            let report = block_on(run_once(&desk, run, now()))?;
            app.page.write(&report, Report::text)?;
        }
        None => show(&desk, app)?,
    }
    Ok(Exit::Success)
}

fn show(desk: &Desk, app: &App) -> anyhow::Result<()> {
    let now = now();
    let schedules = schedules(&desk.settings, &desk.team);
    let lines = desk.with_store(|store| async move {
        let mut lines = Vec::new();
        for run in Cadence::ALL {
            let schedule = schedules.iter().find(|schedule| schedule.run == run);
            lines.push(Line {
                run,
                at: schedule.map(|s| s.at.strftime("%H:%M").to_string()),
                zone: schedule.map_or_else(|| desk.team.day.zone.to_string(), |s| s.zone.to_string()),
                next: schedule.map(|s| s.next(now)),
                last: store.last_run(&run.name()).await?,
            });
        }
        Ok(lines)
    })?;
    app.page.write(&lines, |lines| {
        let mut table = Table::new(&["run", "at", "next", "last slot", "ended"]);
        for line in lines {
            let off = Cell::new("off", style::DIM);
            table.row([
                Cell::new(line.run.word(), style::HEAD),
                line.at.as_ref().map_or(off, |at| format!("{at} {}", line.zone).into()),
                line.next.map(moment).unwrap_or_default().into(),
                line.last.as_ref().map(|run| moment(run.slot)).unwrap_or_default().into(),
                match &line.last {
                    Some(run) => match run.ended_at {
                        Some(at) => moment(at).into(),
                        None => Cell::new("runs, or was cut off", style::WARN),
                    },
                    None => Cell::from(""),
                },
            ]);
        }
        table.text()
    })
}

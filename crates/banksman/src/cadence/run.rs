//! What each run does. Ticking, unsticking and conflicts are the work of the repositories' loops, which look at all of them now; what is done here
//! is the plan, the pace and the report.

use super::report::{Report, save};
use crate::{
    cli::budget::{Desk, days, looked, plan_of, record, shares, stands_of},
    clock::now,
};
use banksman_core::{
    budget::{
        cadence::Cadence,
        forecast::{Options, forecast},
        plan::CAP_PERCENT,
        triggers::{ready, suggestions},
    },
    port::Budget as _,
};
use jiff::Timestamp;

/// Days of the history in the report of the evening.
const DAYS: u16 = 7;

/// Runs one of the day and writes its report into the home. Doing it twice makes the same plan and the same report, brought up to date.
pub(crate) async fn run_once(desk: &Desk, run: Cadence, slot: Timestamp) -> anyhow::Result<Report> {
    let seen = looked(desk).await?;
    let store = &seen.host.shared.store;
    let stands = stands_of(&seen, store).await?;
    let mut report = Report {
        run,
        slot,
        at: now(),
        ready: ready(&stands),
        suggestions: suggestions(&stands),
        plan: None,
        in_force: false,
        days: Vec::new(),
        forecast: None,
        not_looked_at: seen.missing.clone(),
    };
    match run {
        // At midday the pace of the day so far makes the rest of it faster or slower.
        Cadence::Morning | Cadence::Midday => {
            let keys = &desk.settings.cadence;
            let plan = plan_of(&desk.team, &seen, store, keys.strategy, CAP_PERCENT).await?;
            report.in_force = keys.auto;
            if keys.auto {
                let date = desk.team.plan_day(report.at).date;
                store.set_allocation(date, &shares(&plan), report.at).await?;
            }
            report.plan = Some(plan);
        }
        Cadence::Evening => {
            report.days = days(desk, store, report.at, DAYS).await?;
            report.forecast = Some(forecast(&record(desk, &seen, store).await?, &Options::default()));
        }
    }
    save(&report, desk)?;
    Ok(report)
}

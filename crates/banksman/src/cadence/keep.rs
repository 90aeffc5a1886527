//! The loop of `serve`: runs what is due, once, as the books say.

use super::{run_once, schedules};
use crate::{cli::budget::Desk, clock::now, config::Settings, host::Host};
use banksman_core::{
    budget::cadence::Schedule,
    port::{Budget as _, StoreError},
};
use banksman_orchestrator::take_due;
use std::{future::Future, time::Duration};

/// How often the clock is looked at. A clock that was set is noticed as late as that.
const LOOK: Duration = Duration::from_secs(20);

/// Runs the cadence until `end` is there. A run that fails is told in its report's place in the log and is not tried again; trouble of the
/// store that passes is waited out.
pub(crate) async fn keep(
    host: &Host,
    settings: &Settings,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    tokio::select! {
        never = forever(host, settings) => never,
        () = end => Ok(()),
    }
}

async fn forever(host: &Host, settings: &Settings) -> anyhow::Result<()> {
    loop {
        let desk = Desk::of(settings.clone())?;
        for schedule in schedules(settings, &desk.team) {
            if let Err(error) = look(host, &desk, &schedule).await {
                tracing::warn!(run = schedule.run.word(), %error, "a run of the cadence did not succeed");
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Runs a schedule if it is due.
async fn look(host: &Host, desk: &Desk, schedule: &Schedule) -> anyhow::Result<()> {
    let (store, holder) = (&host.shared.store, host.holder("cadence"));
    let Some(slot) = take_due(store, schedule, &holder, now()).await? else { return Ok(()) };
    tracing::info!(run = schedule.run.word(), %slot, "a run of the cadence begins");
    // The loops of the repositories tick, unstick and resolve conflicts: they are to look now.
    for hosted in &host.hosted {
        host.shared.bells.ring(&hosted.repo);
    }
    let ran = run_once(desk, schedule.run, slot).await;
    match store.end_run(&schedule.run.name(), slot, &holder, now()).await {
        // It took so long that another process began it anew.
        Ok(()) | Err(StoreError::Fenced) => {}
        Err(error) => return Err(error.into()),
    }
    ran.map(drop)
}

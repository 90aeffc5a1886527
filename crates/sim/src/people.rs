//! People and misfortunes of a yard: jobs are added, cancelled and repeated; workers are told to stop, are cut off from the store, or
//! stand still.

use crate::{
    executor::{MINUTE, Micros, NATURE, Process, SECOND, held, stamp},
    nature::later,
    plan::{LOOK, PATIENCE},
    process::{self, Role},
    violation::Invariant,
    world::Shared,
    yard::Yard,
};
use banksman_core::{
    id::JobId,
    job::Stage,
    port::{Added, Retried},
    text::Holder,
};
use std::sync::Arc;

fn person() -> Holder {
    #[expect(clippy::expect_used, reason = "a constant word")]
    Holder::new("person").expect("a valid holder")
}

/// Plans everything that happens in a yard by itself, and starts its workers.
pub(crate) fn populate(shared: &Arc<Shared>, yard: &Yard) {
    for (at, errand) in yard.errands.clone() {
        let twice = shared.kernel.draw(|c| c.below(4) == 0);
        later(shared, at, move |shared| {
            let first = add(shared, &errand);
            // Somebody who was not told whether it worked tries again.
            if let (true, Some(Added::New(id)), true) = (twice, first, errand.has_key()) {
                let again = add(shared, &errand);
                let newest = shared.with(|u| u.newest_id(id));
                if again != Some(Added::Exists(newest)) {
                    let what = format!("job {id} was added again as {again:?}");
                    shared.with(|u| u.violated(Invariant::NothingLost, what));
                }
            }
        });
    }
    for at in yard.cancels.clone() {
        later(shared, at, cancel_one);
    }
    for at in yard.retries.clone() {
        later(shared, at, retry_one);
    }
    for at in yard.drains.clone() {
        later(shared, at, |shared| {
            if let Some(process) = worker(shared) {
                drain(shared, process);
            }
        });
    }
    for (at, time) in yard.cuts.clone() {
        later(shared, at, move |shared| {
            if let Some(process) = worker(shared) {
                shared.note(process, "cut off", time as u64, || format!("for {} s", time / SECOND));
                shared.with(|u| u.see("cut off"));
                let until = shared.kernel.now() + time;
                shared.life(process, |life| life.cut_until = life.cut_until.max(until));
            }
        });
    }
    for (at, time) in yard.freezes.clone() {
        later(shared, at, move |shared| {
            if let Some(process) = worker(shared) {
                freeze(shared, process, time);
            }
        });
    }
    for (at, host, by) in yard.jumps.clone() {
        later(shared, at, move |shared| {
            shared.note(NATURE, "clock jumps", by.unsigned_abs(), || {
                format!("host {host} by {} s", by / SECOND)
            });
            shared.with(|u| {
                u.see("clock jumps");
                u.model.clocks_lie = true;
            });
            *held(&shared.skews).entry(host).or_default() += by;
        });
    }
    held(&shared.skews)
        .extend(yard.skews.iter().copied().enumerate().map(|(host, skew)| (host as u32, skew)));
    for (n, room) in (0..).zip(&yard.rooms) {
        process::start(shared, Role::Worker { room: n }, room.host);
    }
}

fn add(shared: &Arc<Shared>, errand: &crate::yard::Errand) -> Option<Added> {
    let now = stamp(shared.kernel.now());
    let added = shared.with(|u| {
        let added = u.add(vec![errand.job()], &person(), now);
        u.see(match &added {
            Ok(_) => "job added",
            Err(_) => "job refused",
        });
        added.ok().and_then(|added| added.first().copied())
    });
    shared.note(NATURE, "add", added.map_or(0, |added| added.id().0), || format!("{added:?}"));
    shared.changed(None);
    added
}

/// Some job in one of these stages.
fn some_job(shared: &Shared, wanted: impl Fn(Stage) -> bool) -> Option<JobId> {
    let lot = shared.kernel.draw(|c| c.below(u64::MAX));
    shared.with(|u| {
        let jobs = u.store.rows().iter().map(|row| &row.job);
        let found: Vec<JobId> = jobs.filter(|job| wanted(job.state.stage())).map(|job| job.id).collect();
        (!found.is_empty()).then(|| found[(lot % found.len().max(1) as u64) as usize])
    })
}

fn cancel_one(shared: &Arc<Shared>) {
    // Running ones are the ones worth cancelling.
    let running = shared.kernel.draw(|c| c.below(3) > 0);
    let wanted = move |stage: Stage| !stage.is_final() && (!running || stage != Stage::Inbox);
    if let Some(job) = some_job(shared, wanted) {
        cancel(shared, job);
    }
}

fn cancel(shared: &Arc<Shared>, job: JobId) {
    let now = stamp(shared.kernel.now());
    let answer = shared.with(|u| {
        u.see("job cancelled");
        u.cancel(job, &person(), now)
    });
    shared.note(NATURE, "cancel", job.0, || format!("job {job}: {answer:?}"));
    shared.changed(None);
}

fn retry_one(shared: &Arc<Shared>) {
    let ended = |stage| matches!(stage, Stage::Failed | Stage::Cancelled);
    let Some(job) = some_job(shared, ended) else { return };
    let now = stamp(shared.kernel.now());
    let answer = shared.with(|u| u.retry(job, &person(), now));
    if matches!(answer, Ok(Retried::As(_))) {
        shared.with(|u| u.see("job repeated"));
    }
    shared.note(NATURE, "retry", job.0, || format!("job {job}: {answer:?}"));
    shared.changed(None);
}

/// A worker that lives.
fn worker(shared: &Shared) -> Option<Process> {
    let alive: Vec<Process> =
        (1..held(&shared.lives).len() as u32).map(Process).filter(|p| shared.kernel.alive(*p)).collect();
    (!alive.is_empty()).then(|| shared.kernel.draw(|c| *c.pick(&alive)))
}

/// Tells a worker to stop, and sometimes, when that takes too long, a second time.
fn drain(shared: &Arc<Shared>, process: Process) {
    let Some(stop) = shared.life(process, |life| life.stop.clone()) else { return };
    shared.note(process, "drain", 0, String::new);
    shared.with(|u| u.see("drain"));
    stop.stop();
    let impatient = shared.kernel.draw(|c| (c.below(3) == 0).then(|| c.time(0, 12 * SECOND)));
    if let Some(pause) = impatient {
        later(shared, pause, move |_| stop.stop());
    }
}

fn freeze(shared: &Arc<Shared>, process: Process, time: Micros) {
    let until = shared.kernel.now() + time;
    shared.note(process, "freeze", time as u64, || format!("for {} s", time / SECOND));
    shared.kernel.freeze(process, until);
    shared.with(|u| {
        u.see("freeze");
        let end = u.model.frozen.entry(process).or_insert(until);
        *end = until.max(*end);
    });
}

/// Ends the world when every job has ended and nothing is left, or when that should have been long ago.
pub(crate) async fn close(shared: Arc<Shared>) {
    let over = shared.plan.busy.max(shared.plan.faults.until);
    shared.kernel.sleep_until(over + SECOND).await;
    shared.with(|u| u.check_store_text());
    // Somebody sets the clocks right: leases of hosts whose clocks differ for ever would be taken away for ever.
    held(&shared.skews).clear();
    loop {
        shared.kernel.sleep(LOOK.min(MINUTE)).await;
        // What waits for a key that nobody will ever have is given up by people.
        let hopeless = shared.with(|u| u.waits_in_vain());
        if let Some(job) = hopeless {
            cancel(&shared, job);
            continue;
        }
        let quiet = shared.with(|u| u.agenda == 0 && u.jobs_are_over());
        if quiet {
            shared.kernel.stop();
        } else if shared.kernel.now() > over + PATIENCE {
            shared.with(|u| {
                u.violated(Invariant::Ends, "jobs that do not end".to_owned());
                u.check_jobs_end();
            });
            shared.kernel.stop();
        }
    }
}

//! Processes: orchestrators that do intake and look, workers that run attempts. They die, and are started again as somebody new.

use crate::{
    executor::{HOUR, MINUTE, Micros, NATURE, Process, SECOND, held},
    forge::town::OWNER,
    nature,
    plan::{RepoPlan, extension},
    referee::place_of,
    world::{Shared, SimWorld},
};
use banksman_core::{
    id::Number,
    intent::AGENTIC,
    port::{Clock, Hosts, Life as HolderLife, Store, World},
    repo::RepoRules,
    signals::TitleKind,
    text::Holder,
};
use banksman_orchestrator::{Orchestrator, Outlook, Stop, Trouble, Until, Worker, WorkerSetup};
use std::sync::Arc;

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Looks at repositories; the first one also makes issues and epics.
    Orchestrator { first: bool },
    /// Runs attempts, in a room of the plan.
    Worker { room: u32 },
}

/// One life of a process.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    role: Role,
    /// Processes of one host know of each other's death.
    pub(crate) host: u32,
    /// It cannot reach the store until then.
    pub(crate) cut_until: Micros,
    /// Tells it to stop.
    pub(crate) stop: Stop,
}

/// Starts a process.
pub(crate) fn start(shared: &Arc<Shared>, role: Role, host: u32) {
    let (process, stop) = (shared.kernel.bear(), Stop::default());
    {
        let mut lives = held(&shared.lives);
        lives.resize(process.0 as usize + 1, None);
        lives[process.0 as usize] = Some(Life { role, host, cut_until: 0, stop: stop.clone() });
    }
    shared.note(process, "begin", 0, || format!("{role:?} on host {host}"));
    let inside = Arc::clone(shared);
    shared.kernel.spawn(process, async move {
        match live(&inside, process, role, host, stop).await {
            Err(trouble) => inside.note(process, "trouble", 0, || format!("{trouble:?}")),
            Ok(()) => inside.note(process, "end", 0, String::new),
        }
        // As a supervisor would: it ended and is started again.
        crash(&inside, process);
    });
}

/// Ends a process where it is, and starts another one later.
pub(crate) fn crash(shared: &Arc<Shared>, process: Process) {
    let Some(life) = held(&shared.lives).get(process.0 as usize).cloned().flatten() else { return };
    if !shared.kernel.alive(process) {
        return;
    }
    shared.kernel.kill(process);
    shared.with(|u| {
        u.tally.crashes += 1;
        u.model.dead.insert(process);
    });
    let pause = shared
        .kernel
        .draw(|c| if c.below(4) == 0 { c.time(MINUTE, 10 * MINUTE) } else { c.time(SECOND, 20 * SECOND) });
    nature::later(shared, pause, move |shared| start(shared, life.role, life.host));
}

/// Kills a random process now and then, wherever it is, while there are faults.
pub(crate) async fn kill_now_and_then(shared: Arc<Shared>) {
    let faults = shared.plan.faults;
    if faults.kill_every == 0 {
        return;
    }
    loop {
        let pause = shared.kernel.draw(|c| c.around(faults.kill_every));
        shared.kernel.sleep(pause).await;
        if shared.kernel.now() >= faults.until {
            return;
        }
        let alive: Vec<Process> =
            (1..held(&shared.lives).len() as u32).map(Process).filter(|p| shared.kernel.alive(*p)).collect();
        if !alive.is_empty() {
            let victim = shared.kernel.draw(|c| *c.pick(&alive));
            shared.note(victim, "kill", 0, String::new);
            crash(&shared, victim);
        }
    }
}

fn holder(process: Process, host: u32) -> Holder {
    #[expect(clippy::expect_used, reason = "two numbers and two words are a holder's name")]
    Holder::new(&format!("host-{host}/{}", process.0)).expect("a valid holder")
}

/// What one host knows of the processes of holders.
struct SimHosts {
    shared: Arc<Shared>,
    host: u32,
}

impl Hosts for SimHosts {
    fn life(&self, holder: &Holder) -> HolderLife {
        match place_of(holder) {
            Some((host, process)) if host == self.host => {
                if self.shared.kernel.alive(process) {
                    HolderLife::Alive
                } else {
                    HolderLife::Gone
                }
            }
            _ => HolderLife::Elsewhere,
        }
    }
}

/// What a process does first: what dead ones left on its host is cleared away.
fn recover(shared: &Shared, host: u32) {
    shared.with(|u| {
        for attempt in u.log.leftovers(host, |worker| !shared.kernel.alive(worker)) {
            u.log.clear(attempt);
        }
    });
}

async fn live(
    shared: &Arc<Shared>,
    process: Process,
    role: Role,
    host: u32,
    stop: Stop,
) -> Result<(), Trouble> {
    let world = SimWorld::new(shared, process);
    let holder = holder(process, host);
    let hosts = Arc::new(SimHosts { shared: Arc::clone(shared), host });
    let now = world.clock().now();
    recover(shared, host);
    world.store().break_leases(&|h| hosts.life(h) == HolderLife::Gone, now).await?;
    let rules: Vec<RepoRules> = shared.plan.repos.iter().map(|r| r.rules.clone()).collect();
    match role {
        Role::Worker { room } => {
            let setup = shared.plan.room(room, WorkerSetup::new(holder, hosts), rules);
            Worker::new(world, setup).run(&stop).await
        }
        Role::Orchestrator { first } => {
            let orchestrator = Orchestrator::new(world.clone(), holder);
            if first {
                for repo in &shared.plan.repos {
                    intake(shared, &orchestrator, repo).await?;
                }
            }
            loop {
                let began = shared.kernel.now();
                let outlooks = orchestrator.run(&rules, Until::Settled, &stop).await?;
                let over = outlooks.iter().all(|o| matches!(o, Outlook::Done | Outlook::NeedsPeople(_)));
                let now = shared.kernel.now();
                shared.note(process, "settled", over.into(), || format!("{outlooks:?}"));
                if over {
                    shared.with(|u| {
                        for rules in &rules {
                            u.settled.insert(rules.repo.clone(), began);
                        }
                    });
                    // What changed during the look may not have been seen by it.
                    if began < shared.last_change() {
                        continue;
                    }
                }
                let next = if over { 12 * HOUR } else { HOUR };
                world.clock().changed(crate::executor::stamp(now + next)).await;
            }
        }
    }
}

/// Stages 1 and 2 as `onboard` does them: again and again until they are through.
async fn intake(
    shared: &Arc<Shared>,
    orchestrator: &Orchestrator<SimWorld>,
    repo: &RepoPlan,
) -> Result<(), Trouble> {
    loop {
        match try_intake(shared, orchestrator, repo).await {
            Ok(()) => return Ok(()),
            Err(trouble) if trouble.passes() => {
                shared.note(NATURE, "intake again", 0, || format!("{trouble:?}"));
                let until = shared.kernel.now() + 5 * SECOND;
                orchestrator.world().clock().sleep_until(crate::executor::stamp(until)).await;
            }
            Err(trouble) => return Err(trouble),
        }
    }
}

async fn try_intake(
    shared: &Arc<Shared>,
    orchestrator: &Orchestrator<SimWorld>,
    repo: &RepoPlan,
) -> Result<(), Trouble> {
    let created: Vec<Number> = orchestrator
        .create_issues(&repo.rules, &repo.orders, repo)
        .await?
        .into_iter()
        .map(|(_, number)| number)
        .collect();
    let (audit, features) = shared.with(|u| {
        let Some(town) = u.towns.get(&repo.name) else { return (None, Vec::new()) };
        let of_kind = |kind: TitleKind| -> Vec<Number> {
            let own = town.issues.iter().filter(|(_, i)| i.author == OWNER);
            own.filter(|(n, _)| town.facts(**n).is_some_and(|f| f.title.kind == Some(kind)))
                .map(|(n, _)| *n)
                .collect()
        };
        (of_kind(TitleKind::Audit).first().copied(), of_kind(TitleKind::Feat))
    });
    let late = created.last().copied().filter(|_| repo.extends);
    let now = created.len() - usize::from(late.is_some());
    orchestrator.create_epics(&repo.rules, &repo.epics(&created[..now], &features)).await?;
    if let Some(late) = late {
        let open = shared.with(|u| {
            let town = u.towns.get(&repo.name)?;
            let epics = town.issues.iter().filter(|(n, i)| i.open && town.has_label(**n, AGENTIC));
            epics.map(|(n, _)| *n).next()
        });
        if let Some(epic) = open {
            orchestrator.create_epics(&repo.rules, &extension(epic, late)).await?;
        }
    }
    if let Some(audit) = audit {
        orchestrator.close_audit(&repo.rules, audit, &created).await?;
    }
    Ok(())
}

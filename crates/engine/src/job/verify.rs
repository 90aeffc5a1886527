//! The commands of `verify`, where the work was done, one after the other until one fails.

use super::{
    Attempt, clone,
    findings::{Findings, write_output},
};
use crate::{
    check::shell,
    definition::Network,
    halt::Halt,
    host::EngineHost,
    launch::{Budget, Input},
    room::{self, Clone},
    session::{Start, What, settle, start_in},
    usage::UsageFormat,
};
use banksman_core::{
    port::{JobOrder, StepResult},
    work::FailReason,
};

pub(super) async fn verify(
    host: &EngineHost,
    order: &JobOrder,
    attempt: &mut Attempt,
) -> Result<StepResult, Halt> {
    let level = host.sandbox.level()?;
    for command in &order.spec.verify {
        let timeout = attempt.time_left(order)?;
        let mut log = attempt.take_log(host, order).await?;
        log.write(b"\n[banksman: verify]\n");
        let site = attempt.site()?;
        let workspace = site.workspace()?;
        let (folder, below) = site.paths();
        let mut setup = clone::setup(host, site.cloned());
        // Whoever lets the engine reach the network lets it run these commands there too.
        let reaches = host.config.engines.get(&order.engine).map(|engine| engine.network);
        if reaches == Some(Network::Host) {
            setup.check_network = Network::Host;
        }
        let at = room::Site { folder: &folder, below: &below, clone: Clone::Writable };
        let room = room::room_at(host, &setup, workspace, None, at);
        let allowed = order.spec.env.iter().map(|name| name.as_str());
        let start = Start {
            name: workspace.name(),
            what: What::Program(shell(command)),
            env: room::environment(host, site.home(), level, allowed, &[("CI", "true".into())]),
            room: &room,
            input: Input::Empty,
            timeout,
            budget: Budget::default(),
            log,
            record: workspace.record(),
            usage: UsageFormat::None,
        };
        let launched = start_in(host, level, start, host.stops.of(order.attempt)).await?;
        let said = launched.recent.text();
        // How the engine ended stays what is told of the attempt.
        let of_engine = (attempt.measured.exit_code, attempt.measured.signal);
        let (log, ended) = settle(&mut attempt.measured, launched, (host.config.now)());
        (attempt.measured.exit_code, attempt.measured.signal) = of_engine;
        attempt.log = Some(log);
        match ended {
            Ok(()) => {}
            Err(Halt::Failed(FailReason::ExitCode | FailReason::Signal)) => {
                write_output(attempt.site()?.workspace()?, command, &said).await?;
                attempt.findings = Some(Findings::Refuted);
                return Ok(StepResult::Refuted);
            }
            Err(halt) => return Err(halt),
        }
    }
    Ok(StepResult::Verified)
}

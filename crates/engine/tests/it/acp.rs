//! Engines that speak the Agent Client Protocol, with an agent that is a real program (`examples/acp_agent.rs`).

use crate::{
    processes::{peak_memory, until},
    world::{BOTH, CANARY, Kept, World, processes},
};
use banksman_core::{
    port::{Engine, EngineError, Report, ReportResult},
    text::EngineName,
    work::FailReason,
};
use banksman_engine::{PromptVia, Unattended, UsageFormat};
use std::{path::PathBuf, time::Instant};

/// The agent, which is built together with the tests.
fn agent() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let agent = tests.parent().unwrap().with_file_name("examples").join("acp_agent");
    assert!(agent.is_file(), "{} is missing: build the examples", agent.display());
    agent
}

/// A world whose engine is the agent that behaves like this; without a sandbox it acts alone only if the host says so.
async fn world(kept: Kept, how: &str, unattended: Unattended) -> Option<World> {
    World::with(kept, "true", &|config| {
        let engine = config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap();
        engine.program = agent();
        engine.args = vec![how.into()];
        engine.prompt = PromptVia::Acp;
        engine.usage = UsageFormat::Acp;
        engine.unattended = unattended;
    })
    .await
}

/// Runs the agent on an issue.
async fn run(world: &World) -> Report {
    let report = world.run(&world.implement()).await.unwrap();
    assert_eq!(world.leftovers(), Vec::<PathBuf>::new(), "the workspace is gone");
    report
}

fn published(world: &World, report: &Report) {
    assert!(matches!(report.result, ReportResult::Published { .. }), "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_may_do_what_it_asks_for_does_it() {
    for kept in BOTH {
        let Some(world) = world(kept, "write", Unattended::Always).await else { continue };
        let report = run(&world).await;
        published(&world, &report);
        let made = world.git(&["show", "agent/7:made.txt"]);
        assert!(made.contains("TASK.md"), "the prompt was passed on: {made}");
        let usage = &report.measured.usage;
        assert_eq!((usage.turns, usage.cost_usd), (Some(1), Some(0.045)));
        assert_eq!(usage.session.as_ref().unwrap().as_str(), "session-1");
        assert_eq!((report.measured.exit_code, report.measured.signal), (Some(0), None));
        assert!(world.log().contains("agent_message_chunk") && !world.log().contains(CANARY));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_may_not_is_refused() {
    for kept in BOTH {
        let Some(world) = world(kept, "write", Unattended::Never).await else { continue };
        assert_eq!(world.fails(&world.implement()).await, FailReason::NoCommit);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_neither_files_nor_endless_patience_of_ours() {
    for (how, said) in [("read", "reading was refused"), ("ask", "agent_message_chunk")] {
        let Some(world) = world(Kept::Sandboxed, how, Unattended::Sandboxed).await else { continue };
        let report = run(&world).await;
        published(&world, &report);
        assert!(world.log().contains(said), "{}", world.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_end_its_turn_well_fails_and_the_log_says_why() {
    for (how, code, why) in [
        ("refuse", 1, "refused to go on"),
        ("fail", 1, "answered with an error"),
        ("login", 1, "wants a login"),
        ("die", 3, "went away without an answer"),
    ] {
        let Some(world) = world(Kept::Sandboxed, how, Unattended::Sandboxed).await else { continue };
        let report = run(&world).await;
        assert!(matches!(report.result, ReportResult::Failed { reason: FailReason::ExitCode }), "{how}");
        assert_eq!(report.measured.exit_code, Some(code), "{how}");
        assert!(world.log().contains(why), "{how}: {}", world.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_speak_the_protocol_fails() {
    for script in ["echo hello; echo '{\"id\":7}'; echo '[1,2'", "exec cat", "exec 1>&-; sleep 1"] {
        let made = World::with(Kept::Sandboxed, script, &|config| {
            let engine = config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap();
            engine.prompt = PromptVia::Acp;
        });
        let Some(world) = made.await else { continue };
        assert_eq!(world.fails(&world.implement()).await, FailReason::ExitCode, "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_leave_is_ended_and_its_work_counts() {
    for kept in BOTH {
        let Some(world) = world(kept, "stay", Unattended::Always).await else { continue };
        let report = run(&world).await;
        published(&world, &report);
        assert_eq!((report.measured.exit_code, report.measured.signal), (Some(0), None));
        assert_eq!(processes(world.path("user").to_str().unwrap()), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_that_it_is_cancelled_before_it_is_ended() {
    for (how, said) in [("hang", "was cancelled"), ("deaf", "turn was cancelled")] {
        let Some(world) = world(Kept::Sandboxed, how, Unattended::Sandboxed).await else { continue };
        let order = world.implement();
        let began = Instant::now();
        let stop = async {
            until(|| world.log().contains("prompted")).await;
            world.host.end(order.attempt);
        };
        let (ended, ()) = tokio::join!(world.run(&order), stop);
        assert!(matches!(ended, Err(EngineError::Interrupted)), "{how}");
        assert!(world.log().contains(said), "{how}: {}", world.log());
        assert!(began.elapsed().as_secs() < 20, "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_floods_us_costs_no_memory() {
    let Some(world) = world(Kept::Sandboxed, "flood", Unattended::Sandboxed).await else { return };
    let before = peak_memory();
    let report = run(&world).await;
    published(&world, &report);
    let grown = peak_memory().saturating_sub(before);
    assert!(grown < 32 << 10, "memory grew by {grown} KiB");
}

//! What the agents do when they are let, and when they are not.

use crate::{
    agent::{ALL, Agent},
    kit::{BODY, Kit, Yolo},
    model::{MADE, Script},
    world::{BOTH, Kept, git},
};
use banksman_core::{
    job::Outcome,
    port::{ReportResult, Step, StepResult},
    text::EngineName,
    work::{FailReason, SandboxLevel, Usage},
};

#[tokio::test(flavor = "multi_thread")]
async fn codex_does_a_job() {
    does_a_job(Agent::Codex).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_does_a_job() {
    does_a_job(Agent::Gemini).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opencode_does_a_job() {
    does_a_job(Agent::Opencode).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_does_a_job_over_the_agent_client_protocol() {
    does_a_job(Agent::GeminiAcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opencode_does_a_job_over_the_agent_client_protocol() {
    does_a_job(Agent::OpencodeAcp).await;
}

async fn does_a_job(agent: Agent) {
    for kept in BOTH {
        let Some(kit) = Kit::new(kept, agent, Script::Work).await else { continue };
        let order = kit.order(Yolo::Yes);
        let (built, measured) = kit.build(&order).await;
        assert_eq!(built, StepResult::Built, "{agent:?} {kept:?}\n{}", kit.world.log());
        let landed = kit.step(&order, Step::Land).await.result;
        let StepResult::Landed(Outcome::Published { sha, .. }) = landed else { panic!("{landed:?}") };
        let show = format!("{sha}:made.txt");
        assert_eq!(git(&kit.world.path("seed"), &["show", &show]), MADE);
        assert!(kit.model.was_told(BODY), "{agent:?} passes the instructions on as they are");
        assert!(kit.world.log().contains(agent.evidence()), "{}", kit.world.log());
        let level = match kept {
            Kept::Sandboxed => SandboxLevel::Bubblewrap,
            Kept::Unconfined => SandboxLevel::Off,
        };
        assert_eq!((measured.sandbox, measured.exit_code), (Some(level), Some(0)), "{agent:?}");
        assert_eq!((measured.files, measured.added), (Some(1), Some(1)));
        check(agent, &measured.usage);
        banksman_core::port::Engine::leave(&kit.world.host, order.attempt).await;
        assert!(kit.world.leftovers().is_empty());
    }
}

/// Two answers of the model, each of which took the same.
fn check(agent: Agent, usage: &Usage) {
    let (tokens, turns, cost) = match agent {
        Agent::Codex => ((Some(200), Some(80), Some(14)), 1, None),
        Agent::Gemini => ((Some(200), Some(80), Some(14)), 2, None),
        Agent::Opencode => ((Some(200), Some(80), Some(14)), 2, Some(0.000_188)),
        // It counts no thoughts there and says nothing of the cache.
        Agent::GeminiAcp => ((Some(200), None, Some(10)), 1, None),
        // It tells of the last answer only.
        Agent::OpencodeAcp => ((Some(100), Some(40), Some(7)), 1, Some(0.000_188)),
    };
    assert_eq!((usage.tokens_in, usage.tokens_cached, usage.tokens_out), tokens, "{agent:?}");
    assert_eq!((usage.turns, usage.cost_usd), (Some(turns), cost), "{agent:?}");
    assert!(usage.session.is_some(), "{agent:?}");
    let model = usage.model.as_ref().unwrap();
    assert!([agent.model(), "scripted-1"].contains(&model.as_str()), "{agent:?}: {model}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_may_not_act_alone_changes_nothing() {
    for agent in ALL {
        let Some(kit) = Kit::new(Kept::Sandboxed, agent, Script::Work).await else { continue };
        let (built, _) = kit.build(&kit.order(Yolo::No)).await;
        let nothing = [FailReason::NoCommit, FailReason::ExitCode].map(StepResult::Failed);
        assert!(nothing.contains(&built), "{agent:?}: {built:?}\n{}", kit.world.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_the_pipeline_is_done_as_well() {
    for agent in [Agent::Codex, Agent::GeminiAcp] {
        let Some(kit) = Kit::new(Kept::Sandboxed, agent, Script::Work).await else { continue };
        let mut order = kit.world.implement();
        order.engine = EngineName::new(agent.builtin()).unwrap();
        let report = kit.world.run(&order).await.unwrap();
        assert!(matches!(report.result, ReportResult::Published { .. }), "{agent:?}\n{}", kit.world.log());
        assert_eq!(kit.world.git(&["show", "agent/7:made.txt"]), MADE);
    }
}

//! What the agents do when their model's API refuses them (Q21).

use crate::{
    agent::Agent,
    kit::{Kit, Yolo},
    model::Script,
    world::Kept,
};
use banksman_core::port::StepResult;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Runs a job that is refused; gives when the quota resets, if it was said.
async fn refused(agent: Agent, body: Value) -> Option<Timestamp> {
    let kit =
        Kit::new(Kept::Sandboxed, agent, Script::Refuse { body, headers: "retry-after-ms: 10\r\n" }).await?;
    match kit.build(&kit.order(Yolo::Yes)).await.0 {
        StepResult::Limited { until, .. } => until,
        other => panic!("{agent:?}: {other:?}\n{}", kit.world.log()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_used_up_is_told_by_codex_with_its_reset() {
    let reset = Timestamp::now() + SignedDuration::from_hours(30);
    let body = json!({"error": {"type": "usage_limit_reached", "message": "used up", "plan_type": "plus",
        "resets_at": reset.as_second()}});
    if let Some(until) = refused(Agent::Codex, body).await {
        let off = until.duration_since(reset).abs();
        assert!(off <= SignedDuration::from_mins(1), "it tells the minute: {until} for {reset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_credit_is_told_by_codex() {
    let body =
        json!({"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "pay"}});
    assert_eq!(refused(Agent::Codex, body).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_the_day_is_told_by_gemini() {
    for agent in [Agent::Gemini, Agent::GeminiAcp] {
        let violation =
            json!({"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"});
        let details =
            json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}]);
        let body = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "used up", "details": details}});
        assert_eq!(refused(agent, body).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_too_long_for_gemini_is_told_with_its_end() {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7200s"}]);
    let body = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "used up", "details": details}});
    if let Some(until) = refused(Agent::Gemini, body).await {
        let pause = until.duration_since(Timestamp::now());
        assert!(pause > SignedDuration::from_mins(110) && pause < SignedDuration::from_mins(121), "{pause}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_credit_is_told_by_opencode_after_its_retries() {
    let body =
        json!({"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "pay"}});
    assert_eq!(refused(Agent::Opencode, body).await, None);
}

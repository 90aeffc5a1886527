//! Linear as a tracker, against answers in the shape of its published types (see `published`).

use crate::{
    scripted::{Answer, Asked, ScriptedServer},
    world::run_test,
};
use banksman_core::{
    port::tracker::{Fault, ItemFilter, ItemStatus, Misunderstanding, Tracker as _, TrackerError},
    text::ItemId,
};
use banksman_tracker::{AnyTracker, Kind, Secret, TrackerSettings};
use serde_json::{Value, json};

pub(crate) const ISSUE: &str = include_str!("fixtures/linear_issue.json");
pub(crate) const ISSUES: &str = include_str!("fixtures/linear_issues.json");
pub(crate) const SET: &str = r#"{ "data": { "issueUpdate": { "success": true } } }"#;
pub(crate) const SAID: &str = r#"{ "data": { "commentCreate": { "success": true } } }"#;

fn tracker(api: &str, team: Option<&str>) -> AnyTracker {
    let settings = TrackerSettings {
        kind: Kind::Linear { team: team.map(str::to_owned) },
        api: Some(api.into()),
        token: Secret::new("lin_api_canary".into()),
        ..TrackerSettings::default()
    };
    AnyTracker::open(&settings).unwrap()
}

fn id() -> ItemId {
    ItemId::new("ENG-12").unwrap()
}

fn ok(body: &str) -> Answer {
    Answer::Json(200, body.to_owned())
}

/// Every kind of call once; what was asked.
pub(crate) async fn all_calls() -> Vec<Asked> {
    let server =
        ScriptedServer::start([ok(ISSUE), ok(ISSUES), ok(ISSUE), ok(SET), ok(ISSUE), ok(SAID)]).await;
    let tracker = tracker(&server.api, Some("ENG"));
    tracker.item(&id()).await.unwrap();
    tracker.items(&ItemFilter { label: "ai".into() }, None).await.unwrap();
    tracker.set_status(&id(), ItemStatus::Done, None).await.unwrap();
    tracker.comment(&id(), &crate::published::comment()).await.unwrap();
    server.asked()
}

async fn error_of(answer: Answer) -> TrackerError {
    let server = ScriptedServer::start([answer]).await;
    tracker(&server.api, None).item(&id()).await.err().unwrap()
}

#[test]
fn an_issue_is_an_item() {
    run_test(async {
        let server = ScriptedServer::start([ok(ISSUE)]).await;
        let item = tracker(&server.api, None).item(&id()).await.unwrap();
        assert_eq!(item.title.structure(str::to_owned), "Login fails for long names");
        assert_eq!(item.description.as_str(), "Names over 64 characters are cut.");
        assert_eq!((item.status, item.labels), (Some(ItemStatus::Open), vec!["engine:claude".to_owned()]));
        // Personal keys stand bare.
        assert!(server.asked()[0].head.contains("authorization: lin_api_canary"));
    });
}

#[test]
fn a_label_selects_what_nobody_has_begun() {
    run_test(async {
        let asked = all_calls().await;
        let filter = json!({ "labels": { "name": { "eq": "ai" } }, "team": { "key": { "eq": "ENG" } },
            "state": { "type": { "in": ["triage", "backlog", "unstarted"] } } });
        assert_eq!(asked[1].body["variables"], json!({ "filter": filter, "after": null }));
    });
}

#[test]
fn the_first_fitting_state_of_the_team_is_set() {
    run_test(async {
        let (set, expected) = (
            [ItemStatus::InProgress, ItemStatus::Blocked, ItemStatus::Done],
            [
                "00000000-0000-4000-8000-000000000003",
                "00000000-0000-4000-8000-000000000005",
                "00000000-0000-4000-8000-000000000006",
            ],
        );
        for (status, state) in set.into_iter().zip(expected) {
            let server = ScriptedServer::start([ok(ISSUE), ok(SET)]).await;
            tracker(&server.api, None).set_status(&id(), status, None).await.unwrap();
            let asked = server.asked();
            assert_eq!(asked[1].body["variables"]["state"], json!(state), "{status:?}");
        }
    });
}

#[test]
fn an_issue_in_a_fitting_state_and_a_team_without_one_are_left_alone() {
    run_test(async {
        let mut begun: Value = serde_json::from_str(ISSUE).unwrap();
        begun["data"]["issue"]["state"] = json!({ "type": "started", "name": "In Review" });
        begun["data"]["issue"]["team"]["states"]["nodes"] = json!([]);
        for status in [ItemStatus::InProgress, ItemStatus::Blocked] {
            let server = ScriptedServer::start([ok(&begun.to_string())]).await;
            tracker(&server.api, None).set_status(&id(), status, None).await.unwrap();
            assert_eq!(server.asked().len(), 1);
        }
    });
}

#[test]
fn another_team_is_another_product() {
    run_test(async {
        let server = ScriptedServer::start([ok(ISSUE)]).await;
        let error = tracker(&server.api, Some("OPS")).item(&id()).await.err();
        assert_eq!(error, Some(TrackerError::WrongProduct(id())));
    });
}

#[test]
fn errors_of_graphql_are_told_apart() {
    run_test(async {
        let error = |status: u16, extensions: Value| {
            Answer::Json(
                status,
                json!({ "errors": [{ "message": "canary", "extensions": extensions }] }).to_string(),
            )
        };
        let missing = json!({ "code": "INPUT_ERROR", "type": "invalid input" });
        assert_eq!(error_of(error(400, missing.clone())).await, TrackerError::Missing(id()));
        assert_eq!(error_of(error(200, missing)).await, TrackerError::Missing(id()));
        let refused = json!({ "code": "AUTHENTICATION_ERROR", "type": "authentication error" });
        assert_eq!(error_of(error(400, refused)).await, TrackerError::Refused);
        assert_eq!(error_of(error(401, json!({}))).await, TrackerError::Refused);
        let limited = error_of(error(400, json!({ "code": "RATELIMITED", "type": "ratelimited" }))).await;
        assert_eq!(limited, TrackerError::Unavailable(Fault::Failed(429)));
        let empty = error_of(Answer::Json(200, "{\"data\":null}".into())).await;
        assert_eq!(empty, TrackerError::Invalid(Misunderstanding::Answer("it has no data")));
    });
}

#[test]
fn a_mutation_without_success_is_none() {
    run_test(async {
        let failed = SET.replace("true", "false");
        let server = ScriptedServer::start([ok(ISSUE), ok(&failed)]).await;
        let error = tracker(&server.api, None).set_status(&id(), ItemStatus::Done, None).await.err();
        assert_eq!(error, Some(TrackerError::Invalid(Misunderstanding::Rejected(400))));
    });
}

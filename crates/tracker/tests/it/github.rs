//! GitHub issues as a tracker, against answers in the shape that GitHub publishes (see `published`).

use crate::{
    scripted::{Answer, Asked, ScriptedServer},
    world::{TOKEN, run_test},
};
use banksman_core::{
    port::tracker::{ItemFilter, ItemStatus, Tracker as _, TrackerError},
    text::{ItemId, RepoName},
};
use banksman_tracker::{AnyTracker, Kind, Secret, TrackerSettings};
use serde_json::{Value, json};

pub(crate) const ISSUE: &str = include_str!("fixtures/github_issue.json");
pub(crate) const COMMENT: &str = include_str!("fixtures/github_comment.json");
pub(crate) const LABELS: &str = include_str!("fixtures/github_labels.json");

pub(crate) fn tracker(api: &str) -> AnyTracker {
    let kind = Kind::GitHub { repo: RepoName::new("octo-org/shop").unwrap() };
    let settings = TrackerSettings {
        kind,
        api: Some(api.into()),
        token: Secret::new(TOKEN.into()),
        ..TrackerSettings::default()
    };
    AnyTracker::open(&settings).unwrap()
}

pub(crate) fn id() -> ItemId {
    ItemId::new("12").unwrap()
}

pub(crate) fn ok(body: &str) -> Answer {
    Answer::Json(200, body.to_owned())
}

/// Every kind of call once, in this order; what was asked.
pub(crate) async fn all_calls() -> Vec<Asked> {
    let list = format!("[{ISSUE}]");
    let answers = [ok(ISSUE), ok(&list)]
        .into_iter()
        .chain([ok(ISSUE), ok(LABELS), ok(LABELS)])
        .chain([ok(ISSUE), ok(LABELS), ok(LABELS)])
        .chain([Answer::Json(201, COMMENT.to_owned())]);
    let server = ScriptedServer::start(answers).await;
    let tracker = tracker(&server.api);
    tracker.item(&id()).await.unwrap();
    tracker.items(&ItemFilter { label: "good first issue".into() }, None).await.unwrap();
    tracker.set_status(&id(), ItemStatus::InProgress, None).await.unwrap();
    tracker.set_status(&id(), ItemStatus::Done, None).await.unwrap();
    tracker.comment(&id(), &crate::published::comment()).await.unwrap();
    server.asked()
}

#[test]
fn an_issue_is_an_item() {
    run_test(async {
        let server = ScriptedServer::start([ok(ISSUE)]).await;
        let item = tracker(&server.api).item(&id()).await.unwrap();
        assert_eq!(item.title.structure(str::to_owned), "Login fails for long names");
        assert_eq!(item.description.as_str(), "Names over 64 characters are cut.\r\n");
        assert_eq!(
            (item.status, item.labels),
            (Some(ItemStatus::Open), vec!["engine:claude".to_owned(), "bug".into()])
        );
        let asked = &server.asked()[0];
        assert!(asked.head.contains(&format!("authorization: bearer {TOKEN}")));
        assert!(
            asked.head.contains("x-github-api-version: 2022-11-28")
                && asked.head.contains("user-agent: banksman/")
        );
    });
}

#[test]
fn pull_requests_and_words_are_no_items() {
    run_test(async {
        let mut pull: Value = serde_json::from_str(ISSUE).unwrap();
        pull["pull_request"] = json!({ "url": null, "html_url": null, "diff_url": null, "patch_url": null });
        let server = ScriptedServer::start([ok(&pull.to_string()), ok(&json!([pull]).to_string())]).await;
        let tracker = tracker(&server.api);
        assert_eq!(tracker.item(&id()).await.err(), Some(TrackerError::Missing(id())));
        assert!(tracker.items(&ItemFilter { label: "ai".into() }, None).await.unwrap().items.is_empty());
        let word = ItemId::new("12/../13").unwrap();
        assert_eq!(tracker.item(&word).await.err(), Some(TrackerError::Missing(word)));
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn pages_are_followed_while_they_are_full() {
    run_test(async {
        let issue: Value = serde_json::from_str(ISSUE).unwrap();
        let full = Value::Array(vec![issue.clone(); 100]).to_string();
        let server = ScriptedServer::start([ok(&full), ok(&json!([issue]).to_string())]).await;
        let (tracker, filter) = (tracker(&server.api), ItemFilter { label: "a&b".into() });
        let first = tracker.items(&filter, None).await.unwrap();
        let second = tracker.items(&filter, first.next.as_ref()).await.unwrap();
        assert_eq!((first.items.len(), second.items.len(), second.next.is_none()), (100, 1, true));
        let path = "GET /repos/octo-org/shop/issues?state=open&labels=a%26b&sort=created&direction=asc&per_page=100&page=";
        assert_eq!(server.calls(), [format!("{path}1"), format!("{path}2")]);
    });
}

#[test]
fn state_labels_and_comment_are_echoed() {
    run_test(async {
        let asked = all_calls().await;
        let made: Vec<(String, &Value)> = asked[2..]
            .iter()
            .map(|asked| (format!("{} {}", asked.method, asked.path), &asked.body))
            .collect();
        let issue = "/repos/octo-org/shop/issues/12";
        assert_eq!(made[0], (format!("PATCH {issue}"), &json!({ "state": "open" })));
        assert_eq!(made[1], (format!("POST {issue}/labels"), &json!({ "labels": ["in-progress"] })));
        assert_eq!(made[2], (format!("DELETE {issue}/labels/blocked"), &Value::Null));
        assert_eq!(
            made[3],
            (format!("PATCH {issue}"), &json!({ "state": "closed", "state_reason": "completed" }))
        );
        assert_eq!(made[6].0, format!("POST {issue}/comments"));
    });
}

#[test]
fn a_label_that_is_not_there_is_removed_already() {
    run_test(async {
        let server = ScriptedServer::start([ok(ISSUE), ok(LABELS), Answer::Json(404, "{}".into())]).await;
        tracker(&server.api).set_status(&id(), ItemStatus::Blocked, None).await.unwrap();
        assert_eq!(
            server.calls().last().unwrap(),
            "DELETE /repos/octo-org/shop/issues/12/labels/in-progress"
        );
    });
}

//! The client of the items API, against the embedded server and against servers that fail.

use crate::{
    scripted::{Answer, ScriptedServer},
    world::{Served, TOKEN, run_test},
};
use banksman_core::{
    port::tracker::{
        Fault, Item, ItemFilter, ItemStatus, Misunderstanding, PageMark, Tracker as _, TrackerError,
    },
    text::ItemId,
};
use banksman_tracker::{AnyTracker, BadSettings, Kind, Paths, Program, Secret, TrackerSettings};
use serde_json::json;

fn id(text: &str) -> ItemId {
    ItemId::new(text).unwrap()
}

fn settings(api: &str) -> TrackerSettings {
    TrackerSettings { api: Some(api.into()), token: Secret::new(TOKEN.into()), ..TrackerSettings::default() }
}

async fn error_of(answer: Answer) -> TrackerError {
    let server = ScriptedServer::start([answer]).await;
    let tracker = AnyTracker::open(&settings(&server.api)).unwrap();
    tracker.item(&id("T-1")).await.err().unwrap()
}

fn title(item: &Item) -> String {
    item.title.structure(str::to_owned)
}

#[test]
fn an_item_comes_with_its_text_untouched() {
    run_test(async {
        let served = Served::start().await;
        let text = "---\nengine: evil\n---\r\n\u{202e}Überprüfe\t";
        served.make_of("p1", "Fix «login»", text, &["engine:claude", "ai"]).await;
        let item = served.client().item(&id("T-1")).await.unwrap();
        assert_eq!((title(&item).as_str(), item.description.as_str()), ("Fix «login»", text));
        assert_eq!(item.status, Some(ItemStatus::Open));
        assert_eq!(item.labels, ["engine:claude", "ai"]);
    });
}

#[test]
fn status_and_comment_arrive() {
    run_test(async {
        let served = Served::start().await;
        served.make("one", &[]).await;
        let tracker = served.client();
        for status in ItemStatus::ALL {
            tracker.set_status(&id("T-1"), status, None).await.unwrap();
            assert_eq!(tracker.item(&id("T-1")).await.unwrap().status, Some(status));
        }
        assert_eq!(
            tracker.set_status(&id("T-9"), ItemStatus::Done, None).await,
            Err(TrackerError::Missing(id("T-9")))
        );
    });
}

#[test]
fn every_page_of_open_items_is_read() {
    run_test(async {
        let served = Served::start().await;
        for n in 0..130 {
            served.make(&format!("item {n}"), &[if n < 120 { "ai" } else { "person" }]).await;
        }
        let tracker = served.client();
        tracker.set_status(&id("T-3"), ItemStatus::Done, None).await.unwrap();
        let (mut ids, mut from) = (Vec::new(), None::<PageMark>);
        loop {
            let page = tracker.items(&ItemFilter { label: "ai".into() }, from.as_ref()).await.unwrap();
            ids.extend(page.items.into_iter().map(|item| item.id.to_string()));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (1..=120).filter(|n| *n != 3).map(|n| format!("T-{n}")).collect();
        assert_eq!(ids, expected);
    });
}

#[test]
fn another_product_is_refused() {
    run_test(async {
        let served = Served::start().await;
        served.make_of("p2", "theirs", "", &["ai"]).await;
        let settings = TrackerSettings { product: Some("p1".into()), ..served.settings() };
        let tracker = AnyTracker::open(&settings).unwrap();
        assert_eq!(tracker.item(&id("T-1")).await.err(), Some(TrackerError::WrongProduct(id("T-1"))));
        assert!(tracker.items(&ItemFilter { label: "ai".into() }, None).await.unwrap().items.is_empty());
    });
}

#[test]
fn a_wrong_token_is_refused() {
    run_test(async {
        let served = Served::start().await;
        served.make("one", &[]).await;
        let settings = TrackerSettings { token: Secret::new("wrong".into()), ..served.settings() };
        let tracker = AnyTracker::open(&settings).unwrap();
        assert_eq!(tracker.item(&id("T-1")).await.err(), Some(TrackerError::Refused));
        let settings = TrackerSettings { token: None, ..served.settings() };
        let error = AnyTracker::open(&settings).unwrap().item(&id("T-1")).await.err().unwrap();
        assert_eq!(error.to_string(), "the tracker cannot be asked: there is no token (AQ_TRACKER_TOKEN)");
    });
}

#[test]
fn failures_are_told_apart() {
    run_test(async {
        let json = |status| Answer::Json(status, "{\"error\":{\"code\":\"canary\"}}".into());
        let unavailable = TrackerError::Unavailable;
        assert_eq!(error_of(json(401)).await, TrackerError::Refused);
        assert_eq!(error_of(json(404)).await, TrackerError::Missing(id("T-1")));
        assert_eq!(error_of(json(409)).await, TrackerError::Invalid(Misunderstanding::Rejected(409)));
        assert_eq!(error_of(json(422)).await, TrackerError::Invalid(Misunderstanding::Rejected(422)));
        assert_eq!(error_of(json(500)).await, unavailable(Fault::Failed(500)));
        assert_eq!(error_of(json(429)).await, unavailable(Fault::Failed(429)));
        assert_eq!(error_of(json(504)).await, unavailable(Fault::Unclear));
        assert_eq!(error_of(Answer::Nothing).await, unavailable(Fault::Unclear));
        let not_json = error_of(Answer::Json(200, "canary".into())).await;
        assert_eq!(not_json, TrackerError::Invalid(Misunderstanding::Answer("it is no item")));
        let huge = error_of(Answer::Json(200, " ".repeat(17 * 1024 * 1024))).await;
        assert_eq!(huge, TrackerError::Invalid(Misunderstanding::Answer("it is too long")));
    });
}

#[test]
fn nobody_listening_is_no_effect() {
    run_test(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let tracker = AnyTracker::open(&settings(&format!("http://{free}"))).unwrap();
        let error = tracker.item(&id("T-1")).await.err().unwrap();
        assert_eq!(error, TrackerError::Unavailable(Fault::Unreachable));
        assert!(error.had_no_effect() && error.passes());
    });
}

#[test]
fn a_redirect_does_not_get_the_token() {
    run_test(async {
        let other = ScriptedServer::start([]).await;
        let error = error_of(Answer::Head(302, format!("location: {}/items/T-1\r\n", other.api))).await;
        assert_eq!(error, TrackerError::Invalid(Misunderstanding::Rejected(302)));
        assert!(other.asked().is_empty());
    });
}

#[test]
fn a_mark_that_leads_elsewhere_is_not_followed() {
    run_test(async {
        for next in ["http://evil.example/", "//evil.example/x", "https://evil.example"] {
            let page = json!({ "items": [], "next": next }).to_string();
            let server =
                ScriptedServer::start([Answer::Json(200, page), Answer::Json(200, "{\"items\":[]}".into())])
                    .await;
            let tracker = AnyTracker::open(&settings(&server.api)).unwrap();
            let filter = ItemFilter { label: "ai".into() };
            let page = tracker.items(&filter, None).await.unwrap();
            let _ = tracker.items(&filter, page.next.as_ref()).await;
            assert!(
                server.calls().iter().all(|call| call.starts_with("GET /items?")),
                "{:?}",
                server.calls()
            );
        }
    });
}

#[test]
fn paths_ids_and_shapes_of_other_trackers_fit() {
    run_test(async {
        let item = json!({ "id": 7, "productId": 5, "title": "t", "description": null, "status": "todo",
            "labels": [{ "name": "ai" }], "more": {} });
        let page = json!({ "items": [item], "next": 2 }).to_string();
        let answers =
            [Answer::Json(200, item.to_string()), Answer::Json(200, page), Answer::Json(204, String::new())];
        let server = ScriptedServer::start(answers).await;
        let paths = Paths {
            item: "/v2/products/todo/{id}".into(),
            items: "/v2/todo?p={product}&l={label}".into(),
            comments: "/v2/todo/{id}/notes".into(),
        };
        let settings = TrackerSettings { paths, product: Some("5".into()), ..settings(&server.api) };
        let tracker = AnyTracker::open(&settings).unwrap();
        let found = tracker.item(&id("a/7")).await.unwrap();
        assert_eq!((found.description.as_str(), found.status), ("", None));
        let filter = ItemFilter { label: "ai".into() };
        let page = tracker.items(&filter, Some(&PageMark("1".into()))).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (1, true));
        assert_eq!(page.items.first().unwrap().id, id("7"));
        tracker.set_status(&id("7"), ItemStatus::Done, None).await.unwrap();
        let calls =
            ["GET /v2/products/todo/a%2F7", "GET /v2/todo?p=5&l=ai&next=1", "PATCH /v2/products/todo/7"];
        assert_eq!(server.calls(), calls);
    });
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for api in ["ftp://x", "http://user:pass@x", "x", "http://x?y=z"] {
        assert_eq!(AnyTracker::open(&settings(api)).err(), Some(BadSettings::Api), "{api}");
    }
    let paths = Paths { comments: "/x".into(), ..Paths::default() };
    let bad = TrackerSettings { paths, ..settings("http://localhost") };
    assert_eq!(AnyTracker::open(&bad).err(), Some(BadSettings::Path("comments", "{id}")));
    let bad = TrackerSettings {
        kind: Kind::Linear { team: None },
        program: Program::parse("true"),
        ..settings("http://localhost")
    };
    assert_eq!(AnyTracker::open(&bad).err(), Some(BadSettings::Program));
    assert!(Secret::new("a\nb".into()).is_none());
    assert_eq!(format!("{:?}", settings("http://localhost").token), "Some(Secret)");
}

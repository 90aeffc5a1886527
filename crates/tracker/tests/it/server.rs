//! The embedded tracker's items API (20-tracker.md).

use crate::world::{Served, TOKEN, run_test};
use banksman_core::port::tracker::ItemBook as _;
use serde_json::json;

#[test]
fn an_item_is_made_read_changed_and_commented_on() {
    run_test(async {
        let served = Served::start().await;
        let new = json!({ "title": "Fix \"login\"", "description": "a\nb", "productId": "p1", "labels": ["ai", "lock:db"], "priority": "high" });
        let (status, made) = served.call("POST", "/items", Some(new)).await;
        assert_eq!(status, 201);
        let item = json!({ "id": "T-1", "productId": "p1", "type": "task", "title": "Fix \"login\"", "description": "a\nb",
            "status": "open", "labels": ["ai", "lock:db"], "priority": "high" });
        assert_eq!(made, item);
        assert_eq!(served.call("GET", "/items/T-1", None).await, (200, item));
        let change = json!({ "status": "in_progress", "note": "n" });
        let (status, changed) = served.call("PATCH", "/items/T-1", Some(change)).await;
        assert_eq!((status, &changed["status"]), (200, &json!("in_progress")));
        let (status, _) = served.call("POST", "/items/T-1/comments", Some(json!({ "body": "well" }))).await;
        assert_eq!(status, 201);
        let comments = served.items.comments(&"T-1".parse().unwrap()).await.unwrap();
        assert!(comments.iter().all(|(_, body)| body.structure(|text| text == "well")));
        assert_eq!(comments.len(), 1);
        served.stop().await;
    });
}

#[test]
fn lists_are_filtered_and_come_in_pages() {
    run_test(async {
        let served = Served::start().await;
        for n in 0..120 {
            served.make_of(if n % 2 == 0 { "p1" } else { "p2" }, &format!("item {n}"), "", &["ai"]).await;
        }
        served.make("another", &["person"]).await;
        let mut path = "/items?productId=p1&status=open&label=ai".to_owned();
        let mut ids = Vec::new();
        loop {
            let (status, page) = served.call("GET", &path, None).await;
            assert_eq!(status, 200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 50);
            ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/items?productId=p1&status=open&label=ai&next={next}");
        }
        let expected: Vec<String> = (0..60).map(|n| format!("T-{}", 2 * n + 1)).collect();
        assert_eq!(ids, expected);
    });
}

#[test]
fn long_descriptions_make_short_pages() {
    run_test(async {
        let served = Served::start().await;
        let long = "x".repeat(1024 * 1024);
        for _ in 0..4 {
            served.make_of("p1", "long", &long, &[]).await;
        }
        let (_, page) = served.call("GET", "/items", None).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        assert_eq!(page["next"], json!("2"));
    });
}

#[test]
fn whoever_has_no_token_is_told_nothing() {
    run_test(async {
        let served = Served::start().await;
        served.make("secret", &[]).await;
        let host = "host: localhost\r\n";
        for head in
            ["", "authorization: Bearer\r\n", "authorization: Bearer wrong\r\n", "authorization: Basic x\r\n"]
        {
            for (method, path) in
                [("GET", "/items/T-1"), ("GET", "/items"), ("GET", "/nothing"), ("POST", "/items")]
            {
                let (status, body) = served.raw(method, path, &format!("{host}{head}"), None).await;
                assert_eq!((status, &body["error"]["code"]), (401, &json!("unauthorized")), "{head} {path}");
            }
        }
    });
}

#[test]
fn other_hosts_and_pages_are_refused_even_with_the_token() {
    run_test(async {
        let served = Served::start().await;
        let token = format!("authorization: Bearer {TOKEN}\r\n");
        for head in [
            "host: evil.example\r\n",
            "host: localhost\r\norigin: http://evil.example\r\n",
            "host: localhost\r\norigin: null\r\n",
        ] {
            let (status, body) = served.raw("GET", "/items", &format!("{head}{token}"), None).await;
            assert_eq!((status, &body["error"]["code"]), (421, &json!("wrong_host")), "{head}");
        }
        let head =
            format!("host: 127.0.0.1:{0}\r\norigin: http://127.0.0.1:{0}\r\n{token}", served.address.port());
        assert_eq!(served.raw("GET", "/items", &head, None).await.0, 200);
    });
}

#[test]
fn errors_have_a_code_and_repeat_nothing() {
    run_test(async {
        let served = Served::start().await;
        served.make("one", &[]).await;
        let cases = [
            ("GET", "/items/T-9", None, 404, "not_found"),
            ("GET", "/items/%3Fcanary", None, 404, "not_found"),
            ("PATCH", "/items/T-9", Some(json!({ "status": "done" })), 404, "not_found"),
            ("POST", "/items/T-9/comments", Some(json!({ "body": "x" })), 404, "not_found"),
            ("GET", "/canary", None, 404, "not_found"),
            ("DELETE", "/items/T-1", None, 405, "not_allowed"),
            ("POST", "/items", Some(json!({ "id": "T-1", "title": "x" })), 409, "conflict"),
            ("POST", "/items", Some(json!({ "title": "" })), 422, "invalid"),
            ("POST", "/items", Some(json!({ "title": "x", "canary": 1 })), 422, "invalid"),
            ("POST", "/items", Some(json!({ "title": "x", "id": "a?canary" })), 422, "invalid"),
            ("PATCH", "/items/T-1", Some(json!({ "status": "canary" })), 422, "invalid"),
            ("PATCH", "/items/T-1", Some(json!({})), 422, "invalid"),
            ("POST", "/items/T-1/comments", Some(json!({ "body": " " })), 422, "invalid"),
            ("GET", "/items?status=canary", None, 422, "invalid"),
            ("GET", "/items?next=canary", None, 422, "invalid"),
        ];
        for (method, path, body, expected, code) in cases {
            let (status, answer) = served.call(method, path, body).await;
            assert_eq!((status, answer["error"]["code"].as_str()), (expected, Some(code)), "{method} {path}");
            assert!(answer["error"]["message"].is_string());
            assert!(!answer.to_string().contains("canary"), "{answer}");
        }
        let token = format!("host: localhost\r\nauthorization: Bearer {TOKEN}\r\n");
        let form = format!("{token}content-type: text/plain\r\ncontent-length: 2\r\n");
        let (status, _) = served.raw("POST", "/items", &format!("{form}\r\n{{}}"), None).await;
        assert_eq!(status, 422);
        let big = format!("{{\"title\":\"x\",\"description\":\"{}\"}}", "x".repeat(9 * 1024 * 1024));
        let head = format!(
            "{token}content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n",
            big.len()
        );
        let (status, answer) = served.raw("POST", "/items", &head, None).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (413, Some("too_large")));
    });
}

#[test]
fn what_was_acknowledged_is_there_after_a_new_start() {
    run_test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tracker.db");
        let items = banksman_store::items::SqliteItems::open(&path).unwrap();
        let new = |id: Option<&str>| banksman_core::port::tracker::NewItem {
            id: id.map(|id| id.parse().unwrap()),
            product: String::new(),
            kind: "task".into(),
            title: banksman_core::tainted::Tainted::new("t".into()),
            description: banksman_core::tainted::Tainted::new(String::new()),
            labels: vec!["a".into(), "a".into()],
            priority: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        // A chosen id is not given out again.
        assert_eq!(items.make(new(Some("T-2"))).await.unwrap().as_str(), "T-2");
        assert_eq!(items.make(new(None)).await.unwrap().as_str(), "T-3");
        drop(items);
        let items = banksman_store::items::SqliteItems::open(&path).unwrap();
        let (all, next) = items
            .items(&banksman_core::port::tracker::ItemSelect { limit: 10, ..Default::default() })
            .await
            .unwrap();
        assert_eq!((all.len(), next), (2, None));
    });
}

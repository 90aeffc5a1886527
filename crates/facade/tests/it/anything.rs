//! Whatever is asked: an answer comes, it is JSON in GitHub's shape, and the server is none the worse for it.

use crate::world::{Answer, World, send};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

/// Requests of each kind; a campaign sets `PROPTEST_CASES`.
fn cases(usual: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A world with one of everything.
async fn lived_in() -> World {
    let world = World::new().await;
    world.issue("one").await;
    let pull = world.pull("topic").await;
    world.did("POST", &format!("/repos/me/shop/issues/{pull}/comments"), json!({ "body": "hello" })).await;
    world
}

/// What every answer outside git is.
fn is_an_answer(answer: &Answer, asked: &str) {
    if answer.bytes.is_empty() {
        assert!(
            matches!(answer.status.as_u16(), 204 | 205 | 304),
            "{asked}: {} without a word",
            answer.status
        );
        return;
    }
    let kind = answer.header("content-type");
    if kind.contains("diff") || kind.contains("patch") {
        return;
    }
    assert!(kind.starts_with("application/json"), "{asked}: {kind}");
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| panic!("{asked}: no JSON"));
    if answer.status.as_u16() >= 400 {
        assert!(body["message"].is_string(), "{asked}: {body}");
    }
    assert!(answer.status != 500, "{asked}: {body}");
}

/// Asks everything that the strategy makes of one world.
fn ask_all<S: Strategy>(usual: u32, strategy: S, ask: impl Fn(&World, S::Value) -> (String, Answer)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let world = runtime.block_on(lived_in());
    let _inside = runtime.enter();
    let done = TestRunner::new(cases(usual)).run(&strategy, |wish| {
        let (asked, answer) = ask(&world, wish);
        is_an_answer(&answer, &asked);
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
    // It lives, and nothing of it took the repository away.
    let user = runtime.block_on(world.get("/user"));
    assert_eq!(user["login"], "me");
    assert!(world.head("main").is_some());
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(future)
}

fn part() -> impl Strategy<Value = String> {
    let words = [
        "repos",
        "me",
        "local",
        "shop",
        "SHOP",
        "issues",
        "pulls",
        "labels",
        "comments",
        "reviews",
        "merge",
        "git",
        "refs",
        "ref",
        "heads",
        "main",
        "topic",
        "branches",
        "commits",
        "check-runs",
        "statuses",
        "sub_issues",
        "dependencies",
        "blocked_by",
        "files",
        "user",
        "users",
        "search",
        "rate_limit",
        "api",
        "v3",
        "graphql",
        "1",
        "2",
        "3",
        "0",
        "-1",
        "18446744073709551616",
        "..",
        ".",
        "%2e%2e",
        "%00",
        "%ff",
        "a%2Fb",
        "info",
        "git-upload-pack",
        "",
    ];
    prop_oneof![6 => select(words.to_vec()).prop_map(str::to_owned), 1 => "[a-zA-Z0-9%~._-]{1,12}"]
}

fn path() -> impl Strategy<Value = String> {
    let query = prop_oneof![
        3 => Just(String::new()),
        1 => "[?][a-z_]{1,8}=[a-zA-Z0-9%+:&=,-]{0,20}",
        1 => select(vec!["?state=all&per_page=100&page=9999999999", "?page=18446744073709551615&per_page=1", "?since=x&labels=,,", "?q=repo:me/shop+is:pr+-label:x"]).prop_map(str::to_owned),
    ];
    let inside = (vec(part(), 0..5), query.clone())
        .prop_map(|(parts, query)| format!("/repos/me/shop/{}{query}", parts.join("/")));
    let anywhere =
        (vec(part(), 1..6), query).prop_map(|(parts, query)| format!("/{}{query}", parts.join("/")));
    prop_oneof![3 => inside, 1 => anywhere]
}

fn json_value() -> impl Strategy<Value = Value> {
    let keys = [
        "title",
        "body",
        "labels",
        "state",
        "head",
        "base",
        "sha",
        "ref",
        "name",
        "color",
        "event",
        "comments",
        "path",
        "line",
        "force",
        "merge_method",
        "sub_issue_id",
        "issue_id",
        "context",
        "description",
        "draft",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![
            "main",
            "topic",
            "refs/heads/x",
            "open",
            "closed",
            "squash",
            "APPROVE",
            "COMMENT",
            "\u{0}",
            "a..b",
            "\u{202e}"
        ])
        .prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[0-9a-f]{40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(keys.to_vec()), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

#[test]
fn every_call_is_answered_in_json() {
    let methods = select(vec!["GET", "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"]);
    ask_all(250, (methods, path(), proptest::option::of(json_value())), |world, (method, path, body)| {
        let asked = format!("{method} {path} {body:?}");
        // What is no address is refused before it comes here; git has answers of its own.
        let fits = path.parse::<axum::http::Uri>().is_ok();
        let git = ["info/refs", "git-upload-pack", "git-receive-pack"]
            .iter()
            .any(|end| path.split('?').next().is_some_and(|p| p.ends_with(end)));
        // The branch that all of this is about stays; so does a head that has no body by nature.
        if !fits || git || matches!(method, "HEAD" | "OPTIONS" | "TRACE") {
            return (asked, wait(world.ask("GET", "/user", None)));
        }
        let answer = wait(world.ask(method, &path, body));
        (asked, answer)
    });
}

/// One of the names of the schema with arguments that may fit or not.
fn field() -> impl Strategy<Value = String> {
    let names = [
        "viewer",
        "repository",
        "node",
        "nodes",
        "issue",
        "issues",
        "pullRequest",
        "pullRequests",
        "id",
        "title",
        "body",
        "number",
        "author",
        "login",
        "labels",
        "comments",
        "reviews",
        "reviewThreads",
        "commits",
        "commit",
        "statusCheckRollup",
        "contexts",
        "pageInfo",
        "hasNextPage",
        "endCursor",
        "edges",
        "totalCount",
        "parent",
        "subIssues",
        "timelineItems",
        "baseRef",
        "target",
        "history",
        "search",
        "rateLimit",
        "cost",
        "__typename",
        "__schema",
        "__type",
        "defaultBranchRef",
        "closingIssuesReferences",
        "xyz",
    ];
    let arguments = [
        "",
        "",
        "",
        "(first: 5)",
        "(first: 100)",
        "(first: -1)",
        "(first: 99999999999)",
        "(last: 2)",
        "(number: 1)",
        "(number: 2)",
        "(owner: \"me\", name: \"shop\")",
        "(owner: null)",
        "(id: \"x\")",
        "(ids: [\"I_\", \"\"])",
        "(after: \"zz\", first: 3)",
        "(query: \"is:pr\", type: ISSUE, first: 2)",
        "(name: \"Issue\")",
        "(first: $n)",
        "(states: OPEN)",
        "(states: [WRONG])",
    ];
    (select(names.to_vec()), select(arguments.to_vec()))
        .prop_map(|(name, arguments)| format!("{name}{arguments}"))
}

fn selection() -> impl Strategy<Value = String> {
    field().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            (field(), vec(inner.clone(), 1..4))
                .prop_map(|(name, inside)| format!("{name} {{ {} }}", inside.join(" "))),
            (select(vec!["Issue", "PullRequest", "Commit", "Node", "User", "Nope"]), vec(inner, 1..3))
                .prop_map(|(kind, inside)| format!("... on {kind} {{ {} }}", inside.join(" "))),
        ]
    })
}

fn variables() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), Just(json!({ "n": 3 })), json_value()]
}

fn query(world: &World, text: &str, variables: Value) -> (String, Answer) {
    let body = json!({ "query": text, "variables": variables });
    let answer = wait(world.ask("POST", "/graphql", Some(body)));
    if answer.status == 200 {
        let told = answer.json();
        assert!(told.get("data").is_some() || told["errors"].is_array(), "{text}: {told}");
    }
    (text.to_owned(), answer)
}

#[test]
fn every_query_is_answered_with_data_or_errors() {
    let whole = vec(selection(), 1..4).prop_map(|all| {
        format!(
            "query Q($n: Int) {{ repository(owner: \"me\", name: \"shop\") {{ {} }} viewer {{ login }} }}",
            all.join(" ")
        )
    });
    let anything = prop_oneof![4 => whole, 2 => vec(selection(), 1..4).prop_map(|all| format!("{{ {} }}", all.join(" "))), 1 => "\\PC{0,60}"];
    ask_all(200, (anything, variables()), |world, (text, variables)| query(world, &text, variables));
}

#[test]
fn documents_of_the_client_that_are_cut_or_changed_are_answered() {
    let documents: Vec<String> =
        crate::documents::of_the_client().into_iter().map(|(_, text)| text).collect();
    let changes = vec((any::<Index>(), "[ -~]{0,3}"), 0..4);
    ask_all(120, (select(documents), changes, variables()), |world, (mut text, changes, variables)| {
        for (at, with) in changes {
            let at = at.index(text.len());
            text.replace_range(at..at + 1, &with);
        }
        query(world, &text, variables)
    });
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_are_refused_in_json() {
    let world = lived_in().await;
    let large = format!("{{\"title\": \"{}\"}}", "x".repeat(20 << 20));
    for (body, status) in [("{", 400), ("\u{0}", 400), ("[[[[", 400), (large.as_str(), 413)] {
        let request = axum::http::Request::builder().method("POST").uri("/repos/me/shop/issues");
        let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
        let answer = tower::ServiceExt::oneshot(world.over_socket(), request).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], "application/json");
    }
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let request = axum::http::Request::builder().method("POST").uri("/graphql");
    let request = request.body(axum::body::Body::from(format!("{{\"query\": {deep}}}"))).unwrap();
    let answer = tower::ServiceExt::oneshot(world.over_socket(), request).await.unwrap();
    assert_eq!(answer.status(), 400);
    let answer = send(world.over_tcp(), "DELETE", "/user", None, &[("host", "127.0.0.1")]).await;
    assert_eq!(answer.status, 401, "without a token not even the method is told");
}

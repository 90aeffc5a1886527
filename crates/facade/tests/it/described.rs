//! REST answers are what GitHub's own OpenAPI description says they are. The description is installed by `measure/conformance.sh` and
//! never committed.

use crate::{installed, world::World};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn description() -> Option<Value> {
    let path = installed("npm/node_modules/@octokit/openapi/generated/api.github.com.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// A schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a choice.
fn translate(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut inner: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "nullable" | "example" | "discriminator" | "xml"))
                .map(|(key, value)| (key.clone(), translate(value)))
                .collect();
            if map.get("nullable") == Some(&Value::Bool(true)) {
                if let Some(Value::Array(words)) = inner.get_mut("enum") {
                    words.push(Value::Null);
                }
                return json!({ "anyOf": [{ "type": "null" }, inner] });
            }
            Value::Object(inner)
        }
        Value::Array(items) => items.iter().map(translate).collect(),
        other => other.clone(),
    }
}

/// Every definition that a schema needs.
fn needed(schema: &Value, all: &Value, into: &mut Map<String, Value>, seen: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("$ref")
                && let Some(name) = name.strip_prefix("#/components/schemas/")
                && seen.insert(name.to_owned())
            {
                needed(&all[name], all, into, seen);
                into.insert(name.to_owned(), translate(&all[name]));
            }
            map.values().for_each(|value| needed(value, all, into, seen));
        }
        Value::Array(items) => items.iter().for_each(|value| needed(value, all, into, seen)),
        _ => {}
    }
}

/// The schema of an answer.
fn schema(description: &Value, method: &str, path: &str, status: u16) -> Value {
    let answer = &description["paths"][path][method.to_lowercase()]["responses"][status.to_string()];
    let answer = match answer["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/responses/")) {
        Some(name) => &description["components"]["responses"][name],
        None => answer,
    };
    let schema = &answer["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} has no answer {status}");
    let mut definitions = Map::new();
    needed(schema, &description["components"]["schemas"], &mut definitions, &mut BTreeSet::new());
    let mut schema = translate(schema);
    schema["components"] = json!({ "schemas": definitions });
    schema
}

/// Method, path in the description, path here, body, status.
type Row = (&'static str, &'static str, String, Option<Value>, u16);

fn rows(world: &World) -> Vec<Row> {
    let main = world.head("main").unwrap();
    let at = |path: &str| path.replace("{owner}", "me").replace("{repo}", "shop");
    let get = |path: &'static str, values: &[(&str, &str)]| -> Row {
        let mut here = at(path);
        for (name, value) in values {
            here = here.replace(&format!("{{{name}}}"), value);
        }
        ("GET", path, here, None, 200)
    };
    let issue = &[("issue_number", "1")];
    let pull = &[("pull_number", "4")];
    let post =
        |path: &'static str, here: &str, body: Value| -> Row { ("POST", path, at(here), Some(body), 201) };
    vec![
        get("/user", &[]),
        get("/users/{username}", &[("username", "me")]),
        get("/user/repos", &[]),
        get("/rate_limit", &[]),
        get("/repos/{owner}/{repo}", &[]),
        get("/repos/{owner}/{repo}/assignees", &[]),
        get("/repos/{owner}/{repo}/issues", &[]),
        get("/repos/{owner}/{repo}/issues/{issue_number}", issue),
        get("/repos/{owner}/{repo}/issues/{issue_number}/comments", issue),
        get("/repos/{owner}/{repo}/issues/{issue_number}/labels", issue),
        get("/repos/{owner}/{repo}/issues/{issue_number}/sub_issues", issue),
        get("/repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by", &[("issue_number", "2")]),
        get("/repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocking", &[("issue_number", "3")]),
        get("/repos/{owner}/{repo}/issues/{issue_number}/parent", &[("issue_number", "2")]),
        get("/repos/{owner}/{repo}/issues/comments/{comment_id}", &[("comment_id", "1")]),
        get("/repos/{owner}/{repo}/labels", &[]),
        get("/repos/{owner}/{repo}/labels/{name}", &[("name", "bug")]),
        get("/repos/{owner}/{repo}/pulls", &[]),
        get("/repos/{owner}/{repo}/pulls/{pull_number}", pull),
        get("/repos/{owner}/{repo}/pulls/{pull_number}/files", pull),
        get("/repos/{owner}/{repo}/pulls/{pull_number}/commits", pull),
        get("/repos/{owner}/{repo}/pulls/{pull_number}/reviews", pull),
        get("/repos/{owner}/{repo}/pulls/{pull_number}/comments", pull),
        get("/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", pull),
        get("/repos/{owner}/{repo}/branches", &[]),
        get("/repos/{owner}/{repo}/branches/{branch}", &[("branch", "main")]),
        get("/repos/{owner}/{repo}/commits", &[]),
        get("/repos/{owner}/{repo}/commits/{ref}", &[("ref", "main")]),
        get("/repos/{owner}/{repo}/commits/{ref}/check-runs", &[("ref", "topic")]),
        get("/repos/{owner}/{repo}/commits/{ref}/status", &[("ref", "topic")]),
        post(
            "/repos/{owner}/{repo}/statuses/{sha}",
            &format!("/repos/{{owner}}/{{repo}}/statuses/{main}"),
            json!({ "state": "success", "context": "by hand" }),
        ),
        get("/repos/{owner}/{repo}/commits/{ref}/statuses", &[("ref", "main")]),
        get("/repos/{owner}/{repo}/commits/{ref}/status", &[("ref", "main")]),
        post(
            "/repos/{owner}/{repo}/pulls/{pull_number}/comments",
            "/repos/{owner}/{repo}/pulls/4/comments",
            json!({ "body": "here", "path": "topic", "line": 1 }),
        ),
        get("/repos/{owner}/{repo}/git/ref/{ref}", &[("ref", "heads/main")]),
        get("/repos/{owner}/{repo}/git/matching-refs/{ref}", &[("ref", "heads/")]),
        ("GET", "/search/issues", "/search/issues?q=repo:me/shop".to_owned(), None, 200),
        ("GET", "/search/repositories", "/search/repositories?q=shop".to_owned(), None, 200),
        post("/repos/{owner}/{repo}/issues", "/repos/{owner}/{repo}/issues", json!({ "title": "New" })),
        post(
            "/repos/{owner}/{repo}/issues/{issue_number}/comments",
            "/repos/{owner}/{repo}/issues/1/comments",
            json!({ "body": "words" }),
        ),
        post("/repos/{owner}/{repo}/labels", "/repos/{owner}/{repo}/labels", json!({ "name": "new" })),
        post(
            "/repos/{owner}/{repo}/git/refs",
            "/repos/{owner}/{repo}/git/refs",
            json!({ "ref": "refs/heads/made", "sha": main.as_str() }),
        ),
        (
            "POST",
            "/repos/{owner}/{repo}/labels",
            at("/repos/{owner}/{repo}/labels"),
            Some(json!({ "name": "bug" })),
            422,
        ),
        (
            "PATCH",
            "/repos/{owner}/{repo}/issues/{issue_number}",
            at("/repos/{owner}/{repo}/issues/1"),
            Some(json!({ "title": "Other" })),
            200,
        ),
        (
            "PATCH",
            "/repos/{owner}/{repo}/pulls/{pull_number}",
            at("/repos/{owner}/{repo}/pulls/4"),
            Some(json!({ "title": "Other" })),
            200,
        ),
        (
            "POST",
            "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
            at("/repos/{owner}/{repo}/pulls/4/reviews"),
            Some(json!({ "event": "COMMENT", "body": "fine" })),
            200,
        ),
        ("GET", "/repos/{owner}/{repo}", "/repos/me/other".to_owned(), None, 404),
        (
            "PUT",
            "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
            at("/repos/{owner}/{repo}/pulls/4/merge"),
            Some(json!({})),
            200,
        ),
        get("/repos/{owner}/{repo}/pulls/{pull_number}", pull),
    ]
}

#[tokio::test]
async fn answers_are_as_githubs_description_says() {
    let Some(description) = description() else { return };
    let world = World::new().await;
    world.did("POST", "/repos/me/shop/issues", json!({ "title": "One", "labels": ["bug"] })).await;
    world.issue("Two").await;
    world.issue("Three").await;
    let id = |n: u64| {
        let world = &world;
        async move { world.get(&format!("/repos/me/shop/issues/{n}")).await["id"].clone() }
    };
    let (two, three) = (id(2).await, id(3).await);
    world.did("POST", "/repos/me/shop/issues/1/sub_issues", json!({ "sub_issue_id": two })).await;
    world.did("POST", "/repos/me/shop/issues/2/dependencies/blocked_by", json!({ "issue_id": three })).await;
    world.did("POST", "/repos/me/shop/issues/1/comments", json!({ "body": "words" })).await;
    assert_eq!(world.pull("topic").await, 4);
    let comments = json!([{ "path": "topic", "line": 1, "body": "why?" }]);
    let review = json!({ "event": "COMMENT", "body": "hm", "comments": comments });
    world.did("POST", "/repos/me/shop/pulls/4/reviews", review).await;
    world.check().await;
    let mut faults = Vec::new();
    for (method, described, path, body, status) in rows(&world) {
        let answer = world.ask(method, &path, body).await;
        if answer.status != status {
            faults.push(format!("{method} {path}: {} instead of {status}: {}", answer.status, answer.json()));
            continue;
        }
        let validator = jsonschema::draft4::new(&schema(&description, method, described, status)).unwrap();
        for error in validator.iter_errors(&answer.json()) {
            faults.push(format!("{method} {path} at {}: {error}", error.instance_path()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n").chars().take(6000).collect::<String>());
}

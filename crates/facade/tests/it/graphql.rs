//! GraphQL: everything that the schema file promises is answered, errors have GitHub's shape, and what `gh` asks first works.

use crate::world::World;
use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Arguments that a field cannot do without.
const ARGUMENTS: [(&str, &str); 12] = [
    ("repository", "owner: \"me\", name: \"shop\""),
    ("issue", "number: 1"),
    ("pullRequest", "number: 2"),
    ("issueOrPullRequest", "number: 2"),
    ("label", "name: \"bug\""),
    ("ref", "qualifiedName: \"refs/heads/main\""),
    ("refs", "refPrefix: \"refs/heads/\", first: 5"),
    ("compare", "headRef: \"topic\""),
    ("object", "expression: \"main\""),
    ("search", "query: \"repo:me/shop\", type: ISSUE, first: 5"),
    ("user", "login: \"me\""),
    ("repositoryOwner", "login: \"me\""),
];

struct Writer {
    kinds: BTreeMap<String, TypeKind>,
    seen: BTreeSet<String>,
}

fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base(inner),
    }
}

impl Writer {
    fn new() -> Self {
        let document = parse_schema(banksman_facade::sdl()).unwrap();
        let kinds = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node.kind)),
            _ => None,
        });
        Self { kinds: kinds.collect(), seen: BTreeSet::new() }
    }

    /// Selects all of a type, each type once.
    fn select(&mut self, name: &str, depth: u32, into: &mut String) {
        into.push_str("{ __typename ");
        let fields: Vec<FieldDefinition> = match self.kinds.get(name) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|f| f.node.clone()).collect(),
            Some(TypeKind::Interface(interface)) => interface.fields.iter().map(|f| f.node.clone()).collect(),
            Some(TypeKind::Union(union)) => {
                let members: Vec<String> = union.members.iter().map(|m| m.node.to_string()).collect();
                for member in members.into_iter().filter(|_| depth < 20) {
                    if self.seen.insert(member.clone()) {
                        write!(into, "... on {member} ").unwrap();
                        self.select(&member, depth + 1, into);
                    }
                }
                Vec::new()
            }
            _ => Vec::new(),
        };
        for field in fields {
            let of = base(&field.ty.node).to_owned();
            let leaf = !matches!(
                self.kinds.get(&of),
                Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
            );
            let given = ARGUMENTS.iter().find(|(name, _)| *name == field.name.node);
            let pages = field.arguments.iter().any(|argument| argument.node.name.node == "first");
            let needs =
                field.arguments.iter().any(|a| !a.node.ty.node.nullable && a.node.default_value.is_none());
            if needs && given.is_none() {
                continue;
            }
            let absent = field.directives.iter().any(|d| d.node.name.node == "absent");
            write!(into, "{} ", field.name.node).unwrap();
            match given {
                Some((_, arguments)) if !field.arguments.is_empty() => {
                    write!(into, "({arguments}) ").unwrap()
                }
                _ if pages => into.push_str("(first: 3) "),
                _ => {}
            }
            if leaf {
                continue;
            }
            let inner = of.ends_with("Connection") || of.ends_with("Edge") || of == "PageInfo";
            if !absent && depth < 24 && (inner || self.seen.insert(of.clone())) {
                self.select(&of, depth + 1, into);
            } else {
                into.push_str("{ __typename } ");
            }
        }
        into.push_str("} ");
    }
}

#[tokio::test]
async fn every_field_of_the_schema_is_answered() {
    let world = World::with(|rules| rules.required_approvals = 1).await;
    world.did("POST", "/repos/me/shop/issues", json!({ "title": "One", "labels": ["bug"] })).await;
    let number = world.pull("topic").await;
    for on in [1, number] {
        world.did("POST", &format!("/repos/me/shop/issues/{on}/comments"), json!({ "body": "words" })).await;
    }
    let comments = json!([{ "path": "topic", "line": 1, "body": "why?" }]);
    let review = json!({ "event": "COMMENT", "body": "hm", "comments": comments });
    world.did("POST", &format!("/repos/me/shop/pulls/{number}/reviews"), review).await;
    world.check().await;
    let mut writer = Writer::new();
    let mut query = String::new();
    writer.select("Query", 0, &mut query);
    let answer = world.query(&query, json!({})).await;
    let mut text = answer.to_string();
    for (field, name) in [
        ("", "PullRequest"),
        ("statusCheckRollup", "StatusCheckRollup"),
        ("comments(first: 1)", "IssueCommentConnection"),
        ("reviewThreads(first: 1)", "PullRequestReviewThreadConnection"),
        ("commits(first: 1)", "PullRequestCommitConnection"),
    ] {
        let mut fields = String::new();
        Writer::new().select(name, 0, &mut fields);
        let inner = if field.is_empty() { fields } else { format!("{{ {field} {fields} }}") };
        let query = format!(
            "{{ repository(owner: \"me\", name: \"shop\") {{ pullRequest(number: {number}) {inner} }} }}"
        );
        text += &world.query(&query, json!({})).await.to_string();
    }
    for expected in
        ["\"PullRequest\"", "\"CheckRun\"", "\"IssueComment\"", "\"PullRequestReviewThread\"", "\"GitActor\""]
    {
        assert!(text.contains(expected), "{expected} was not reached");
    }
}

#[tokio::test]
async fn what_is_missing_leaves_its_field_empty_and_says_so() {
    let world = World::new().await;
    let query = "{ a: repository(owner: \"me\", name: \"shop\") { name } b: repository(owner: \"me\", name: \"other\") { name } }";
    let answer = world.query_any(query, json!({})).await;
    assert_eq!(answer["data"], json!({ "a": { "name": "shop" }, "b": null }));
    let error = &answer["errors"][0];
    assert_eq!((&error["type"], &error["path"]), (&json!("NOT_FOUND"), &json!(["b"])));
}

#[tokio::test]
async fn features_are_found_by_introspection() {
    let world = World::new().await;
    let query = "{ Issue: __type(name: \"Issue\") { fields(includeDeprecated: true) { name } } Nope: __type(name: \"Nope\") { name } }";
    let data = world.query(query, json!({})).await;
    let fields = data["Issue"]["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["name"] == "stateReason"));
    assert_eq!(data["Nope"], Value::Null);
}

#[tokio::test]
async fn pages_are_gone_through_by_cursor() {
    let world = World::new().await;
    for n in 0..5 {
        world.issue(&format!("Issue {n}")).await;
    }
    let query = "query($after: String) { repository(owner: \"me\", name: \"shop\") {
        issues(first: 2, after: $after, orderBy: { field: CREATED_AT, direction: DESC }) {
            totalCount nodes { number } pageInfo { hasNextPage endCursor } } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let issues = world.query(query, json!({ "after": after })).await["repository"]["issues"].take();
        assert_eq!(issues["totalCount"], 5);
        seen.extend(
            issues["nodes"].as_array().unwrap().iter().map(|issue| issue["number"].as_u64().unwrap()),
        );
        after = issues["pageInfo"]["endCursor"].clone();
        if issues["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn mutations_of_issues_work_by_node_id() {
    let world = World::new().await;
    world.did("POST", "/repos/me/shop/labels", json!({ "name": "bug" })).await;
    let ids = "{ repository(owner: \"me\", name: \"shop\") { id label(name: \"bug\") { id } } }";
    let ids = world.query(ids, json!({})).await["repository"].take();
    let create = "mutation($repo: ID!, $label: ID!) { createIssue(input: {
        repositoryId: $repo, title: \"One\", body: \"text\", labelIds: [$label] }) { issue { id number url labels(first: 5) { nodes { name } } } } }";
    let issue = world.query(create, json!({ "repo": ids["id"], "label": ids["label"]["id"] })).await;
    let issue = &issue["createIssue"]["issue"];
    assert_eq!((&issue["number"], &issue["labels"]["nodes"][0]["name"]), (&json!(1), &json!("bug")));
    let id = json!({ "id": issue["id"] });
    let comment = "mutation($id: ID!) { addComment(input: { subjectId: $id, body: \"hello\" }) { commentEdge { node { body url } } } }";
    assert_eq!(world.query(comment, id.clone()).await["addComment"]["commentEdge"]["node"]["body"], "hello");
    let close = "mutation($id: ID!) { closeIssue(input: { issueId: $id, stateReason: COMPLETED }) { issue { state stateReason } } }";
    let closed = world.query(close, id.clone()).await["closeIssue"]["issue"].take();
    assert_eq!(closed, json!({ "state": "CLOSED", "stateReason": "COMPLETED" }));
    let wrong = "mutation($id: ID!) { closePullRequest(input: { pullRequestId: $id }) { clientMutationId } }";
    assert_eq!(world.query_any(wrong, id).await["errors"][0]["type"], "NOT_FOUND");
}

#[tokio::test]
async fn the_cost_of_a_query_is_told_and_counted() {
    let world = World::new().await;
    let query = "{ rateLimit { cost limit remaining used } viewer { login } }";
    let limit = world.query(query, json!({})).await["rateLimit"].take();
    assert_eq!(limit, json!({ "cost": 1, "limit": 5000, "remaining": 4999, "used": 1 }));
    let limits = world.get("/rate_limit").await;
    assert_eq!(limits["resources"]["graphql"]["used"], 1);
}

#[tokio::test]
async fn a_query_that_asks_for_too_much_is_refused() {
    let world = World::new().await;
    let deep = "{ repository(owner: \"me\", name: \"shop\") { issues(first: 100) { nodes { comments(first: 100) { nodes {
        issue { comments(first: 100) { nodes { id } } } } } } } } }";
    assert_eq!(world.query_any(deep, json!({})).await["errors"][0]["type"], "MAX_NODE_LIMIT_EXCEEDED");
    let wide = "{ repository(owner: \"me\", name: \"shop\") { issues(first: 101) { nodes { id } } } }";
    assert!(world.query_any(wide, json!({})).await["errors"][0]["message"].as_str().unwrap().contains("100"));
    let unknown = world.query_any("{ nothing }", json!({})).await;
    assert!(unknown.get("data").is_none() && unknown["errors"][0]["message"].is_string());
}

/// A value of a variable's type, as far as one can be guessed.
fn guess(ty: &Type, kinds: &BTreeMap<String, TypeKind>) -> Value {
    if let BaseType::List(inner) = &ty.base {
        return json!([guess(inner, kinds)]);
    }
    match (base(ty), kinds.get(base(ty))) {
        ("Int", _) => json!(1),
        ("Boolean", _) => json!(true),
        (_, Some(TypeKind::Enum(words))) => json!(words.values[0].node.value.node.as_str()),
        (_, Some(TypeKind::InputObject(object))) => {
            let needed = object.fields.iter().map(|f| &f.node).filter(|f| !f.ty.node.nullable);
            let all = needed.map(|f| (f.name.node.to_string(), guess(&f.ty.node, kinds)));
            Value::Object(all.collect())
        }
        _ => json!("x"),
    }
}

#[tokio::test]
async fn every_document_of_the_github_client_is_understood() {
    let world = World::new().await;
    let kinds = Writer::new().kinds;
    let documents = crate::documents::of_the_client();
    assert!(documents.len() > 20);
    for (name, document) in documents {
        let parsed = async_graphql::parser::parse_query(&document).unwrap();
        let (_, operation) = parsed.operations.iter().next().unwrap();
        let variables = operation.node.variable_definitions.iter().map(|variable| {
            (variable.node.name.node.to_string(), guess(&variable.node.var_type.node, &kinds))
        });
        let mut variables = Value::Object(variables.collect());
        for (name, value) in [("owner", json!("me")), ("name", json!("shop")), ("after", Value::Null)] {
            if variables.get(name).is_some() {
                variables[name] = value;
            }
        }
        let answer = world.query_any(&document, variables).await;
        // Refused for what it is about, never for what it says.
        for error in answer["errors"].as_array().into_iter().flatten() {
            assert!(error.get("path").is_some(), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn fragments_on_unions_are_not_passed_over() {
    let world = World::new().await;
    let number = world.pull("topic").await;
    let query =
        "query($n: Int!) { repository(owner: \"me\", name: \"shop\") { issueOrPullRequest(number: $n) {
        ...Either ... on IssueOrPullRequest { ... on PullRequest { title } } } } }
        fragment Either on IssueOrPullRequest { __typename ...Pull }
        fragment Pull on PullRequest { number }";
    let data = world.query(query, json!({ "n": number })).await;
    let expected = json!({ "__typename": "PullRequest", "number": number, "title": "Add topic" });
    assert_eq!(data["repository"]["issueOrPullRequest"], expected);
}

#[tokio::test]
async fn fragments_that_multiply_are_refused_at_once() {
    let world = World::new().await;
    for on in ["Repository", "IssueOrPullRequest"] {
        let mut query = "{ repository(owner: \"me\", name: \"shop\") { ...F0 } } ".to_owned();
        for n in 0..40 {
            write!(query, "fragment F{n} on {on} {{ ...F{0} ...F{0} }} ", n + 1).unwrap();
        }
        write!(query, "fragment F40 on {on} {{ __typename }}").unwrap();
        assert!(world.query_any(&query, json!({})).await["errors"][0]["message"].is_string());
    }
}

//! Repositories on GitHub, as a user meets them: what is said where the token or the repository cannot be worked with, and what the inventory
//! keeps. The GitHub of these tests is a scripted one on loopback.

use crate::world::World;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

/// A server that gives every request the same answer, and remembers what it was sent.
struct Scripted {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn start(status: &'static str, headers: &'static str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) < 3 {
                        break;
                    }
                    if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = number.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                drop(reader.take(length).read_to_end(&mut Vec::new()));
                seen.lock().unwrap().push(head);
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
                    body.len()
                );
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Self { address, requests }
    }

    /// What GitHub says of a repository.
    fn repository(archived: &str) -> Self {
        Self::changed("x-oauth-scopes: repo, workflow\r\n", |repository| {
            repository["isArchived"] = (archived == "true").into();
        })
    }

    /// What GitHub says of a repository that is not as all others, with these headers.
    fn changed(headers: &'static str, change: impl FnOnce(&mut Value)) -> Self {
        let none = json!({ "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } });
        let mut repository = json!({
            "id": "R_1", "nameWithOwner": "acme/shop", "isArchived": false, "isDisabled": false, "isLocked": false,
            "isPrivate": true, "hasIssuesEnabled": true, "viewerPermission": "WRITE", "autoMergeAllowed": true,
            "squashMergeAllowed": true, "mergeCommitAllowed": true, "deleteBranchOnMerge": false,
            "defaultBranchRef": { "name": "trunk", "target": { "oid": "a".repeat(40) } }, "mergeQueue": null,
            "issues": none, "pullRequests": none,
        });
        change(&mut repository);
        Self::answering(headers, &format!(r#""repository": {repository}"#))
    }

    fn data(data: &str) -> Self {
        Self::answering("x-oauth-scopes: repo, workflow\r\n", data)
    }

    fn answering(headers: &'static str, data: &str) -> Self {
        let body = format!(
            r#"{{"data": {{"rateLimit": {{"cost": 1, "remaining": 4999, "resetAt": "2030-01-01T00:00:00Z", "limit": 5000}},
            "viewer": {{"databaseId": 7, "login": "ann"}}, {data}}}}}"#
        );
        Self::start("200 OK", headers, body)
    }

    fn asked(&self, line: &str) -> bool {
        self.requests.lock().unwrap().iter().any(|head| head.starts_with(line))
    }
}

fn world(github: &Scripted) -> World {
    let world = World::new();
    world.configure(&format!("[github]\napi_url = \"{}\"\n", github.address));
    world
}

fn run(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    let out = world.command(args).env("GITHUB_TOKEN", "ghp_canary").output().unwrap();
    let text = |bytes: &[u8]| world.plain(&String::from_utf8_lossy(bytes));
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn without_a_token_the_way_to_one_is_said() {
    let world = World::new();
    let done = world.run(&["onboard", "acme/shop", "--implementer", "jules"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(done.err, @r#"
    error: there is no token for GitHub
      export GITHUB_TOKEN=..., or set github.token_file (mode 600), github.token_command = "gh auth token", or a GitHub App (github.app_id, installation_id, app_key_file) in the configuration
    "#);
    assert!(!world.path("home/store.db").exists(), "nothing is made");
}

#[test]
fn a_token_that_is_not_valid_is_told_and_not_shown() {
    let github =
        Scripted::start("401 Unauthorized", "", r#"{"message": "Bad credentials: ghp_canary"}"#.into());
    let world = world(&github);
    let (code, out, err) = run(&world, &["repos", "add", "acme/shop", "--implementer", "jules"]);
    assert_eq!(code, Some(1), "{out}");
    insta::assert_snapshot!(err, @"
    error: the token is not valid, or not any more
      make a new token and export it as GITHUB_TOKEN; `banksman config show --origin` says where the present one comes from
    ");
    assert!(
        github.requests.lock().unwrap()[0].to_ascii_lowercase().contains("authorization: bearer ghp_canary")
    );
    let (_, shown, _) = run(&world, &["config", "show", "--origin"]);
    assert!(shown.contains("github.token") && shown.contains("$GITHUB_TOKEN"), "{shown}");
    assert!(!shown.contains("ghp_canary"), "{shown}");
}

#[test]
fn an_unknown_repository_is_told() {
    let github = Scripted::data(r#""repository": null"#);
    let (code, _, err) = run(&world(&github), &["repos", "add", "acme/shop", "--implementer", "jules"]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err, @"
    error: there is no repository acme/shop on GitHub, or the token cannot see it
      check the spelling; a private repository needs a token with the scope `repo`, or a fine-grained one that names it
    ");
}

#[test]
fn an_archived_repository_is_told() {
    let github = Scripted::repository("true");
    let (code, _, err) = run(&world(&github), &["onboard", "acme/shop", "--implementer", "jules", "--yes"]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err, @"
    error: acme/shop: the repository is archived and can only be read
      unarchive it on GitHub, or take it out with `banksman repos remove`
    ");
}

const ADD: [&str; 5] = ["repos", "add", "acme/shop", "--implementer", "jules"];

#[test]
fn a_token_without_scopes_is_told_which_one_is_missing() {
    let github = Scripted::changed("x-oauth-scopes: gist, read:org\r\n", |_| {});
    let (code, _, err) = run(&world(&github), &ADD);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: the token lacks the scope `repo`\n"), "{err}");
    assert!(err.contains("`issues` and"), "what a fine-grained one needs is said, too: {err}");
}

#[test]
fn single_sign_on_is_told_with_the_place_where_it_is_given() {
    let headers =
        "x-github-sso: required; url=https://github.com/orgs/acme/sso?authorization_request=canary\r\n";
    let github = Scripted::start("403 Forbidden", headers, r#"{"message": "canary"}"#.to_owned());
    let (code, out, err) = run(&world(&github), &ADD);
    assert_eq!(code, Some(1));
    assert!(err.contains("wants the token to be authorised for single sign-on"), "{err}");
    assert!(err.contains("Configure SSO"), "{err}");
    assert!(!(err + &out).contains("canary"));
}

#[test]
fn a_renamed_repository_is_kept_under_its_new_name() {
    let github = Scripted::changed("x-oauth-scopes: repo\r\n", |repository| {
        repository["nameWithOwner"] = "acme/store".into();
    });
    let (code, out, err) = run(&world(&github), &ADD);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("note: acme/shop is called acme/store now"), "{err}");
    assert!(out.contains("[repos.\"acme/store\"]"), "{out}");
}

#[test]
fn a_repository_without_auto_merge_is_worked_on_all_the_same() {
    let github = Scripted::changed("x-oauth-scopes: repo, workflow\r\n", |repository| {
        repository["autoMergeAllowed"] = false.into();
    });
    let (code, _, err) = run(&world(&github), &ADD);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("auto-merge is off in its settings: Banksman merges by itself"), "{err}");
}

#[test]
fn an_enterprise_server_is_asked_at_its_own_paths() {
    let github = Scripted::repository("false");
    let world = World::new();
    world.configure(&format!("[github]\napi_url = \"{}/api/v3\"\n", github.address));
    let (code, _, err) = run(&world, &ADD);
    assert_eq!(code, Some(0), "{err}");
    assert!(github.asked("GET /api/v3/user ") && github.asked("POST /api/graphql "));
    assert!(!github.asked("POST /graphql ") && !github.asked("GET /user "));
}

#[test]
fn a_clock_that_differs_from_githubs_is_told() {
    let headers = "x-oauth-scopes: repo, workflow\r\ndate: Sat, 01 Jan 2050 00:00:00 GMT\r\n";
    let github = Scripted::changed(headers, |_| {});
    let (_, out, err) = run(&world(&github), &["doctor"]);
    assert!(out.contains("GitHub's clock and this host's differ by"), "{out}{err}");
}

#[test]
fn a_repository_is_kept_under_its_canonical_name_with_its_hosted_agent() {
    let github = Scripted::repository("false");
    let world = world(&github);
    let (code, out, err) =
        run(&world, &["repos", "add", "Acme/shop", "--implementer", "jules", "--merge", "squash"]);
    assert_eq!(code, Some(0), "{err}");
    insta::assert_snapshot!(out, @r#"
    [repos."acme/shop"]
    github = "acme/shop"
    default_branch = "trunk"
    implementers = ["jules"]
    hosted = ["jules"]
    merge = "squash"
    "#);
    let (_, again, err) = run(&world, &["repos", "add", "acme/shop"]);
    assert_eq!(again, "");
    insta::assert_snapshot!(err, @"
    error: GitHub: acme/shop is in the inventory already, as acme/shop
      `banksman repos edit acme/shop` changes it.
    ");
    let shown = world.json(&["repos", "show", "acme/shop"]);
    assert_eq!((&shown["repo"], &shown["hosted"][0]), (&"acme/shop".into(), &"jules".into()));
}

#[test]
fn what_can_not_be_found_out_is_said_in_the_list() {
    let world = World::new();
    world.write(
        "home/repos.toml",
        "[repos.\"acme/shop\"]\ngithub = \"acme/shop\"\ndefault_branch = \"main\"\nhosted = \"jules\"\n",
    );
    let shown = world.json(&["repos"]);
    assert_eq!(shown[0]["trouble"], "there is no token for GitHub");
    let done = world.run(&["forge", "issue", "list", "--repo", "acme/shop"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(done.err, @"
    error: acme/shop is on GitHub: `banksman forge` is about repositories of the embedded forge
      `gh` works on it: gh issue list --repo acme/shop
    ");
    let done = world.run(&["epic", "status", "acme/shop#118", "--repo", "acme/blog"]);
    assert_eq!(done.code, Some(2));
    insta::assert_snapshot!(done.err, @"
    error: two repositories are named: acme/shop and acme/blog
      name one, in front of the # or with --repo
    ");
}

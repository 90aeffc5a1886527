//! Repositories on GitHub, as a user meets them: what is said where the token or the repository cannot be worked with, and what the inventory
//! keeps. The GitHub of these tests is a scripted one on loopback.

use crate::world::World;
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
        let repository = format!(
            r#"{{"id": "R_1", "nameWithOwner": "acme/shop", "isArchived": {archived}, "isDisabled": false, "isLocked": false,
            "isPrivate": true, "hasIssuesEnabled": true, "viewerPermission": "WRITE", "autoMergeAllowed": true,
            "squashMergeAllowed": true, "mergeCommitAllowed": true, "deleteBranchOnMerge": false,
            "defaultBranchRef": {{"name": "trunk", "target": {{"oid": "{}"}}}}, "mergeQueue": null,
            "issues": {{"nodes": [], "pageInfo": {{"hasNextPage": false, "endCursor": null}}}},
            "pullRequests": {{"nodes": [], "pageInfo": {{"hasNextPage": false, "endCursor": null}}}}}}"#,
            "a".repeat(40)
        );
        Self::data(&format!(r#""repository": {repository}"#))
    }

    fn data(data: &str) -> Self {
        let body = format!(
            r#"{{"data": {{"rateLimit": {{"cost": 1, "remaining": 4999, "resetAt": "2030-01-01T00:00:00Z", "limit": 5000}},
            "viewer": {{"databaseId": 7, "login": "ann"}}, {data}}}}}"#
        );
        Self::start("200 OK", "x-oauth-scopes: repo, workflow\r\n", body)
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

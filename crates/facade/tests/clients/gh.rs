//! Both versions of `gh`: every row of the table over the Unix socket; clone and checkout over a port of this host.

use super::{
    Served,
    table::{Before, Row, TABLE},
};
use crate::installed;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use std::path::Path;
use tokio::process::Command;

/// Debian 12's version, 2.23.
const DEBIAN: &str = "gh/debian/usr/bin/gh";
/// PyPI's, 2.102.
const NEWEST: &str = "gh/2.102.0/bin/gh";

/// A command of `gh` with nothing of this host's own around it.
fn gh(program: &Path, served: &Served) -> Command {
    let config = served.world.dir.path().join("gh");
    std::fs::create_dir_all(&config).unwrap();
    let mut command = Command::new(program);
    command
        .current_dir(served.world.dir.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", served.world.dir.path())
        .env("GH_CONFIG_DIR", &config)
        .env("GH_TOKEN", "of-me")
        .env("GH_PROMPT_DISABLED", "1")
        .env("GH_NO_UPDATE_NOTIFIER", "1")
        .env("DO_NOT_TRACK", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

async fn prepare(served: &Served, before: Before) {
    match before {
        Before::Nothing => {}
        Before::Push(branch) => drop(served.world.push(branch, branch, "text\n")),
        Before::Check => served.world.check().await,
        Before::Approve => {
            let path = "/repos/me/shop/pulls/2/reviews";
            let ann = [("authorization", "token of-ann")];
            let body = json!({ "event": "APPROVE" });
            assert_eq!(served.world.ask_with("POST", path, Some(body), &ann).await.status, 200);
        }
    }
}

async fn every_row(program: &str) {
    let Some(program) = installed(program) else { return };
    let served = Served::new().await;
    let config = served.world.dir.path().join("gh");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.yml"), format!("http_unix_socket: {}\n", served.socket.display()))
        .unwrap();
    let mut faults = Vec::new();
    for Row { before, run, code, says } in TABLE {
        prepare(&served, *before).await;
        let mut command = gh(&program, &served);
        let out = command.env("GH_REPO", "me/shop").args(*run).output().await.unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let missing: Vec<_> = says.iter().filter(|words| !said.contains(**words)).collect();
        if out.status.code() != Some(*code) || !missing.is_empty() {
            faults.push(format!(
                "gh {}\n  ended with {:?}, lacks {missing:?}:\n{said}",
                run.join(" "),
                out.status.code()
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {} rows failed\n{}", faults.len(), TABLE.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn debians_gh_passes_every_row() {
    every_row(DEBIAN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_gh_passes_every_row() {
    every_row(NEWEST).await;
}

/// Clones, pushes a branch with git, opens a pull request from inside the clone and checks it out again.
async fn clone_and_checkout(program: &str) {
    let Some(program) = installed(program) else { return };
    let served = Served::new().await;
    let proxy = format!("http://127.0.0.1:{}", served.port);
    let basic = format!("Authorization: Basic {}", BASE64_STANDARD.encode("x-access-token:of-me"));
    let dir = served.world.dir.path();
    let around = |mut command: Command| {
        command
            .env("HTTP_PROXY", &proxy)
            .env("http_proxy", &proxy)
            .env("GH_HOST", "github.localhost")
            .env("GH_ENTERPRISE_TOKEN", "of-me")
            .env("GIT_CONFIG_COUNT", "3")
            .env("GIT_CONFIG_KEY_0", "http.extraHeader")
            .env("GIT_CONFIG_VALUE_0", &basic)
            .env("GIT_CONFIG_KEY_1", "user.name")
            .env("GIT_CONFIG_VALUE_1", "Me")
            .env("GIT_CONFIG_KEY_2", "user.email")
            .env("GIT_CONFIG_VALUE_2", "me@example.com")
            .env("GIT_TERMINAL_PROMPT", "0");
        command
    };
    let run = async |program: &Path, folder: &Path, args: &[&str]| {
        let out = around(gh(program, &served)).current_dir(folder).args(args).output().await.unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        (out.status.success(), said)
    };
    let (done, said) = run(&program, dir, &["repo", "clone", "me/shop", "clone"]).await;
    assert!(done, "{said}");
    let (clone, git) = (dir.join("clone"), Path::new("git"));
    std::fs::write(clone.join("new"), "text\n").unwrap();
    for args in [
        &["checkout", "-q", "-b", "topic"][..],
        &["add", "new"],
        &["commit", "-q", "-m", "work"],
        &["push", "-q", "origin", "topic"],
    ] {
        let (done, said) = run(git, &clone, args).await;
        assert!(done, "git {args:?}: {said}");
    }
    let (done, said) = run(git, &clone, &["push", "origin", "topic:main"]).await;
    assert!(!done && said.contains("protected branch"), "{said}");
    let (done, said) =
        run(&program, &clone, &["pr", "create", "--title", "Add", "--body", "work", "--head", "topic"]).await;
    assert!(done && said.contains("/me/shop/pull/1"), "{said}");
    for args in [&["checkout", "-q", "main"][..], &["branch", "-q", "-D", "topic"]] {
        assert!(run(git, &clone, args).await.0);
    }
    let (done, said) = run(&program, &clone, &["pr", "checkout", "1"]).await;
    assert!(done, "{said}");
    let (_, branch) = run(git, &clone, &["rev-parse", "HEAD"]).await;
    assert_eq!(branch.trim(), served.world.head("topic").unwrap().as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn debians_gh_clones_and_checks_out() {
    clone_and_checkout(DEBIAN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_gh_clones_and_checks_out() {
    clone_and_checkout(NEWEST).await;
}

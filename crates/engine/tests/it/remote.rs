//! Repositories on a server: what is fetched and pushed there, what the server's refusals and breakdowns do, and where the credential never is.

use crate::{
    server::{Mood, Server, TOKEN},
    world::{BOTH, COMMIT, Kept, World, commit, git, repo},
};
use banksman_core::{
    id::Number,
    port::{EngineError, ReportResult},
    text::{BranchName, Sha},
    work::{FailReason, Task},
};
use banksman_engine::{NoCredential, RepositorySetup};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

/// A world whose repository is reached through a server alone.
async fn world(kept: Kept, script: &str, server: &Server) -> Option<World> {
    World::with(kept, script, &|config| {
        server.serve(config.home.parent().unwrap().to_owned());
        config.repositories.insert(repo(), RepositorySetup::new(server.remote("forge.git")));
    })
    .await
}

/// All files below a folder, those of the workspace of git's objects too.
fn files(dir: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files(&entry.path())),
            kind if kind.is_file() => found.push(fs::read(entry.path()).unwrap()),
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_becomes_a_commit_on_a_branch_of_the_server_and_the_token_stays_where_it_belongs() {
    for kept in BOTH {
        let server = Server::start(Mood::Fair).await;
        let script = format!("env; git config --list; echo four >> a.txt && {COMMIT}");
        let Some(world) = world(kept, &script, &server).await else { continue };
        let sha = world.publishes(&world.implement()).await;
        assert_eq!(world.git(&["show", &format!("{sha}:a.txt")]), "one\ntwo\nthree\nfour\n");
        assert_eq!(server.seen(), Vec::<String>::new(), "the token is no argument of any process");
        assert!(world.log().contains("BANKSMAN_TASK="), "{}", world.log());
        let leaks = |bytes: &Vec<u8>| {
            bytes.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes())
                || bytes.windows(13).any(|w| w == b"Authorization")
        };
        assert!(!files(&world.path("home")).iter().any(leaks), "no file and no log has it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_round_goes_on_from_the_head_on_the_server() {
    let server = Server::start(Mood::Fair).await;
    let script = format!("echo fixed > b.txt; {COMMIT}");
    let Some(world) = world(Kept::Unconfined, &script, &server).await else { return };
    let head = commit(&world, "agent/7", "main", "b.txt", "broken\n");
    let order = world.on("agent/7", Task::FixReviews { pull: Number(8), round: 1 });
    let sha = world.publishes(&order).await;
    assert_eq!(world.git(&["rev-parse", &format!("{sha}^")]).trim(), head.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_branch_on_the_server_are_listed() {
    let server = Server::start(Mood::Fair).await;
    let Some(world) = world(Kept::Unconfined, "true", &server).await else { return };
    let main = BranchName::new("main").unwrap();
    let paths = world.host.paths(&repo(), &main).await.unwrap();
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["a.txt", "list.lock"]);
    assert!(world.host.paths(&repo(), &BranchName::new("none").unwrap()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_no_branch_has_can_be_reviewed() {
    let server = Server::start(Mood::Fair).await;
    let script = "echo '{\"verdict\": \"approve\"}' > \"$BANKSMAN_TASK_DIR/verdict.json\"; cat b.txt";
    let Some(world) = world(Kept::Unconfined, script, &server).await else { return };
    let head = commit(&world, "gone", "main", "b.txt", "from a fork\n");
    world.git(&["update-ref", "refs/pull/8/head", head.as_str()]);
    world.git(&["update-ref", "-d", "refs/heads/gone"]);
    let order = world.on("main", Task::Review { pull: Number(8), head });
    let report = world.run(&order).await.unwrap();
    assert!(matches!(report.result, ReportResult::Reviewed { .. }));
    assert!(world.log().contains("from a fork"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moves_while_the_engine_works_is_not_overwritten_on_the_server() {
    let server = Server::start(Mood::Fair).await;
    let script =
        format!("git -C ../../../../forge.git update-ref refs/heads/agent/7 main; echo x > b.txt; {COMMIT}");
    let Some(world) = world(Kept::Unconfined, &script, &server).await else { return };
    assert_eq!(world.fails(&world.implement()).await, FailReason::Stale);
    assert_eq!(world.head("agent/7"), world.head("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_the_server_refuses_is_told_and_changes_nothing() {
    let server = Server::start(Mood::Fair).await;
    let script = format!("echo x > b.txt; {COMMIT}");
    let Some(world) = world(Kept::Unconfined, &script, &server).await else { return };
    let hook = world.path("forge.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let Err(EngineError::Host(why)) = world.run(&world.implement()).await else { panic!("it was taken") };
    assert!(why.contains("protected"), "{why}");
    assert_eq!(world.head("agent/7"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_refused_is_not_tried_again() {
    for forbidden in [true, false] {
        let server = Server::start(if forbidden { Mood::Forbidding } else { Mood::Fair }).await;
        let Some(world) = World::with(Kept::Unconfined, "true", &|config| {
            server.serve(config.home.parent().unwrap().to_owned());
            let wrong = Arc::new(|| -> futures_util::future::BoxFuture<'static, _> {
                Box::pin(async { banksman_engine::Credential::token("ghp_wrong").ok_or(NoCredential) })
            });
            let remote = match forbidden {
                true => server.remote("forge.git"),
                false => server.remote_with("forge.git", wrong),
            };
            config.repositories.insert(repo(), RepositorySetup::new(remote));
        })
        .await
        else {
            return;
        };
        let Err(EngineError::Host(why)) = world.run(&world.implement()).await else {
            panic!("it was let in")
        };
        assert!(why.contains("does not let the token"), "{why}");
        assert!(server.requests() <= 2, "{} requests", server.requests());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_takes_the_credential_elsewhere() {
    let elsewhere = Server::start(Mood::Fair).await;
    let server = Server::start(Mood::Redirecting(elsewhere.address.clone())).await;
    let Some(world) = world(Kept::Unconfined, "true", &server).await else { return };
    elsewhere.serve(world.path(""));
    assert!(matches!(world.run(&world.implement()).await, Err(EngineError::Host(_))));
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_down_once_is_asked_again() {
    let server = Server::start(Mood::Failing(1)).await;
    let Some(world) = world(Kept::Unconfined, &format!("echo x > b.txt; {COMMIT}"), &server).await else {
        return;
    };
    world.publishes(&world.implement()).await;
    server.mood(Mood::Failing(1));
    let order = world.on("agent/7", Task::FixReviews { pull: Number(8), round: 1 });
    // It was fetched: the engine ran and found nothing to commit.
    assert_eq!(world.fails(&order).await, FailReason::ExitCode);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_repository_has_the_object_format_of_the_server() {
    let server = Server::start(Mood::Fair).await;
    let script = format!("echo x > b.txt; {COMMIT}");
    let made = World::with(Kept::Unconfined, &script, &|config| {
        let dir = config.home.parent().unwrap();
        server.serve(dir.to_owned());
        git(dir, &["init", "--quiet", "--object-format=sha256", "wide"]);
        git(&dir.join("wide"), &["commit", "--quiet", "--allow-empty", "-m", "Start"]);
        config.repositories.insert(repo(), RepositorySetup::new(server.remote("wide/.git")));
    })
    .await;
    let Some(world) = made else { return };
    let report = world.run(&world.implement()).await.unwrap();
    let ReportResult::Published { sha } = report.result else { panic!("nothing was published") };
    assert_eq!(sha.as_str().len(), 64);
    let there = git(&world.path("wide"), &["rev-parse", "agent/7"]);
    assert_eq!(Sha::new(there.trim()), Ok(sha));
}
